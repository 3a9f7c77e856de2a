"""Callers without a credential."""

import pytest

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.anonymous import Anonymous
from doorward.identity.chain import Presented
from doorward.identity.records import Terms
from doorward.identity.registry import NEVER, Registry, RegistryError
from tests.identity.stores import Draws, Memory
from tests.made import Clock

LOCAL = Agent(AgentId("tour"), "anonymous", TeamId("local"), "anonymous")


def registry() -> Registry:
    return Registry(Memory(), Draws(), Clock())


@pytest.mark.parametrize("network", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "local"])
def test_a_caller_on_this_machine_is_the_declared_agent(network: str) -> None:
    found = Anonymous(LOCAL, registry()).identify(Presented(None, network, loopback=True))
    assert found is not None
    assert (found.agent, found.method, found.network) == (LOCAL, AuthnMethod.ANONYMOUS, network)


@pytest.mark.parametrize(
    "presented",
    [
        Presented(None, "127.0.0.1", loopback=False),
        Presented(None, "10.0.0.1", loopback=True),
        Presented(None, "::ffff:10.0.0.1", loopback=True),
        Presented(None, "localhost", loopback=True),
        Presented(None, "", loopback=True),
        Presented("", "127.0.0.1", loopback=True),
        Presented("Bearer dw_wrong", "127.0.0.1", loopback=True),
        Presented("Basic YTpi", "127.0.0.1", loopback=True),
    ],
    ids=lambda presented: f"{presented.authorization!r} from {presented.network} loopback={presented.loopback}",
)
def test_nobody_else_is(presented: Presented) -> None:
    source = Anonymous(LOCAL, registry())
    assert source.identify(presented) is None
    assert source.identify(Presented(None, "127.0.0.1", loopback=True)) is not None
    assert source.identify(presented) is None


def test_a_caller_is_the_same_principal_again_and_one_from_elsewhere_is_another() -> None:
    source = Anonymous(LOCAL, registry())
    first, again, other = [source.identify(Presented(None, network, loopback=True)) for network in ("127.0.0.1", "127.0.0.1", "::1")]
    assert first is again
    assert (first and first.network, other and other.network) == ("127.0.0.1", "::1")


@pytest.mark.anyio
async def test_a_declared_agent_that_is_registered_and_suspended_stays_out() -> None:
    known = registry()
    await known.enter(LOCAL, NEVER, Terms(methods=frozenset({AuthnMethod.ANONYMOUS})))
    assert Anonymous(LOCAL, known).identify(Presented(None, "127.0.0.1", loopback=True)) is not None
    await known.suspend(LOCAL.id)
    with pytest.raises(Refused) as caught:
        Anonymous(LOCAL, known).identify(Presented(None, "127.0.0.1", loopback=True))
    assert caught.value.reason is Reason.REVOKED


@pytest.mark.anyio
async def test_a_registered_agent_that_must_prove_itself_is_not_there_for_anybody() -> None:
    known = registry()
    await known.add(LOCAL, NEVER, 60)
    with pytest.raises(Refused) as caught:
        Anonymous(LOCAL, known).identify(Presented(None, "127.0.0.1", loopback=True))
    assert caught.value.reason is Reason.UNAUTHENTICATED


@pytest.mark.anyio
async def test_a_declared_agent_that_is_registered_ends_when_it_is_said_there() -> None:
    clock = Clock()
    known = Registry(Memory(), Draws(), clock)
    await known.enter(LOCAL, clock.at + 60, Terms(methods=frozenset({AuthnMethod.ANONYMOUS})))
    clock.at += 60
    with pytest.raises(Refused) as caught:
        Anonymous(LOCAL, known).identify(Presented(None, "127.0.0.1", loopback=True))
    assert caught.value.reason is Reason.UNAUTHENTICATED


def test_the_gateways_own_name_cannot_be_declared() -> None:
    with pytest.raises(RegistryError):
        Anonymous(Agent(AgentId("doorward"), "x", TeamId("x"), "x"), registry())
