"""A deadline that moves often rings once, when it is met."""

import asyncio

import pytest

from doorward.net.deadline import Deadline

pytestmark = pytest.mark.anyio


async def test_deadline_rings_when_its_last_place_is_met_and_not_before() -> None:
    loop = asyncio.get_running_loop()
    rung = loop.create_future()
    deadline = Deadline(loop, lambda: rung.set_result(loop.time()))
    begun = loop.time()
    deadline.move(begun + 0.01)
    deadline.move(begun + 0.05)
    deadline.move(begun + 0.03)
    assert await rung >= begun + 0.03


async def test_stopped_deadline_never_rings() -> None:
    loop = asyncio.get_running_loop()
    rung: list[bool] = []
    deadline = Deadline(loop, lambda: rung.append(True))
    deadline.move(loop.time() + 0.01)
    deadline.stop()
    await asyncio.sleep(0.03)
    assert rung == []


async def test_moving_later_sets_no_timer() -> None:
    loop = asyncio.get_running_loop()
    deadline = Deadline(loop, lambda: None)
    deadline.move(loop.time() + 1)
    timer = deadline._timer
    deadline.move(loop.time() + 2)
    assert deadline._timer is timer
    deadline.stop()
