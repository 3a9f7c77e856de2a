"""Whatever people connect, use, break and revoke at the same time: no call is ever made with another's account (a law)."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.credentials.connections.connection import EVERY_AGENT, OWN, Holder
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, LeaseId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.domain.secret import Secret
from tests.credentials.connections.world import ALICE, BOB, URL, House, Service, a_use
from tests.made import Clock

HOLDERS = st.sampled_from([ALICE, BOB, OWN])
AGENTS = st.sampled_from(["claude", "cursor"])
STEPS = st.one_of(
    st.tuples(st.just("connect"), HOLDERS, st.sampled_from([EVERY_AGENT, AgentId("cursor")])),
    st.tuples(st.just("call"), HOLDERS, AGENTS),
    st.tuples(st.just("refuse"), HOLDERS, AGENTS),
    st.tuples(st.just("revoke"), HOLDERS, AGENTS),
    st.tuples(st.just("end"), HOLDERS, AGENTS),
    st.tuples(st.just("later"), st.sampled_from([10, 3500, 3600]), AGENTS),
)


def account(holder: Holder, agent: AgentId) -> str:
    """How the account is called that a holder connects at a place."""
    return f"{holder.replace(':', '.')}+{'all' if agent == EVERY_AGENT else agent}"


class Run:
    """A house, and what the calls in it were made with."""

    def __init__(self) -> None:
        wall = Clock(1_795_003_200.0)
        self.house = House(Service(wall), wall=wall)

    async def step(self, kind: str, first: Any, second: Any) -> None:
        house = self.house
        match kind:
            case "connect":
                await house.connect(first, account(first, second), second)
            case "call":
                await self.call(first, second)
            case "refuse":
                self.turn_down(first, second)
            case "revoke":
                for one in house.connections.of(first)[:1]:
                    await house.connections.revoke(one.id, "ada")
            case "end":
                for family in house.service.families[-1:]:
                    family.is_ended = True
            case "later":
                house.later(first)

    async def call(self, holder: Holder, agent: str) -> None:
        try:
            who = await self.house.who(holder, agent)
        except (Refused, DoorwardError):
            return
        assert who in {account(holder, AgentId(agent)), account(holder, EVERY_AGENT)}, (holder, agent, who)

    def turn_down(self, holder: Holder, agent: str) -> None:
        """The upstream refuses the newest token there is, whoever's it is said to be."""
        tokens = list(self.house.service.access)[-1:]
        for token in tokens:
            lease = Lease(LeaseId("l1"), "user", URL, "", (("Authorization", Secret(f"Bearer {token}")),))
            self.house.mint.turned_down(a_use(holder, agent), lease, "")


@settings(max_examples=120, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=8), min_size=1, max_size=8))
def test_no_call_is_made_with_anothers_account(rounds: list[list[tuple[str, Any, Any]]]) -> None:
    async def all_of_it() -> None:
        run = Run()
        await run.house.open()
        for steps in rounds:
            await asyncio.gather(*(run.step(*step) for step in steps))
            for holder in (ALICE, BOB, OWN):
                for agent in ("claude", "cursor"):
                    await run.call(holder, agent)

    asyncio.run(all_of_it())


def test_a_crowd_of_two_people_gets_each_their_own_through_refreshes() -> None:
    async def all_of_it() -> None:
        run = Run()
        house = await run.house.open()
        for holder in (ALICE, BOB):
            await house.connect(holder, account(holder, EVERY_AGENT))
        for _ in range(5):
            house.later(3600)
            house.service.held = asyncio.Event()
            calls = [asyncio.create_task(house.who(holder)) for _ in range(100) for holder in (ALICE, BOB)]
            await asyncio.sleep(0.01)
            house.service.held.set()
            assert await asyncio.gather(*calls) == [account(ALICE, EVERY_AGENT), account(BOB, EVERY_AGENT)] * 100
        assert house.service.count("/token") == 2 + 2 * 5

    asyncio.run(all_of_it())
