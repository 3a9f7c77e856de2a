"""Guards of others: what they are shown, and how far they are believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event

import pytest

from doorward.domain.findings import Direction, Finding, Part, Severity
from doorward.inspection.plugins.panel import MOST_FOUND, Panel, Seat, Terms, message_of
from doorward.inspection.port import Found, Message, Text
from doorward.inspection.view import Carrier
from tests.made import call

pytestmark = pytest.mark.anyio

BOTH = frozenset(Direction)
WORD = Found("word", Severity.MEDIUM, "/content/0/text", 0, 4)
MESSAGE = message_of(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": "word for word"}]})


@dataclass
class Says:
    """Says the same of everything."""

    said: object
    shown: list[Message] = field(default_factory=list)

    def look(self, message: Message) -> Iterable[Found]:
        self.shown.append(message)
        if isinstance(self.said, Exception):
            raise self.said
        return self.said  # type: ignore[return-value] # what others write keeps to no type


@dataclass
class SaysLater:
    """The same, later."""

    said: Iterable[Found]
    rules: Mapping[str, object] = field(default_factory=lambda: {"word": "high", "wrong": "grave"})
    about = "Words."

    async def look(self, message: Message) -> Iterable[Found]:
        return self.said


def seat(guard: Says | SaysLater, heard: list[tuple[str, str, str]] | None = None, **terms: object) -> Seat:
    given = Terms(**{"is_closed": True, "seconds": 10.0, "most_bytes": 100, "directions": BOTH, **terms})  # type: ignore[arg-type] # as said
    told = [] if heard is None else heard
    return Seat("mine", guard, given, lambda *what: told.append(what))


def test_a_message_is_shown_with_who_asks_what_of_whom_and_every_text() -> None:
    made = call({"a~b": "x", "n": 1}, extras={"_meta": {"k": ["y"]}})
    assert message_of(Carrier.REQUEST, made, {"arguments": made.arguments, "extras": made.extras}) == Message(
        carrier=Carrier.REQUEST,
        direction=Direction.REQUEST,
        method="tools/call",
        upstream="git",
        kind="tool",
        tool="commit",
        agent="claude",
        team="support",
        subject="",
        texts=(
            Text("/arguments", "arguments", Part.KEY),
            Text("/arguments/a~0b", "a~b", Part.KEY),
            Text("/arguments/a~0b", "x"),
            Text("/arguments/n", "n", Part.KEY),
            Text("/extras", "extras", Part.KEY),
            Text("/extras/_meta", "_meta", Part.KEY),
            Text("/extras/_meta/k", "k", Part.KEY),
            Text("/extras/_meta/k/0", "y"),
        ),
    )


def generated() -> Iterator[Found]:
    yield WORD


@pytest.mark.parametrize("guard", [Says([WORD]), Says((WORD,)), Says(generated()), SaysLater([WORD])])
async def test_what_a_guard_finds_is_a_finding_of_its_name(guard: Says | SaysLater) -> None:
    assert await seat(guard).look(MESSAGE, 50) == (Finding("mine", "word", Severity.MEDIUM, "/content/0/text", 0, 4),)


async def test_nothing_found_is_nothing() -> None:
    assert await seat(Says([])).look(MESSAGE, 50) == ()


LIES: list[object] = [
    None,
    "word",
    4711,
    {"word": WORD},
    [WORD] * (MOST_FOUND + 1),
    [Finding("own_secrets", "own_credential", Severity.LOW, "")],
    [("word", "high")],
    [Found("Word", Severity.HIGH, "")],
    [Found("", Severity.HIGH, "")],
    [Found("w" * 65, Severity.HIGH, "")],
    [Found("guard_failed", Severity.HIGH, "")],
    [Found("word\n", Severity.HIGH, "")],
    [Found("word", "grave", "")],  # type: ignore[arg-type] # a lie
    [Found("word", Severity.HIGH, "/content/1/text")],
    [Found("word", Severity.HIGH, "/content/0/text", part=Part.KEY, end=5)],
    [Found("word", Severity.HIGH, "content/0/text")],
    [Found("word", Severity.HIGH, "/content")],
    [Found("word", Severity.HIGH, "/content/0/text", 0, 14)],
    [Found("word", Severity.HIGH, "/content/0/text", -1, 2)],
    [Found("word", Severity.HIGH, "/content/0/text", 3, 2)],
    [Found("word", Severity.HIGH, "", 0, 1)],
    [Found("word", Severity.HIGH, "/content/0/text", True, 2)],
    [WORD, Found("word", Severity.HIGH, "/nowhere")],
]


@pytest.mark.parametrize("said", LIES, ids=range(len(LIES)))
async def test_a_guard_that_says_what_cannot_be_has_not_looked(said: object) -> None:
    assert await seat(Says(said)).look(MESSAGE, 50) == (Finding("mine", "guard_untrue", Severity.HIGH, ""),)


@pytest.mark.parametrize(("closed", "severity"), [(True, Severity.HIGH), (False, Severity.LOW)])
async def test_a_guard_that_fails_has_not_looked_and_says_so_once(closed: bool, severity: Severity) -> None:
    heard: list[tuple[str, str, str]] = []
    failing = seat(Says(KeyError("s3cret")), heard, is_closed=closed)
    assert [await failing.look(MESSAGE, 50) for _ in range(3)] == [(Finding("mine", "guard_failed", severity, ""),)] * 3
    assert heard == [("mine", "guard_failed", "KeyError")]


async def test_a_guard_that_hangs_has_not_looked_and_then_is_not_asked() -> None:
    free = Event()

    class Hangs:
        def look(self, message: Message) -> Iterable[Found]:
            free.wait()
            return ()

    hanging = Seat("mine", Hangs(), Terms(True, 0.01, 100, BOTH), lambda *what: None)
    rules = [(await hanging.look(MESSAGE, 50))[0].rule for _ in range(6)]
    free.set()
    assert rules == ["guard_late"] * 4 + ["guard_busy"] * 2


async def test_what_is_too_large_is_not_shown() -> None:
    guard = Says([])
    assert await seat(guard).look(MESSAGE, 101) == (Finding("mine", "guard_oversize", Severity.HIGH, ""),)
    assert guard.shown == []


async def test_all_that_look_at_a_direction_are_asked_and_answer_in_their_order() -> None:
    first, second = Says([WORD]), SaysLater([WORD, WORD])
    way = frozenset({Direction.REQUEST})
    panel = Panel((seat(first), seat(Says([WORD]), directions=way), seat(second, is_closed=False)))
    assert len(await panel.look(MESSAGE, 50)) == 3
    assert [panel.is_asked(direction) for direction in Direction] == [True, True]
    assert Panel((seat(first, directions=way),)).is_asked(Direction.RESPONSE) is False
    assert panel.observed == frozenset({"mine"})


def test_a_guard_may_say_what_it_looks_for() -> None:
    telling = seat(SaysLater(()))
    assert (dict(telling.rules), telling.about) == ({"word": Severity.HIGH}, "Words.")
    assert (dict(seat(Says(())).rules), seat(Says(())).about) == ({}, "")
