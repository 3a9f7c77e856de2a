"""What guards ask of a message before anything else: which of their patterns may match in its flat JSON text. Asked together where that is less.

Each look into an automaton costs about the same, however short the text is; so the gates of all guards are asked at once, before anybody
is called, and what are names or signs that hardly any text holds is one automaton. Forms of numbers and orders are not: what is met of
them multiplies what is met of others into states.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Protocol

import re2

from doorward.wire.sieve import Sieve

SHORT_BYTES = 4096
"""Longer texts are looked into by each guard for itself, as far as it needs to."""

_MEMORY_BYTES = 32 * 2**20
"""For each automaton of gates: what it has met of texts is kept there, and forgotten when it is full."""


class Asked(Protocol):
    """Says which of its patterns may match in a text, by their places, in order; nothing of nearly all."""

    def may(self, text: bytes) -> Sequence[int]:
        """None of those that it leaves out matches."""
        ...


class Gate:
    """Patterns that one guard asks flat texts for. What is compiled is compiled when it is first needed."""

    __slots__ = ("_asked", "_made", "joint")

    def __init__(self, asked: Callable[[], Asked], joint: Sequence[str] = ()) -> None:
        """`joint`: the patterns of what `asked` makes, if they may be asked in one pass with those of others; else nothing."""
        self._asked = asked
        self._made: Asked | None = None
        self.joint = tuple(joint)

    def ready(self) -> Asked:
        """What says it, made at the first time."""
        if self._made is None:
            self._made = self._asked()
        return self._made

    def may(self, flat: bytes) -> Sequence[int]:
        """The patterns that may match in a flat text or in any other."""
        return self.ready().may(flat)


Told = Mapping[Gate, Sequence[int]]
"""Which gates are open, and by which of their patterns; all others of those that were asked are closed."""

CLOSED: Told = MappingProxyType({})


class Together:
    """Some gates, asked together."""

    __slots__ = ("_alone", "_asked", "_joint", "_places")

    def __init__(self, gates: Iterable[Gate]) -> None:
        each = tuple(dict.fromkeys(gates))
        self._alone = tuple(gate for gate in each if not gate.joint)
        self._joint = tuple(pattern for gate in each for pattern in gate.joint)
        self._places = tuple((gate, index) for gate in each for index in range(len(gate.joint)))
        self._asked: tuple[Asked, tuple[tuple[Gate, Asked], ...]] | None = None

    def told(self, flat: bytes) -> Told:
        """Which of them are open."""
        if self._asked is None:
            self._asked = sieve(self._joint), tuple((gate, gate.ready()) for gate in self._alone)
        joint, alone = self._asked
        told: dict[Gate, Sequence[int]] = {}
        for number in joint.may(flat):
            gate, index = self._places[number]
            told[gate] = (*told.get(gate, ()), index)
        for gate, asked in alone:
            fired = asked.may(flat)
            if fired:
                told[gate] = fired
        return told or CLOSED


@cache
def sieve(patterns: tuple[str, ...]) -> Sieve:
    """What asks for some patterns in one pass; the same one for all who ask for the same."""
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    return Sieve(patterns, options)
