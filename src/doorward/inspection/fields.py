"""Fields by their place: pointers with `*` for any one step, followed into values and into texts that are JSON."""

import json
from collections.abc import Iterator, Mapping

import msgspec
import re2

from doorward.inspection.walk import Path, steps

ANY = "*"

Pattern = tuple[str, ...]
"""The steps of a pointer; `*` stands for any one, an item's index for itself."""

Patterns = frozenset[Pattern]

MOST_BYTES = 4 * 2**20
"""Of a text that is read as JSON: what a result may be as it ships."""

_TOKEN = re2.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def pattern(text: str) -> Pattern:
    """The pattern of a pointer (RFC 6901); raises `WalkError` for what is none."""
    return steps(text)


def matches(value: object, patterns: Patterns, path: Path) -> Iterator[tuple[Path, object]]:
    """Every value that a pattern leads to, and none below one of them; what is null is no value."""
    if () in patterns:
        if value is not None:
            yield path, value
        return
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for step, child in children:
        below = _below(patterns, str(step))
        if below:
            yield from matches(child, below, (path, step))


def _below(patterns: Patterns, step: str) -> Patterns:
    return frozenset(one[1:] for one in patterns if one and one[0] in {ANY, step})


class _Level(msgspec.Struct):
    """An object or array that is being read: where it began, the patterns that lead to it and into what it holds."""

    start: int
    patterns: Patterns
    is_object: bool
    index: int = 0
    is_name: bool = True
    """Whether a text is the name of a member: before its colon."""
    waiting: Patterns = frozenset()
    """The patterns for the value that comes next."""


def spans(text: str, patterns: Patterns) -> list[tuple[int, int]]:
    """Where the values stand in a JSON text that patterns lead to; of a string what is between its quotes. Nothing in what is no JSON."""
    if not _may_hold(text, patterns):
        return []
    reading = _Reading(patterns)
    for token in _TOKEN.finditer(text):
        reading.take(token.group(), token.start(), token.end())
    return reading.found


def _may_hold(text: str, patterns: Patterns) -> bool:
    """Whether it is JSON, and has a name of each step of some pattern in it."""
    if text.lstrip()[:1] not in {"{", "["} or len(text) > MOST_BYTES:
        return False
    if not any(all(step == ANY or step.isdecimal() or step in text or "\\u" in text for step in one) for one in patterns):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True


class _Reading:
    """A JSON text, token by token."""

    __slots__ = ("_levels", "found")

    def __init__(self, patterns: Patterns) -> None:
        self.found: list[tuple[int, int]] = []
        self._levels = [_Level(0, frozenset(), is_object=False, waiting=patterns)]

    def take(self, token: str, start: int, end: int) -> None:
        """The next token."""
        level = self._levels[-1]
        match token[0]:
            case "{" | "[":
                self._open(level, token, start)
            case "}" | "]":
                self._levels.pop()
                self._met(level.patterns, level.start, end)
            case ",":
                level.index += 1
                level.is_name = True
                level.waiting = frozenset() if level.is_object else _below(level.patterns, str(level.index))
            case ":":
                level.is_name = False
            case '"' if level.is_object and level.is_name:
                level.waiting = _below(level.patterns, json.loads(token)) if level.patterns else frozenset()
            case '"':
                self._met(level.waiting, start + 1, end - 1)
            case _:
                self._met(level.waiting, start, start if token == "null" else end)

    def _open(self, level: _Level, token: str, start: int) -> None:
        inner = _Level(start, level.waiting, is_object=token == "{")
        inner.waiting = frozenset() if inner.is_object else _below(inner.patterns, "0")
        self._levels.append(inner)

    def _met(self, patterns: Patterns, start: int, end: int) -> None:
        if () in patterns and start < end:
            self.found.append((start, end))
