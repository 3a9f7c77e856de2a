"""The desk, where policy asks several people: all of them, each once, none of them for themselves."""

import anyio
import pytest
from msgspec.structs import replace

from doorward.approval.desk import Approver, DeskError, Terms
from doorward.approval.question import State
from doorward.domain.decisions import Need
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason
from tests.approval.house import ASK, BOB, CALL, CAROL, DAN, House, asking, call_for

pytestmark = pytest.mark.anyio

TWO = asking(Need("finance", 2))
BOTH = asking(Need("finance", 2), Need("ops"))


async def test_so_many_different_people_of_each_team_must_say_yes() -> None:
    house = House()
    reference = await house.asked(ask=BOTH)
    assert (await house.refusal(ask=BOTH)).detail == "question q1 waits for 2 more of finance, 1 more of ops"
    assert (await house.desk.approve(reference, CAROL)).state is State.PENDING
    assert (await house.refusal(ask=BOTH)).reason is Reason.PENDING
    assert (await house.desk.approve(reference, DAN)).state is State.PENDING
    house.clock.at += 60
    approved = await house.desk.approve(reference, Approver("bob", frozenset({"finance"})))
    assert (approved.state, approved.decided_by, approved.expires_at) == (State.APPROVED, "bob", house.clock.at + Terms().use_seconds)
    assert (await house.desk.clear(CALL, BOTH)).approved_by == "carol, dan, bob"


async def test_one_person_counts_for_every_team_they_speak_for_and_once_for_each() -> None:
    house = House()
    reference = await house.asked(ask=BOTH)
    await house.desk.approve(reference, BOB)
    assert (await house.desk.approve(reference, CAROL)).state is State.APPROVED


@pytest.mark.parametrize("again", [BOB, Approver("corp:Bob", BOB.teams), Approver("x", BOB.teams, frozenset({"bob@example.com"}))])
async def test_nobody_counts_twice_by_whatever_name(again: Approver) -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB)
    with pytest.raises(DeskError, match="has said yes already"):
        await house.desk.approve(reference, again)
    assert [yes.by for yes in house.row(reference).yeses] == ["bob"]


async def test_who_speaks_for_another_team_since_says_yes_for_it_too() -> None:
    house = House()
    reference = await house.asked(ask=asking(Need("finance"), Need("ops")))
    await house.desk.approve(reference, Approver("bob", frozenset({"finance"})))
    approved = await house.desk.approve(reference, Approver("corp:bob", frozenset({"finance", "ops"})))
    assert (approved.state, [(yes.by, yes.teams) for yes in approved.yeses]) == (State.APPROVED, [("bob", frozenset({"finance", "ops"}))])


async def test_racing_approvals_all_count() -> None:
    house = House()
    ask = asking(Need("finance", 9))
    reference = await house.asked(ask=ask)
    people = [Approver(f"p{at}", frozenset({"finance"})) for at in range(9)]
    async with anyio.create_task_group() as tasks:
        for person in people:
            tasks.start_soon(house.desk.approve, reference, person)
    assert {yes.by for yes in house.row(reference).yeses} == {person.name for person in people}
    assert house.row(reference).state is State.APPROVED
    assert house.desk.question(reference) == house.row(reference)


async def test_of_racing_approvals_by_one_person_one_counts() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    late: list[DeskError] = []

    async def approve() -> None:
        try:
            await house.desk.approve(reference, BOB)
        except DeskError as error:
            late.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(approve)
    assert (len(house.row(reference).yeses), house.row(reference).state, len(late)) == (1, State.PENDING, 2)


async def test_a_yes_races_the_end_of_its_time_and_one_of_them_holds() -> None:
    house = House()
    reference = await house.asked()
    house.clock.at += Terms().answer_seconds - 1

    async def end() -> None:
        house.clock.at += 1
        await house.desk.sweep()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.desk.approve, reference, BOB)
        tasks.start_soon(end)
    assert house.row(reference).state is State.APPROVED
    assert (await house.desk.clear(CALL, ASK)).id == reference


async def test_yeses_survive_a_restart_and_the_rest_is_still_needed() -> None:
    house = House()
    reference = await house.asked(ask=BOTH)
    await house.desk.approve(reference, CAROL)
    await house.restart()
    with pytest.raises(DeskError, match="has said yes already"):
        await house.desk.approve(reference, CAROL)
    assert (await house.desk.approve(reference, BOB)).state is State.APPROVED
    assert (await house.desk.clear(CALL, BOTH)).approved_by == "carol, bob"


async def test_a_record_of_before_there_were_needs_waits_for_one_of_each_team() -> None:
    house = House()
    reference = await house.asked(ask=asking(Need("finance"), Need("ops")))
    house.store.rows[reference] = replace(house.row(reference), needs=())
    await house.restart()
    assert (await house.desk.approve(reference, CAROL)).state is State.PENDING
    assert (await house.desk.approve(reference, DAN)).state is State.APPROVED


async def test_a_grant_of_before_there_were_yeses_names_who_gave_it() -> None:
    house = House()
    grant = await house.granted()
    house.store.rows[grant.id] = replace(house.row(grant.id), yeses=(), needs=())
    await house.restart()
    assert await house.desk.clear(CALL, ASK) == grant


async def test_one_no_ends_what_others_have_said_yes_to() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB)
    await house.desk.reject(reference, CAROL)
    assert (await house.refusal(ask=TWO)).reason is Reason.REJECTED


DOORS = {
    "the peer of the socket": Approver("alice", frozenset({"finance"})),
    "a browser's session": Approver("corp:alice", frozenset({"finance"}), frozenset({"Alice A."})),
    "a command's session": Approver("corp:00u1x7", frozenset({"finance"}), frozenset({"Alice", "alice@example.com"})),
    "an answer of a webhook": Approver("corp:alice", frozenset({"finance"})),
}


@pytest.mark.parametrize("door", DOORS)
async def test_whom_the_agent_acts_for_never_approves_through_any_door_even_where_owners_may(door: str) -> None:
    house, call = House(), call_for("corp:alice")
    reference = await house.asked(call, asking(Need("finance", owner_may=True)))
    with pytest.raises(DeskError, match="whom the agent acts for"):
        await house.desk.approve(reference, DOORS[door])
    with pytest.raises(DeskError, match="whom the agent acts for"):
        await house.desk.approve(reference, DOORS[door], {"amount": 1})
    assert house.row(reference).yeses == ()


@pytest.mark.parametrize("door", DOORS)
async def test_who_owns_an_agent_of_the_chain_approves_only_what_says_so(door: str) -> None:
    house, call = House(), call_for("corp:zoe", "ben", "Alice")
    reference = await house.asked(call, asking(Need("finance"), Need("ops", owner_may=True)))
    with pytest.raises(DeskError, match="who owns the agent"):
        await house.desk.approve(reference, DOORS[door])
    asked = await house.desk.approve(reference, replace(DOORS[door], teams=frozenset({"finance", "ops"})))
    assert [(yes.teams, asked.state) for yes in asked.yeses] == [(frozenset({"ops"}), State.PENDING)]


async def test_nobody_answers_what_asks_nobody() -> None:
    house = House()
    reference = await house.asked(ask=asking())
    for answer in (house.desk.approve, house.desk.reject):
        with pytest.raises(DeskError):
            await answer(GrantId(reference), BOB)
