"""The desk, where clocks are set, processes end, and whoever answers hangs up."""

import asyncio

import anyio
import pytest
from msgspec.structs import replace

from doorward.approval.desk import DeskError, Terms
from doorward.approval.question import State
from doorward.config.approvals import Approvals
from doorward.domain.decisions import Need
from doorward.domain.reasons import Reason
from tests.approval.house import ASK, BOB, CALL, CAROL, House, asking
from tests.made import call

pytestmark = pytest.mark.anyio

DAY, HOUR = Terms().answer_seconds, Terms().use_seconds


async def test_expiry_between_asking_and_answering() -> None:
    house = House()
    reference = await house.asked()
    house.pass_by(DAY)
    with pytest.raises(DeskError):
        await house.desk.approve(reference, BOB)
    with pytest.raises(DeskError):
        await house.desk.reject(reference, BOB)
    assert house.row(reference).state is State.EXPIRED


async def test_expiry_between_two_yeses() -> None:
    house = House()
    reference = await house.asked(ask=asking(Need("finance", 2)))
    await house.desk.approve(reference, BOB)
    house.pass_by(DAY)
    with pytest.raises(DeskError):
        await house.desk.approve(reference, CAROL)
    again = await house.asked(ask=asking(Need("finance", 2)))
    assert (again, house.row(again).yeses) == ("q2", ())


async def test_expiry_between_answering_and_using() -> None:
    house = House()
    grant = await house.granted()
    house.pass_by(HOUR)
    assert not house.consumed(grant)
    assert await house.asked() == "q2"


async def test_a_clock_that_is_set_back_revives_neither_question_nor_grant() -> None:
    house = House()
    waiting = await house.asked(call({"amount": 8}))
    grant = await house.granted()
    house.pass_by(DAY)
    house.desk.questions()
    house.clock.at -= DAY
    assert house.desk.questions() == ()
    with pytest.raises(DeskError):
        await house.desk.approve(waiting, BOB)
    assert (await house.refusal()).reason is Reason.PENDING
    assert house.row(grant.id).state is State.EXPIRED


async def test_a_clock_that_is_set_back_makes_nothing_live_longer() -> None:
    house = House()
    grant = await house.granted()
    house.clock.at -= 10 * DAY
    house.passed.at += HOUR - 1
    assert (await house.desk.clear(CALL, ASK)).id == grant.id
    house.passed.at += 1
    assert await house.asked() == "q2"


async def test_a_no_outlives_a_clock_that_is_set_back() -> None:
    house = House()
    await house.desk.reject(await house.asked(), BOB)
    house.clock.at -= DAY
    assert (await house.refusal()).reason is Reason.REJECTED


async def test_a_clock_that_is_set_forward_and_back_ends_what_it_ended_and_no_more_than_that() -> None:
    house = House()
    ended = await house.asked()
    house.clock.at += 365 * DAY
    assert await house.asked() == "q2"
    house.clock.at -= 365 * DAY
    assert house.row(ended).state is State.EXPIRED
    await house.desk.approve((await house.asked()), BOB)
    house.pass_by(HOUR - 1)
    assert (await house.desk.clear(CALL, ASK)).id == "q2"
    house.pass_by(1)
    assert await house.asked() == "q3"


async def test_a_restart_with_a_clock_that_was_set_back_makes_nothing_live_longer() -> None:
    house = House()
    house.clock.at += 365 * DAY
    grant = await house.granted()
    house.clock.at -= 365 * DAY
    await house.restart()
    assert await house.desk.clear(CALL, ASK) == grant
    house.pass_by(HOUR)
    assert await house.asked() == "q2"


async def test_what_ended_while_no_gateway_ran_is_ended_and_told_by_the_first_sweep() -> None:
    house = House()
    waiting, rejected = await house.asked(), await house.asked(call({"amount": 8}))
    await house.desk.reject(rejected, BOB)
    house.pass_by(2 * DAY)
    await house.restart()
    assert house.desk.questions() == ()
    assert [question.id for question in await house.desk.sweep()] == [waiting]
    assert house.row(waiting).state is State.EXPIRED
    assert house.desk._questions == {}


async def test_a_moment_that_is_known_to_have_passed_has_passed_for_whoever_restarts_with_an_old_clock() -> None:
    house = House()
    await house.asked()
    house.pass_by(DAY)
    house.clock.at -= DAY
    house.desk = house.opened()
    await house.desk.load(since=house.clock.at + DAY)
    assert await house.asked() == "q2"


async def test_restart_between_asking_answering_and_using() -> None:
    house = House()
    reference = await house.asked(ask=asking(Need("finance", 2)))
    for by in (BOB, CAROL):
        await house.restart()
        await house.desk.approve(reference, by)
    await house.restart()
    grant = await house.desk.clear(CALL, asking(Need("finance", 2)))
    assert house.consumed(grant)
    await house.restart()
    assert await house.asked(ask=asking(Need("finance", 2))) == "q2"


async def test_a_yes_whose_caller_hung_up_is_found_all_the_same() -> None:
    house = House()
    reference = await house.asked()
    house.store.is_slow = True
    task = asyncio.ensure_future(house.desk.approve(reference, BOB))
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    house.store.is_slow = False
    assert house.row(reference).state is State.APPROVED
    assert (await house.desk.clear(CALL, ASK)).id == reference


async def test_what_the_store_has_lost_is_asked_anew() -> None:
    house = House()
    reference = await house.asked()
    del house.store.rows[reference]
    with pytest.raises(DeskError):
        await house.desk.approve(reference, BOB)
    assert await house.asked() == "q2"


async def test_other_terms_hold_for_what_is_asked_from_then_on() -> None:
    house = House()
    before = await house.asked()
    house.desk.adopt(Terms.of(Approvals(answer_minutes=1, use_minutes=2, pending_per_principal=2)))
    after = await house.asked(call({"amount": 8}))
    now = house.clock.at
    assert [house.row(one).expires_at for one in (before, after)] == [now + DAY, now + 60]
    assert (await house.refusal(call({"amount": 9}))).reason is Reason.OVER_CONCURRENCY
    assert (await house.desk.approve(before, BOB)).expires_at == now + 120


async def test_a_grant_whose_use_nobody_was_told_of_is_asked_anew_once_its_store_is_believed() -> None:
    house = House()
    grant = await house.granted()
    assert house.consumed(grant)
    house.desk.gone(grant)
    assert await house.asked() == "q2"


async def test_the_end_of_what_ended_between_sweeps_is_told_by_the_next_one() -> None:
    house = House()
    first = await house.asked()
    house.pass_by(DAY)
    second = await house.asked()
    assert [(question.id, question.state) for question in await house.desk.sweep()] == [(first, State.EXPIRED)]
    house.store.rows[second] = replace(house.row(second), state=State.REJECTED, revision=7)
    house.pass_by(DAY)
    assert await house.desk.sweep() == ()
