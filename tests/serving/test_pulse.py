"""The heartbeat of long waits."""

import asyncio

import pytest

from doorward.serving.pulse import Pulse

pytestmark = pytest.mark.anyio


class Beaten:
    def __init__(self) -> None:
        self.beats = 0

    async def beat(self) -> None:
        self.beats += 1


class Broken:
    async def beat(self) -> None:
        raise ValueError


def test_each_is_due_after_its_own_wait_and_again_after_the_next() -> None:
    now = 0.0
    found = []
    pulse = Pulse(15, lambda: now)
    early, late = Beaten(), Beaten()
    pulse.enter(early)
    now = 5
    pulse.enter(late)
    for now in (14, 15, 19, 20, 29, 30, 35):  # noqa: B007 -- the clock reads it
        found += [pulse.due()]
    assert found == [(), (early,), (), (late,), (), (early,), (late,)]


def test_one_that_has_left_is_not_due() -> None:
    now = 0.0
    pulse = Pulse(15, lambda: now)
    gone = Beaten()
    pulse.enter(gone)
    pulse.leave(gone)
    pulse.leave(gone)
    now = 100
    assert pulse.due() == ()


async def test_running_pulse_beats_for_all_whatever_fails_and_ends_when_cancelled() -> None:
    now = 0.0
    pulse = Pulse(15, lambda: now)
    waiting = Beaten()
    pulse.enter(Broken())
    pulse.enter(waiting)
    ticks: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(seconds: float) -> None:
        await ticks.get()

    running = asyncio.create_task(pulse.run(sleep))
    for now in (15, 16, 30):  # noqa: B007 -- the clock reads it
        ticks.put_nowait(None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert waiting.beats == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
