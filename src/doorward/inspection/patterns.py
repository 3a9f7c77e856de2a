"""Patterns in schemas that are not ours: a linear engine (RE2), and a bound on the work that one message may make of them.

Linear is not cheap: a pattern with thousands of states costs tens of microseconds for each character, and strings are long. Work is
counted as states times characters. Who goes over the bound does not match: an upstream that asks for that much gets no call.
"""

import re
from collections.abc import Iterator
from typing import Protocol

import jsonschema_rs
import re2

MOST_WORK = 4_000_000
"""States times characters of one message: some 50 ms at worst, and a thousand times what honest patterns ask for."""

_UNKNOWN_STATES = 4_000
"""Taken for a pattern that RE2 does not read but the validator's own engine does, such as one with `{1,2000}`."""

_CLASS = re.compile(r"\\[pP](?:\{[^{}]*\}|.)|\[(?:\\.|[^\]\\])*\]", re.DOTALL)
"""A class of characters: one state in each place, however many characters it holds."""


class Work:
    """What may still be done for one message."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def renew(self) -> None:
        """Another message."""
        self.left = MOST_WORK

    def spend(self, states: int, characters: int) -> None:
        """Counts work that is about to be done; raises `ValueError` where it is too much."""
        self.left -= states * (characters + 1)
        if self.left < 0:
            raise ValueError("expected a value that its patterns can be tried on within bounds")


class _Matching(Protocol):
    def __call__(self, text: str) -> bool: ...


class Pattern:
    """The keyword `pattern` of JSON Schema, as `jsonschema_rs` asks for one."""

    __slots__ = ("_matches", "_states", "_work")

    def __init__(self, pattern: object, work: Work) -> None:
        """Raises `ValueError` for what no engine reads."""
        if not isinstance(pattern, str):
            raise ValueError("expected a text as a pattern")
        self._matches, self._states = _compiled(pattern)
        self._work = work

    def validate(self, value: object) -> None:
        """Raises `ValueError` where a text does not match."""
        if not isinstance(value, str):
            return
        self._work.spend(self._states, len(value))
        if not self._matches(value):
            raise ValueError("expected a text that matches")


def matcher(pattern: str) -> "_Matching":
    """Whether a text holds what a pattern describes, in time linear in the text. Raises `ValueError` for what no engine reads."""
    return _compiled(pattern)[0]


def states(pattern: str) -> int:
    """How much a pattern costs for each character, at worst."""
    reduced = _read(_CLASS.sub("x", pattern))
    return int(reduced._regexp.ProgramSize()) if reduced is not None else _UNKNOWN_STATES  # noqa: SLF001 -- the binding shows it nowhere else


def property_patterns(schema: object) -> Iterator[str]:
    """Every pattern that names of properties are tried on."""
    if isinstance(schema, dict):
        patterns = schema.get("patternProperties")
        yield from patterns if isinstance(patterns, dict) else ()
        for inner in schema.values():
            yield from property_patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from property_patterns(inner)


def key_characters(value: object) -> int:
    """How many characters all names of a value have together, each counted with one more."""
    if isinstance(value, dict):
        return sum(map(len, value)) + len(value) + sum(map(key_characters, value.values()))
    return sum(map(key_characters, value)) if isinstance(value, list) else 0


def _compiled(pattern: str) -> tuple[_Matching, int]:
    read = _read(pattern)
    if read is not None:
        return (lambda text: read.search(text) is not None), states(pattern)
    alone = jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    return (lambda text: bool(alone.is_valid(text))), _UNKNOWN_STATES


def _read(pattern: str) -> "re2._Regexp | None":
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error:
        return None
