"""Processes that hold people's own accounts: each person's has that person's token, renewed, and nobody else's."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.credentials.broker import Broker, Sources
from doorward.credentials.connections.connection import EVERY_AGENT, Holder, Place
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import NoMint
from doorward.credentials.plan import Environment, Process
from doorward.credentials.process import ProcessMint
from doorward.domain.actors import Principal
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Reason, Refused
from tests.credentials.connections.world import ALICE, BOB, UPSTREAM, House, Service, a_use
from tests.made import Clock

pytestmark = pytest.mark.anyio

PLAN = Process("stdio:crm", "user", Environment("stdio:crm", ()), (("TOKEN", "${credential}"),), None)


class Street:
    """A house with connections, and the broker in front of its processes."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.leases = 0
        self.broker = Broker({UPSTREAM: PLAN}, Sources(self._mint, Fingerprints(b"k" * 32), house.ticks, house.wall, self._new_id))
        self.withdrawn: list[tuple[UpstreamId, str]] = []
        self.broker.follow(lambda upstream, account: self.withdrawn.append((upstream, account)))

    def _mint(self, upstream: UpstreamId, plan: object) -> ProcessMint:
        return ProcessMint(PLAN, NoMint(), self.house.mint)

    def _new_id(self) -> str:
        self.leases += 1
        return f"lease{self.leases}"

    async def lease(self, holder: Holder | None, agent: str = "claude") -> Lease:
        return await self.broker.lease(a_use(holder, agent))

    def who(self, lease: Lease) -> str:
        """Whose account the token in an environment opens."""
        ((name, token),) = lease.environment
        assert name == "TOKEN"
        return self.house.service.who(f"Bearer {token.reveal()}")


async def street(*connected: tuple[Holder, str]) -> Street:
    wall = Clock(1_795_003_200.0)
    house = House(Service(wall), wall=wall)
    await house.open()
    made = Street(house)
    for holder, who in connected:
        await made.house.connect(holder, who)
    return made


async def test_the_account_of_a_process_stays_while_its_token_is_renewed() -> None:
    made = await street((ALICE, "alice"), (BOB, "bob"))
    first = await made.lease(ALICE)
    made.house.later(3600)
    second = await made.lease(ALICE, "cursor")
    assert (made.who(second), first.account == second.account, first.environment == second.environment) == ("alice", True, False)
    assert (await made.lease(BOB)).account != first.account


async def test_another_account_of_the_same_person_is_another_process() -> None:
    made = await street((ALICE, "alice"))
    await made.house.connect(ALICE, "alice-at-work", AgentId("cursor"))
    usual, work = await made.lease(ALICE), await made.lease(ALICE, "cursor")
    assert (made.who(usual), made.who(work), usual.account == work.account) == ("alice", "alice-at-work", False)


async def test_whoever_is_withdrawn_is_told_of_with_the_account_of_their_process_and_nobody_else_is() -> None:
    made = await street((ALICE, "alice"), (BOB, "bob"))
    alices = await made.lease(ALICE)
    await made.lease(BOB)

    def is_alice(principal: Principal) -> bool:
        return principal.subject is not None and f"user:{principal.subject.id}" == ALICE

    made.broker.withdraw(is_alice)
    assert made.withdrawn == [(UPSTREAM, alices.account)]


async def test_a_revoked_connection_is_told_of_at_once() -> None:
    made = await street((ALICE, "alice"), (BOB, "bob"))
    places: list[Place] = []
    made.house.connections.follow(places.append)
    (connection,) = made.house.connections.of(ALICE)
    await made.house.connections.revoke(connection.id, "ada")
    assert places == [Place(ALICE, UPSTREAM, EVERY_AGENT)]


async def test_what_is_withdrawn_at_another_upstream_stays_here() -> None:
    made = await street((ALICE, "alice"))
    held = await made.lease(ALICE)
    made.broker.withdraw(lambda principal: True, UpstreamId("elsewhere"))
    assert (await made.lease(ALICE), made.withdrawn) == (held, [])


async def test_nobody_gets_a_process_without_a_connection_or_without_a_person() -> None:
    made = await street((ALICE, "alice"))
    for holder, reason in ((BOB, Reason.CONSENT_NEEDED), (None, Reason.NO_CREDENTIAL)):
        with pytest.raises(Refused) as caught:
            await made.lease(holder)
        assert caught.value.reason is reason


NAMES = {ALICE: "alice", BOB: "bob"}
STEPS = st.tuples(
    st.sampled_from(["call", "call", "call", "connect", "revoke", "later"]), st.sampled_from([ALICE, BOB]), st.sampled_from("ab")
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=8))
def test_no_environment_ever_holds_anothers_token(rounds: list[list[tuple[str, Holder, str]]]) -> None:
    async def step(made: Street, owners: dict[str, Holder], what: str, holder: Holder, agent: str) -> None:
        match what:
            case "connect":
                await made.house.connect(holder, NAMES[holder], EVERY_AGENT)
            case "revoke":
                for one in made.house.connections.of(holder)[:1]:
                    await made.house.connections.revoke(one.id, "ada")
            case "later":
                made.house.later(3590)
            case _:
                try:
                    lease = await made.lease(holder, agent)
                except Refused:
                    return
                assert made.who(lease) == NAMES[holder]
                assert owners.setdefault(lease.account, holder) == holder

    async def all_of_it() -> None:
        made, owners = await street((ALICE, "alice"), (BOB, "bob")), dict[str, Holder]()
        for steps in rounds:
            await asyncio.gather(*(step(made, owners, *one) for one in steps))

    asyncio.run(all_of_it())
