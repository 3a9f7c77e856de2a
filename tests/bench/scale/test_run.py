"""The chapters, each with next to nothing, so that none of them is found broken on the day it is needed."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.gateway import POLICIES, calls_document, write
from bench.measure import server
from bench.scale import calls, held, log
from bench.scale.__main__ import _together, main
from bench.scale.crowd import Crowd
from bench.scale.figures import AtLeast, AtMost, Chapter, Figure, Series
from bench.scale.made import Part, make
from bench.scale.page import page
from doorward.runtime.workbench import read


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name: the path of a control socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dw") as path:
        yield Path(path)


def test_a_call_is_counted_and_timed_beside_a_crowd(place: Path) -> None:
    with server("bench.scale.upstream") as upstream:
        cost = calls._cost(place / "crowd", Crowd(2, 3, 4), upstream.port, 40)
    assert cost.calls > 100
    assert cost.microseconds > 0


def test_a_small_log_is_indexed_asked_and_verified(tmp_path: Path) -> None:
    path = write(tmp_path / "log", {**calls_document(0), "upstreams": {}}, POLICIES)
    document = read(path).loaded.document
    state = path.parent / "state"
    wrote = asyncio.run(make(document, path.parent, Part(range(2_000), 2_000, 0.1)))
    step = log.Answered(asyncio.run(log._asked(document, path.parent)), wrote, log._index(state))
    figures = [*log._answers(step), *log._disk(state, 2_000), *log._verified(path, state)]
    assert all(figure.value > 0 for figure in figures)
    assert [len(series.values) for series in log._series([step])] == [1] * (2 + len(step.times))


def test_a_few_sessions_and_streams_are_weighed(place: Path) -> None:
    amount = held.Amount(sessions=20, streams=30, calls=20, settling=0)
    weighed = [held.of_sessions(place / "sessions", amount), held.of_streams(place / "streams", amount)]
    assert [[figure.name for figure in chapter.figures] for chapter in weighed] == [["idle session"], ["open stream"]]


def test_nothing_is_begun_where_there_is_no_room_for_it(tmp_path: Path) -> None:
    assert main(["log", "--receipts", str(10**15), "--under", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []


def test_chapters_measured_apart_come_together_and_a_later_one_replaces_an_earlier(tmp_path: Path) -> None:
    held = Chapter("Held", "what is held", [Figure("a session", 1.5, "KiB", AtMost(4.0)), Figure("sessions", 3.0, "")])
    first = Chapter(
        "Log", "the log", [Figure("verify", 5.0, "leaves", AtLeast(9.0))], ["1", "10"], [Series("proof", "ms", [1.0, 2.0], 1.3)]
    )
    again = Chapter("Log", "the log, again")
    file = tmp_path / "chapters.json"
    told = [page([*_together(file, made).values()], {}, "2026-01-01") for made in ({"log": first}, {"sessions": held}, {"log": again})]
    assert told == [page(chapters, {}, "2026-01-01") for chapters in ([first], [first, held], [again, held])]
