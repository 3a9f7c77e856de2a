"""The desk, where callers wait for an answer and others hear of it."""

import asyncio

import anyio
import pytest

from doorward.approval.desk import Terms
from doorward.approval.question import State
from doorward.domain.decisions import Need
from doorward.domain.errors import StoreError
from doorward.domain.ids import GrantId
from tests.approval.house import ASK, BOB, CALL, CAROL, House, asking
from tests.made import call

pytestmark = pytest.mark.anyio

LONG = 60.0
TWO = asking(Need("finance", 2))


@pytest.mark.parametrize("state", [State.APPROVED, State.REJECTED])
async def test_who_waits_is_told_at_once_what_the_answer_is_and_the_store_is_not_asked(state: State) -> None:
    house = House()
    heard: list[State] = []
    reference = await house.asked()

    async def wait() -> None:
        heard.append(await house.desk.answered(reference, LONG))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        asked = house.store.answers
        assert (house.desk.waiting, heard) == (1, [])
        await (house.desk.approve if state is State.APPROVED else house.desk.reject)(reference, BOB)
    assert (heard, house.desk.waiting, house.store.answers) == ([state], 0, asked + 1)


async def test_a_yes_of_several_wakes_nobody() -> None:
    house = House()
    reference = await house.asked(ask=TWO)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.desk.answered, reference, LONG)
        await anyio.wait_all_tasks_blocked()
        await house.desk.approve(reference, BOB)
        await anyio.wait_all_tasks_blocked()
        assert house.desk.waiting == 1
        await house.desk.approve(reference, CAROL)
    assert house.desk.waiting == 0


async def test_patience_ends_while_it_is_pending_still() -> None:
    house = House()
    assert await house.desk.answered(await house.asked(), 0.001) is State.PENDING
    assert await house.desk.answered(GrantId("q1"), 0) is State.PENDING


async def test_what_is_answered_or_unknown_is_told_without_waiting() -> None:
    house = House()
    grant = await house.granted()
    assert await house.desk.answered(grant.id, LONG) is State.APPROVED
    house.desk.used(grant)
    assert await house.desk.answered(grant.id, LONG) is State.USED
    assert await house.desk.answered(GrantId("nothing"), LONG) is State.EXPIRED


async def test_the_end_of_its_time_ends_the_waiting() -> None:
    house, heard = House(Terms(answer_seconds=0.01)), list[State]()
    reference = await house.asked()

    async def wait() -> None:
        heard.append(await house.desk.answered(reference, LONG))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        house.pass_by(0.01)
    assert (heard, house.row(reference).state) == ([State.EXPIRED], State.EXPIRED)


async def test_a_sweep_wakes_who_waits_for_what_has_ended() -> None:
    house, heard = House(), list[State]()
    reference = await house.asked()

    async def wait() -> None:
        heard.append(await house.desk.answered(reference, LONG))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        house.clock.at += Terms().answer_seconds
        await house.desk.sweep()
    assert heard == [State.EXPIRED]


async def test_only_so_many_wait_at_the_same_time() -> None:
    house = House(Terms(most_waiting=1))
    reference = await house.asked()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.desk.answered, reference, LONG)
        await anyio.wait_all_tasks_blocked()
        assert await house.desk.answered(reference, LONG) is State.PENDING
        await house.desk.approve(reference, BOB)


async def test_who_hangs_up_waits_no_more() -> None:
    house = House()
    task = asyncio.ensure_future(house.desk.answered(await house.asked(), LONG))
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert house.desk.waiting == 0


async def test_a_gateway_that_goes_down_keeps_nobody_waiting_and_takes_answers_still() -> None:
    house, heard = House(), list[State]()
    reference = await house.asked()

    async def wait() -> None:
        heard.append(await house.desk.answered(reference, LONG))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        house.desk.close()
    assert (heard, await house.desk.answered(reference, LONG)) == ([State.PENDING], State.PENDING)
    await house.desk.approve(reference, BOB)
    assert (await house.desk.clear(CALL, ASK)).id == reference


async def test_who_waits_after_a_restart_finds_the_answer() -> None:
    house, heard = House(), list[State]()
    reference = await house.asked()
    await house.restart()

    async def wait() -> None:
        heard.append(await house.desk.answered(reference, LONG))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        await house.desk.approve(reference, BOB)
    assert heard == [State.APPROVED]
    assert (await house.desk.clear(CALL, ASK)).id == reference


async def test_everybody_who_wants_to_hears_of_questions_and_answers_once_they_are_durable() -> None:
    house = House()
    told: list[tuple[str, str, State, int]] = []
    house.desk.on_asked(lambda question: told.append(("first", "asked", house.row(question.id).state, len(question.yeses))))
    house.desk.on_asked(lambda question: told.append(("second", "asked", house.row(question.id).state, len(question.yeses))))
    house.desk.on_answered(lambda question: told.append(("", "answered", house.row(question.id).state, len(question.yeses))))
    reference = await house.asked(ask=TWO)
    await house.asked(ask=TWO)
    await house.desk.approve(reference, BOB)
    await house.desk.approve(reference, CAROL)
    await house.desk.reject(reference, CAROL)
    other = await house.asked(call({"amount": 8}))
    house.clock.at += Terms().answer_seconds
    await house.desk.sweep()
    assert house.row(other).state is State.EXPIRED
    assert told == [
        ("first", "asked", State.PENDING, 0),
        ("second", "asked", State.PENDING, 0),
        ("", "answered", State.PENDING, 1),
        ("", "answered", State.APPROVED, 2),
        ("", "answered", State.REJECTED, 2),
        ("first", "asked", State.PENDING, 0),
        ("second", "asked", State.PENDING, 0),
        ("", "answered", State.EXPIRED, 0),
    ]


async def test_nobody_hears_of_what_could_not_be_written() -> None:
    house, told = House(), list[str]()
    house.desk.on_asked(lambda question: told.append(question.id))
    house.store.fails = True
    with pytest.raises(StoreError):
        await house.desk.clear(CALL, ASK)
    assert told == []
