"""Connections of the load, and who of them asks next."""

import asyncio
import time

import pytest

from bench.lines import Line, Load, Pattern
from bench.speech import ECHO, FIRST, Asking, Era, Target
from bench.upstream import Answers

pytestmark = pytest.mark.anyio


class _Kept(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.sent.append(data)

    def answer(self, line: Line) -> None:
        """Lets the upstream answer what was sent last."""
        line.data_received(Answers().to(b"/mcp", self.sent[-1].partition(b"\r\n\r\n")[2]))


def _line(load: Load) -> tuple[Line, _Kept]:
    line, kept = Line(load, Asking(Target(1, "/mcp", Era.EXCHANGE), ECHO, "salt"), lambda body, number: None), _Kept()
    line.connection_made(kept)
    return line, kept


async def test_a_call_that_had_to_wait_for_a_connection_took_since_it_was_due() -> None:
    load = Load()
    line, kept = _line(load)
    load.opened([line])
    load.first = 0.0
    now = time.perf_counter()
    load.arrive(now - 100)
    load.arrive(now - 50)
    assert (len(kept.sent), load.under_way) == (1, 1)
    kept.answer(line)
    assert (len(kept.sent), load.under_way) == (2, 1)
    kept.answer(line)
    assert ([int(took) for took in load.latencies], load.under_way, load.wrong) == ([100, 50], 0, 0)


async def test_in_an_open_loop_those_count_that_were_due_within_the_time() -> None:
    load = Load()
    load.opened([])
    load.first, load.last = 10.0, 20.0
    for due in (9.9, 10.0, 19.9, 20.0):
        load.took(due)
    assert len(load.latencies) == 2


async def test_in_a_closed_loop_the_next_call_follows_the_answer() -> None:
    load = Load()
    line, kept = _line(load)
    line.ask()
    kept.answer(line)
    assert [b"%d" % (FIRST + number) in sent for number, sent in enumerate(kept.sent)] == [True, True]
    load.is_asking = False
    kept.answer(line)
    assert (len(kept.sent), load.under_way) == (2, 0)


async def test_an_answer_that_nobody_asked_for_is_wrong_even_if_it_is_like_the_last() -> None:
    load = Load()
    line, kept = _line(load)
    load.is_asking = False
    line.ask()
    kept.answer(line)
    kept.answer(line)
    assert load.wrong == 1


def test_a_pattern_fits_the_same_answer_to_another_request_and_nothing_else() -> None:
    pattern = Pattern(b'{"id":100000001,"text":"100% of x-100000001"}', b"100000001")
    assert pattern.fits(b'{"id":100000002,"text":"100% of x-100000002"}', 100000002)
    assert not pattern.fits(b'{"id":100000002,"text":"100% of x-100000001"}', 100000002)
    assert not pattern.fits(b'{"id":100000002,"text":"100% of y-100000002"}', 100000002)
    assert not pattern.fits(b'{"id":100000002,"text":"100% of x-100000002"}', 100000003)


@pytest.mark.parametrize("raw", [b"", b"100000001", b"100000001 100000001 100000001"])
def test_an_answer_without_both_numbers_makes_no_pattern(raw: bytes) -> None:
    assert not Pattern(raw, b"100000001").fits(raw, 100000001)
