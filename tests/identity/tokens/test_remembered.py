"""Tokens that were verified before: whatever may have changed since, between two calls or between the head of a request and its body."""

import pytest

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event
from doorward.identity.chain import Presented
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import client
from doorward.identity.records import NEVER, Edit, Terms
from doorward.identity.registry import SEEN_EVERY_SECONDS, Registry
from doorward.identity.tokens.source import AccessTokens, Demand, Registered
from tests.identity.stores import Draws, Memory
from tests.identity.tokens.mint import NOW, House, token

pytestmark = pytest.mark.anyio

CLAUDE = Agent(AgentId("claude"), "ada", TeamId("support"), "client")
SUB = Agent(AgentId("sub"), "ada", TeamId("support"), "client")


async def told(_event: Event) -> None:
    """No leaf is written here."""


async def ready(ends: float = NEVER, ends_of_sub: float = NEVER) -> tuple[House, Registry]:
    """The source over a registry with two agents."""
    house = await House().ready()
    registry = Registry(Memory(), Draws(), house.clock)
    enrolment = Enrolment(registry, told, house.clock)
    registered = Registered(enrolment, lambda: registry.version, enrolment.until)
    house.source = AccessTokens(house.trust, registered, house.audience, house.proofs, Demand.ANY, house.clock)
    await registry.enter(CLAUDE, ends, Terms(identities=(client("corp", "abc"),)))
    await registry.enter(SUB, ends_of_sub, Terms(identities=(client("corp", "sub"),)))
    return house, registry


def refusal(house: House, presented: Presented) -> Reason:
    with pytest.raises(Refused) as caught:
        house.source.identify(presented)
    return caught.value.reason


async def test_an_agent_that_is_suspended_between_head_and_body_is_refused_and_known_again_once_it_is_resumed() -> None:
    house, registry = await ready()
    request = house.shown(token())
    before = house.source.identify(request)
    await registry.suspend(AgentId("claude"))
    assert refusal(house, request) is Reason.REVOKED
    await registry.resume(AgentId("claude"))
    assert house.source.identify(request) == before


async def test_an_agent_whose_time_ends_between_head_and_body_is_refused_though_nothing_was_changed() -> None:
    house, registry = await ready(ends=NOW + 10)
    request, version = house.shown(token()), registry.version
    house.source.identify(request)
    house.clock.at = NOW + 9.9
    assert house.source.identify(request) is not None
    house.clock.at = NOW + 10
    assert refusal(house, request) is Reason.UNAUTHENTICATED
    assert registry.version == version


async def test_an_agent_that_may_not_prove_itself_by_tokens_any_more_is_refused() -> None:
    house, registry = await ready()
    request = house.shown(token())
    house.source.identify(request)
    await registry.edit(AgentId("claude"), Edit(methods=frozenset({AuthnMethod.AGENT_KEY})))
    assert refusal(house, request) is Reason.UNAUTHENTICATED


async def test_an_agent_of_the_chain_whose_time_ends_takes_the_token_with_it() -> None:
    house, _ = await ready(ends_of_sub=NOW + 10)
    request = house.shown(token(act={"sub": "sub"}))
    found = house.source.identify(request)
    assert found is not None
    assert {found.agent.id, *[actor.agent.id for actor in found.actors]} == {"claude", "sub"}
    house.clock.at = NOW + 10
    assert refusal(house, request) is Reason.UNAUTHENTICATED


async def test_a_clock_that_is_set_forward_ends_what_its_new_time_ends() -> None:
    house, _ = await ready()
    request = house.shown(token())
    house.source.identify(request)
    house.clock.at = NOW + 3_600
    assert refusal(house, request) is Reason.UNAUTHENTICATED


async def test_an_issuer_that_is_left_out_between_head_and_body_takes_its_tokens_with_it() -> None:
    house, _ = await ready()
    request = house.shown(token())
    house.source.identify(request)
    house.trust.adopt({}, None)
    assert refusal(house, request) is Reason.UNAUTHENTICATED


async def test_an_agent_that_goes_on_is_noted_as_seen_to_the_minute() -> None:
    house, registry = await ready()
    request = house.shown(token(exp=NOW + 3000))
    for at in (0.0, 1.0, SEEN_EVERY_SECONDS, SEEN_EVERY_SECONDS + 1):
        house.clock.at = NOW + at
        house.source.identify(request)
    seen = registry.agent(AgentId("claude"))
    assert seen is not None
    assert seen.seen_at == NOW + SEEN_EVERY_SECONDS
