"""From what was presented to a principal or a refusal."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.actors import Agent, Principal
from doorward.domain.ids import AgentId, TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.anonymous import Anonymous
from doorward.identity.chain import Chain, Presented, Source, again
from doorward.identity.keys import key_id
from doorward.identity.registry import NEVER, Registry
from tests.identity.stores import Draws, Memory
from tests.identity.tokens.mint import CERTIFICATE
from tests.made import Clock, principal

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
TOUR = Agent(AgentId("tour"), "anonymous", TeamId("local"), "anonymous")


class Gives:
    """A source that answers always the same."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def identify(self, presented: Presented) -> Principal | None:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer  # type: ignore[return-value]


def refusal(sources: list[Source], authorization: str | None = "Bearer x") -> Refused:
    with pytest.raises(Refused) as caught:
        Chain(sources).identify(Presented(authorization, "127.0.0.1", loopback=True))
    return caught.value


def test_the_first_source_that_recognises_the_credential_decides() -> None:
    first, second = principal("first"), principal("second")
    presented = Presented("Bearer x", "10.0.0.1", loopback=False)
    assert Chain([Gives(None), Gives(first), Gives(second)]).identify(presented) is first


def test_what_nobody_recognises_is_refused() -> None:
    assert refusal([Gives(None)]).reason is Reason.UNAUTHENTICATED
    assert refusal([], None).reason is Reason.UNAUTHENTICATED


def test_other_sources_take_over_at_once() -> None:
    chain, presented = Chain([Gives(principal("first"))]), Presented("Bearer x", "10.0.0.1", loopback=False)
    chain.adopt([Gives(None)])
    with pytest.raises(Refused):
        chain.identify(presented)


def test_a_refusal_of_one_source_is_not_asked_again_of_the_next() -> None:
    sources: list[Source] = [Gives(Refused(Reason.REVOKED, "gone")), Gives(principal())]
    assert refusal(sources).reason is Reason.REVOKED


def test_a_source_can_refuse_for_no_other_reason_than_who_is_calling() -> None:
    assert refusal([Gives(Refused(Reason.OVER_RATE, "busy"))]).reason is Reason.UNAUTHENTICATED


@pytest.mark.parametrize(
    "broken", [ValueError("x"), KeyError("x"), RuntimeError(), TimeoutError(), MemoryError(), UnicodeError()], ids=repr
)
def test_any_exception_in_a_source_is_a_401_and_never_somebody_cve_2026_59822(broken: Exception) -> None:
    """The flaw was a failed key check that was swallowed, after which an empty identity went on as if it had been verified."""
    everybody: list[Source] = [Gives(broken), Gives(principal("somebody"))]
    found = refusal(everybody)
    assert (found.reason, found.public) == (Reason.UNAUTHENTICATED, "A valid credential is needed.")


@pytest.mark.parametrize("empty", [object(), {}, "", 0, False, CLAUDE], ids=["object", "dict", "text", "zero", "false", "agent"])
def test_what_is_no_principal_is_nobody_cve_2026_59822(empty: object) -> None:
    assert refusal([Gives(empty)]).reason is Reason.UNAUTHENTICATED


def test_a_refusal_never_holds_the_credential() -> None:
    secret = "hunter2hunter2"
    found = refusal([Gives(ValueError(secret))], f"Bearer {secret}")
    assert secret not in found.detail + found.public + str(found.extra)
    assert secret not in repr(Presented(f"Bearer {secret}", "10.0.0.1", loopback=False))


async def house() -> tuple[Chain, str]:
    registry = Registry(Memory(), Draws(), Clock())
    text, _ = await registry.add(CLAUDE, NEVER, 60)
    return Chain([AgentKeys(registry, Clock()), Anonymous(TOUR, registry)]), text


@pytest.mark.anyio
async def test_a_bad_credential_never_falls_back_to_anonymous() -> None:
    chain, text = await house()
    assert chain.identify(Presented(None, "127.0.0.1", loopback=True)).agent == TOUR
    assert chain.identify(Presented(f"Bearer {text}", "127.0.0.1", loopback=True)).agent == CLAUDE
    for bad in ("", "Bearer", "Bearer x", "Bearer dw_x", f"Bearer {text}x", f"Basic {text}", text, f"Bearer {text}, Bearer {text}"):
        with pytest.raises(Refused):
            chain.identify(Presented(bad, "127.0.0.1", loopback=True))


@pytest.mark.anyio
@given(
    authorization=st.none() | st.text() | st.from_regex(r"(?i)bearer +dw_[0-9A-Za-z]{11}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", fullmatch=True)
)
async def test_no_principal_exists_without_a_verified_credential_cve_2026_59822(authorization: str | None) -> None:
    chain, text = await house()
    presented = Presented(authorization, "10.0.0.1", loopback=False)
    with pytest.raises(Refused) as caught:
        chain.identify(presented)
    assert caught.value.reason is Reason.UNAUTHENTICATED
    assert key_id(text) is not None


def test_a_head_that_comes_again_presents_the_same_but_for_the_certificate_and_the_number_of_the_request() -> None:
    first = Presented("Bearer x", "10.0.0.1", loopback=False, endpoint=UpstreamId("git"), method="GET", dpop="p", request=1)
    second = again(first, CERTIFICATE, 2)
    assert second == replace(first, certificate=CERTIFICATE, request=2)
    assert second.digest == first.digest == replace(second).digest


def test_a_head_that_comes_again_without_a_proof_or_another_certificate_presents_the_very_same() -> None:
    first = Presented("Bearer x", "10.0.0.1", loopback=False, certificate=CERTIFICATE, request=1)
    assert again(first, CERTIFICATE, 2) is first
    assert again(first, None, 2) == replace(first, certificate=None, request=2)


def test_a_proof_that_comes_again_is_another_request() -> None:
    first = Presented("DPoP x", "10.0.0.1", loopback=False, dpop="p", request=1)
    assert again(first, None, 2) == replace(first, request=2)
