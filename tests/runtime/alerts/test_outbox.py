"""Letters of one sink: in order, again and again while it fails, counted where they are given up."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from doorward.domain.alerts import Alert
from doorward.runtime.alerts.letter import Letter
from doorward.runtime.alerts.outbox import DELIVER_SECONDS, KEPT_SECONDS, WAITING, Means, Outbox, Standing
from doorward.runtime.alerts.sink import TurnedDownError
from tests.loops import JumpingLoop
from tests.runtime.alerts.sinking import FakeSink, loop_time, made

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": JumpingLoop}


def means(told: list[tuple[str, str]] | None = None, now: Callable[[], float] = loop_time) -> Means:
    def letter(alert: Alert, count: int) -> Letter:
        return made(alert, count, "missed", loop_time())

    def say(sink: str, why: str) -> None:
        if told is not None:
            told.append((sink, why))

    return Means(letter, say, now, loop_time)


@asynccontextmanager
async def running(box: Outbox) -> AsyncIterator[Outbox]:
    async with anyio.create_task_group() as group:
        group.start_soon(box.run)
        yield box
        box.close()


def numbered(*numbers: int) -> list[Letter]:
    return [made(number=str(number), at=loop_time()) for number in numbers]


async def test_letters_are_delivered_in_their_order() -> None:
    sink = FakeSink()
    async with running(Outbox(sink, means())) as box:
        for one in numbered(1, 2, 3):
            box.put(one)
        await box.settled()
    assert [one.id for one in sink.took] == ["1", "2", "3"]
    assert box.standing() == Standing("chat", "", 0, 0, 3, loop_time())


async def test_a_sink_that_fails_is_tried_later_and_later_and_told_of_with_its_end() -> None:
    sink, told = FakeSink(failure="no route"), list[tuple[str, str]]()
    async with running(Outbox(sink, means(told))) as box:
        began = loop_time()
        box.put(numbered(1)[0])
        await asyncio.sleep(100)
        assert [at - began for at in sink.attempts] == [0, 1, 3, 7, 15, 31, 63]
        assert box.standing() == Standing("chat", "no route", 1, 0, 0, None)
        sink.failure = ""
        await asyncio.sleep(60)
    assert ([one.id for one in sink.took], told) == (["1"], [("chat", "no route")] * 7 + [("chat", "")])


async def test_a_letter_is_given_up_after_its_time_and_the_sink_hears_how_many_once_it_is_back() -> None:
    sink = FakeSink(failure="no route")
    async with running(Outbox(sink, means())) as box:
        for one in numbered(1, 2):
            box.put(one)
        await asyncio.sleep(KEPT_SECONDS + 200)
        assert box.standing().dropped == 2
        sink.failure = ""
        box.put(numbered(3)[0])
        await asyncio.sleep(100)
    assert [one.id for one in sink.took] == ["3", "missed"]
    assert sink.took[1].sentence.startswith("2 alerts could not be sent to chat")


class Picky(FakeSink):
    """Takes every letter but one: whoever named what it is about had a web application firewall in mind."""

    async def deliver(self, one: Letter) -> str:
        self.attempts.append(loop_time())
        if one.id == "1":
            raise TurnedDownError("expected a status of 2xx, got 403")
        self.took.append(one)
        return "204"


async def test_a_letter_that_is_turned_down_holds_up_none_of_the_others() -> None:
    sink = Picky()
    async with running(Outbox(sink, means())) as box:
        for one in numbered(1, 2, 3, 4):
            box.put(one)
        await asyncio.sleep(2)
        assert [one.id for one in sink.took] == ["2", "3", "4"]
        await asyncio.sleep(600)
        assert len(sink.attempts) < 30
        box.put(numbered(5)[0])
        await asyncio.sleep(1)
        assert [one.id for one in sink.took] == ["2", "3", "4", "5"]
        await asyncio.sleep(KEPT_SECONDS)
        assert (box.waiting, box.standing().dropped) == (0, 1)


async def test_a_clock_that_jumps_makes_no_letter_old() -> None:
    sink, jump = FakeSink(failure="no route"), 0.0
    async with running(Outbox(sink, means(now=lambda: loop_time() + jump))) as box:
        box.put(numbered(1)[0])
        await asyncio.sleep(2)
        jump = 10 * KEPT_SECONDS
        await asyncio.sleep(100)
        sink.failure = ""
        await asyncio.sleep(100)
    assert [one.id for one in sink.took] == ["1"]


async def test_more_letters_than_are_kept_are_counted() -> None:
    sink = FakeSink(failure="no route")
    async with running(Outbox(sink, means())) as box:
        for one in numbered(*range(WAITING + 5)):
            box.put(one)
        assert (box.waiting, box.standing().dropped) == (WAITING, 5)
        sink.failure = ""
        await asyncio.sleep(60)
    assert [one.id for one in sink.took[:3]] == ["0", "missed", "1"]
    assert len(sink.took) == WAITING + 1


async def test_a_mended_sink_gets_what_waits_at_once() -> None:
    box = Outbox(FakeSink(failure="no route"), means())
    mended = FakeSink()
    async with running(box):
        box.put(numbered(1)[0])
        await asyncio.sleep(40)
        box.adopt(mended)
        at = loop_time()
        while not mended.took:  # noqa: ASYNC110 -- the sink sets no event
            await asyncio.sleep(0)
    assert mended.attempts == [at]


async def test_a_sink_that_hangs_or_breaks_in_its_own_way_has_failed() -> None:
    class Broken(FakeSink):
        async def deliver(self, one: Letter) -> str:
            raise KeyError("hunter2")

    began = loop_time()
    assert await Outbox(FakeSink(hangs=True), means()).tried(made()) == (f"no end within {DELIVER_SECONDS:g} s", False)
    assert loop_time() - began == DELIVER_SECONDS
    assert await Outbox(Broken(), means()).tried(made()) == ("it failed with KeyError", False)
