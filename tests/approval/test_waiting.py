"""Those who wait for an answer."""

import asyncio

import anyio
import pytest

from doorward.approval.waiting import Waiting
from doorward.domain.ids import GrantId

pytestmark = pytest.mark.anyio

ONE, OTHER = GrantId("q1"), GrantId("q2")
LONG = 60.0


async def test_everybody_who_waits_for_a_question_is_woken_and_nobody_else() -> None:
    waiting, woken = Waiting(), []

    async def wait(reference: GrantId) -> None:
        await waiting.on(reference, LONG, 10)
        woken.append(reference)

    async with anyio.create_task_group() as tasks:
        for reference in (ONE, ONE, OTHER):
            tasks.start_soon(wait, reference)
        await anyio.wait_all_tasks_blocked()
        assert waiting.count == 3
        waiting.wake(ONE)
        await anyio.wait_all_tasks_blocked()
        assert (woken, waiting.count) == ([ONE, ONE], 1)
        waiting.wake(OTHER)
    assert waiting.count == 0
    assert waiting._by_question == {}


async def test_patience_ends() -> None:
    waiting = Waiting()
    await waiting.on(ONE, 0.001, 10)
    assert waiting.count == 0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_whoever_has_no_patience_does_not_wait(seconds: float) -> None:
    await Waiting().on(ONE, seconds, 10)


async def test_only_so_many_wait() -> None:
    waiting = Waiting()
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(waiting.on, ONE, LONG, 2)
        await anyio.wait_all_tasks_blocked()
        await waiting.on(ONE, LONG, 2)
        assert waiting.count == 2
        waiting.wake(ONE)


async def test_whoever_is_cancelled_waits_no_more() -> None:
    waiting = Waiting()
    task = asyncio.ensure_future(waiting.on(ONE, LONG, 2))
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (waiting.count, waiting._by_question) == (0, {})


async def test_once_it_is_closed_nobody_waits() -> None:
    waiting = Waiting()
    async with anyio.create_task_group() as tasks:
        for reference in (ONE, OTHER):
            tasks.start_soon(waiting.on, reference, LONG, 10)
        await anyio.wait_all_tasks_blocked()
        waiting.close()
    await waiting.on(ONE, LONG, 10)
    assert waiting.count == 0
