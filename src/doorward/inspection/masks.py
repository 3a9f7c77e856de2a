"""Masks of one message: the same value gets the same mask wherever it stands, different values of a rule get different numbers.

What was found in one place is looked for in all others, also as it is written inside of a JSON text: an upstream repeats its structured
result as text, and a guard may know a value by the name of its field in one of them only.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Protocol, TypeGuard

import msgspec
import re2

from doorward.wire.sieve import Sieve

SHORTEST = 4
"""Characters of a value that is looked for elsewhere: shorter ones stand everywhere by chance."""

_SMALLEST_NUMBER = 100_000

_ANYWHERE = 8
"""Characters from which a value is looked for inside of words, too, and in names."""

_LONGEST = 64
"""Characters of a value that patterns look for; the rest of a longer one is looked for where they are met."""

_MEMORY_BYTES = 64 * 2**20

_WORDS = frozenset({"text", "image", "audio", "resource", "resource_link", "user", "assistant", "true", "false", "null"})
"""What the protocol and JSON say themselves."""

Place = tuple[int, int, str]
"""From where to where in a text, and what stands there instead."""


Number = int | float | Decimal


def is_number(value: object) -> TypeGuard[Number]:
    """Whether a value of JSON is a number; the two truth values are none."""
    return isinstance(value, Number) and not isinstance(value, bool)


def mask(rule: str, number: int = 0) -> str:
    """What stands where something was withheld; numbered where there are several of a rule."""
    return f"[withheld: {rule} {number}]" if number else f"[withheld: {rule}]"


class Named(Protocol):
    """Says what stands instead of values."""

    def of(self, rule: str, value: str) -> str:
        """The mask of a value that is withheld for a rule."""
        ...


class Masks(msgspec.Struct):
    """(`Named`) What is withheld of one message. Values are told in the order of the message, then asked for."""

    _numbers: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    _told: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    """Rule and value of each text that is looked for elsewhere."""

    def take(self, rule: str, value: str, texts: Iterable[str]) -> None:
        """A value that is withheld for a rule, and the texts that say it: itself, or all that stand in it."""
        self._numbered(rule, value)
        for text in map(str.strip, texts):
            if len(text) >= SHORTEST and text.lower() not in _WORDS:
                self._told.setdefault(text, (rule, value))

    def of(self, rule: str, value: str) -> str:
        """The mask of a value that was taken."""
        number = self._numbered(rule, value)
        return mask(rule, number if len(self._numbers[rule]) > 1 else 0)

    def elsewhere(self) -> "Elsewhere":
        """Looks for the values that were taken, once all were."""
        return Elsewhere({text: (rule, self.of(rule, value)) for text, (rule, value) in self._told.items()})

    def _numbered(self, rule: str, value: str) -> int:
        known = self._numbers.setdefault(rule, {})
        # However it is spaced: the same card is the same card.
        same = "".join(letter for letter in value.casefold() if letter.isalnum()) or value
        return known.setdefault(same, len(known) + 1)


class Plain:
    """Masks without numbers (`Named`): of messages in which nothing is looked for elsewhere."""

    __slots__ = ()

    def of(self, rule: str, value: str) -> str:
        """The mask of a rule, whatever the value."""
        return mask(rule)


class Elsewhere:
    """Where values stand that are withheld in some place, in upper case or lower: a diagnosis is the same within a sentence."""

    __slots__ = ("_gate", "_masks", "_values")

    def __init__(self, masks: dict[str, tuple[str, str]]) -> None:
        """`masks`: rule and mask by value."""
        self._masks: dict[str, tuple[str, str]] = {}
        for value, told in masks.items():
            for written in _written(value):
                self._masks.setdefault(_lowered(written), told)
        self._values = tuple(self._masks)
        self._gate = _gate(self._values)

    def of_number(self, number: Number) -> tuple[str, str] | None:
        """Rule and mask of a number that is withheld in another place, there as a text perhaps."""
        if not self._masks or (isinstance(number, int) and abs(number) < _SMALLEST_NUMBER):
            return None
        return self._masks.get(str(number).lower())

    def is_in_name(self, name: str) -> bool:
        """Whether a name holds one."""
        return bool(self._masks) and any(len(value) >= _ANYWHERE for value in self._in(_lowered(name)))

    def places(self, text: str) -> list[tuple[str, Place]]:
        """Where they stand in a text, each with its rule."""
        if not self._masks:
            return []
        lower = _lowered(text)
        found = [(start, value) for value in self._in(lower) for start in _starts(value, lower)]
        return [(rule, (start, start + len(value), instead)) for start, value in found for rule, instead in (self._masks[value],)]

    def _in(self, text: str) -> Iterator[str]:
        """Those that a text holds."""
        fired = self._gate.may(text.encode("utf-8", "replace")) if self._gate is not None else ()
        return (value for value in map(self._values.__getitem__, fired) if value in text)


def _lowered(text: str) -> str:
    """A text in lower case, letter for letter: one whose letters would become several stays as it is."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _written(value: str) -> Iterator[str]:
    """A value as it is, and as JSON texts write it."""
    yield from dict.fromkeys((value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]))


def _gate(values: Sequence[str]) -> Sieve | None:
    """What says which of the values a text may hold, by their index; None for none. Not `re2.compile`, which would keep them in a cache."""
    if not values:
        return None
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    return Sieve((re2.escape(value[:_LONGEST]).encode("utf-8", "replace") for value in values), options)


def _starts(value: str, text: str) -> Iterator[int]:
    """Every place where a value stands in a text, a short one as a word of its own."""
    start = text.find(value)
    while start >= 0:
        if len(value) >= _ANYWHERE or _is_whole(text, start, start + len(value)):
            yield start
        start = text.find(value, start + 1)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether what stands there is no piece of a longer word."""
    return not (text[start].isalnum() and text[start - 1 : start].isalnum()) and not (
        text[end - 1].isalnum() and text[end : end + 1].isalnum()
    )
