"""Keys we issued, presented: who stands behind them, and until when."""

from hashlib import sha256

import pytest

from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import AgentId, InstanceId, KeyId, TeamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.agent_keys import MOST_KNOWN, AgentKeys
from doorward.identity.certificate import Certificate
from doorward.identity.chain import Presented
from doorward.identity.records import Edit
from doorward.identity.registry import NEVER, Registry
from tests.identity.stores import Draws, Memory
from tests.made import Clock

pytestmark = pytest.mark.anyio

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
DAY = 86_400.0


class House:
    """A registry with one agent, and the source that knows it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = Memory()
        self.registry = Registry(self.store, Draws(), self.clock)
        self.keys = AgentKeys(self.registry, self.clock)

    async def issued(self, agent: Agent = CLAUDE, expires_at: float = NEVER) -> tuple[str, KeyId]:
        text, key = await self.registry.add(agent, expires_at, DAY)
        return text, key.id

    def shown(self, authorization: str | None, network: str = "10.0.0.1") -> Principal | None:
        return self.keys.identify(Presented(authorization, network, loopback=False))

    def refusal(self, authorization: str) -> Reason:
        with pytest.raises(Refused) as caught:
            self.shown(authorization)
        return caught.value.reason


async def test_a_key_leads_to_its_agent() -> None:
    house = House()
    text, key = await house.issued()
    assert house.shown(f"Bearer {text}") == Principal(
        agent=CLAUDE,
        subject=None,
        actors=(),
        method=AuthnMethod.AGENT_KEY,
        instance=InstanceId(f"key:{key}"),
        credential=key,
        network="10.0.0.1",
    )


async def test_the_second_look_gives_the_very_same_principal_for_the_same_network_only() -> None:
    house = House()
    text, _ = await house.issued()
    first = house.shown(f"Bearer {text}")
    assert house.shown(f"Bearer {text}") is first
    elsewhere = house.shown(f"Bearer {text}", network="10.0.0.2")
    assert elsewhere is not None
    assert elsewhere.network == "10.0.0.2"


@pytest.mark.parametrize("authorization", [None, "Basic YTpi", "Bearer eyJhbGciOi.J9.x", "Bearer", "Bearer x, Bearer y"])
async def test_what_is_no_key_of_ours_is_left_to_others(authorization: str | None) -> None:
    assert House().shown(authorization) is None


async def test_the_certificate_of_the_connection_goes_with_a_key_and_is_not_remembered_for_another_one() -> None:
    house = House()
    text, _ = await house.issued()

    def over(thumbprint: str | None) -> str:
        certificate = None if thumbprint is None else Certificate(thumbprint, 1, "CN=ca", "CN=x", (), (), NEVER, "")
        found = house.keys.identify(Presented(f"Bearer {text}", "10.0.0.1", loopback=False, certificate=certificate))
        assert found is not None
        return found.proof.certificate

    assert [over(shown) for shown in (None, "one", "two", "one", None)] == ["", "one", "two", "one", ""]


async def test_a_key_of_ours_that_nobody_issued_is_refused() -> None:
    house, other = House(), House()
    text, _ = await house.issued()
    assert other.refusal(f"Bearer {text}") is Reason.UNAUTHENTICATED
    assert other.refusal("Bearer dw_x") is Reason.UNAUTHENTICATED


async def test_a_right_id_with_a_wrong_secret_is_refused() -> None:
    house = House()
    await house.issued()
    forger = House()
    forger.registry._random_bytes = lambda length: b"\x00\x01" * 4 if length == 8 else b"\xee" * length
    forged, _ = await forger.issued()
    assert house.registry.key(KeyId(forged.split("_")[1])) is not None
    assert house.refusal(f"Bearer {forged}") is Reason.UNAUTHENTICATED


async def test_a_remembered_key_is_refused_the_moment_it_is_revoked() -> None:
    house = House()
    text, key = await house.issued()
    house.shown(f"Bearer {text}")
    await house.registry.revoke_key(key)
    assert house.refusal(f"Bearer {text}") is Reason.REVOKED


async def test_a_remembered_key_is_refused_the_moment_its_agent_is_suspended_and_taken_again_when_resumed() -> None:
    house = House()
    text, _ = await house.issued()
    house.shown(f"Bearer {text}")
    await house.registry.suspend(CLAUDE.id)
    assert house.refusal(f"Bearer {text}") is Reason.REVOKED
    await house.registry.resume(CLAUDE.id)
    assert house.shown(f"Bearer {text}") is not None


async def test_a_remembered_key_is_refused_the_moment_its_agent_may_not_prove_itself_by_keys() -> None:
    house = House()
    text, _ = await house.issued()
    house.shown(f"Bearer {text}")
    await house.registry.edit(CLAUDE.id, Edit(methods=frozenset({AuthnMethod.CERTIFICATE})))
    assert house.refusal(f"Bearer {text}") is Reason.UNAUTHENTICATED
    await house.registry.edit(CLAUDE.id, Edit(methods=frozenset({AuthnMethod.AGENT_KEY})))
    assert house.shown(f"Bearer {text}") is not None


async def test_a_remembered_key_is_refused_the_moment_its_owner_leaves() -> None:
    house = House()
    text, _ = await house.issued()
    house.shown(f"Bearer {text}")
    await house.registry.owner_left("ada")
    assert house.refusal(f"Bearer {text}") is Reason.REVOKED


async def test_a_remembered_key_is_refused_when_its_time_is_over() -> None:
    house = House()
    text, _ = await house.issued()
    house.shown(f"Bearer {text}")
    house.clock.at += DAY
    assert house.refusal(f"Bearer {text}") is Reason.UNAUTHENTICATED


async def test_a_remembered_key_is_refused_when_its_agents_time_is_over() -> None:
    house = House()
    text, _ = await house.issued(expires_at=house.clock.at + 60)
    house.shown(f"Bearer {text}")
    house.clock.at += 60
    assert house.refusal(f"Bearer {text}") is Reason.UNAUTHENTICATED


async def test_a_rotated_key_stands_until_its_overlap_is_over() -> None:
    house = House()
    old, _ = await house.issued()
    house.shown(f"Bearer {old}")
    new, _ = await house.registry.rotate(CLAUDE.id, DAY, overlap_seconds=60)
    assert house.shown(f"Bearer {old}") is not None
    house.clock.at += 60
    assert house.refusal(f"Bearer {old}") is Reason.UNAUTHENTICATED
    assert house.shown(f"Bearer {new}") is not None


async def test_an_agent_is_noted_as_seen_to_the_minute() -> None:
    house = House()
    text, _ = await house.issued()
    seen = []
    for seconds in (0, 30, 59, 60, 61):
        house.clock.at = 1_000_000.0 + seconds
        house.shown(f"Bearer {text}")
        found = house.registry.agent(CLAUDE.id)
        seen.append(found.seen_at if found else None)
    assert seen == [1_000_000.0, 1_000_000.0, 1_000_000.0, 1_000_060.0, 1_000_060.0]


async def test_two_tokens_that_share_a_prefix_never_share_an_identity_cve_2026_35030() -> None:
    """The flaw was a cache keyed by the first characters of a token: whoever knew them was taken for its owner."""
    house = House()
    text, _ = await house.issued()
    house.shown(f"Bearer {text}")
    for length in range(len("dw_"), len(text)):
        assert house.refusal(f"Bearer {text[:length]}") is Reason.UNAUTHENTICATED
    swapped = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert house.refusal(f"Bearer {swapped}") is Reason.UNAUTHENTICATED


async def test_headers_that_are_remembered_are_bounded() -> None:
    house = House()
    text, _ = await house.issued()
    for spaces in range(1, MOST_KNOWN + 10):
        house.shown("Bearer" + " " * spaces + text)
    assert len(house.keys._known) <= MOST_KNOWN


async def test_networks_that_are_remembered_are_bounded() -> None:
    house = House()
    text, _ = await house.issued()
    for last in range(1000):
        house.shown(f"Bearer {text}", network=f"10.0.{last // 250}.{last % 250}")
    (known,) = house.keys._known.values()
    assert len(known.principals) <= 64


async def test_bad_credentials_are_not_remembered() -> None:
    house = House()
    for number in range(100):
        with pytest.raises(Refused):
            house.shown(f"Bearer dw_{number}")
    assert house.keys._known == {}


async def test_a_key_that_is_revoked_between_the_head_of_a_request_and_its_body_is_refused() -> None:
    house = House()
    text, key = await house.issued()
    request = Presented(f"Bearer {text}", "10.0.0.1", loopback=False)
    house.keys.identify(request)
    await house.registry.revoke_key(key)
    with pytest.raises(Refused) as caught:
        house.keys.identify(request)
    assert caught.value.reason is Reason.REVOKED


async def test_a_clock_that_jumps_ahead_between_head_and_body_ends_a_key_whose_time_is_over_then() -> None:
    house = House()
    text, _ = await house.issued()
    request = Presented(f"Bearer {text}", "10.0.0.1", loopback=False)
    house.keys.identify(request)
    house.clock.at += DAY
    with pytest.raises(Refused) as caught:
        house.keys.identify(request)
    assert caught.value.reason is Reason.UNAUTHENTICATED


async def test_the_digest_of_what_was_presented_is_of_all_of_it() -> None:
    one, other = (Presented(text, "10.0.0.1", loopback=False) for text in ("Bearer dw_a", "Bearer dw_b"))
    assert one.digest == one.digest == sha256(b"Bearer dw_a").digest()
    assert one.digest != other.digest
