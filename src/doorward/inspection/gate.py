"""What guards ask of a message before anything else: which of their patterns may match in its flat JSON text. Asked together where that is less.

Each look into an automaton costs about the same, however short the text is, and another thread may get its turn meanwhile; so the gates of
all guards are asked in one call, before anybody is called. What are names or signs that hardly any text holds is one automaton there. Forms
of numbers and orders are not: what is met of them multiplies what is met of others into states.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache, lru_cache
from types import MappingProxyType
from typing import NamedTuple, Protocol

import re2

from doorward.wire.sieve import Row, Sieve

SHORT_BYTES = 4096
"""Longer texts are looked into by each guard for itself, as far as it needs to; for names and signs that are few by all at once."""

_MEMORY_BYTES = 32 * 2**20
_ROW_BYTES = 64 * 2**20
"""For each automaton of gates, of a sieve or of a row: what it has met of texts is kept there, and forgotten when it is full.

Of a row a third is kept so, of which benign texts fill half. Where less is, they are read without an automaton, which takes ten times as long.
"""


class Asked(Protocol):
    """Says which of its patterns may match in a text, by their places, in order; nothing of nearly all."""

    def may(self, text: bytes) -> Sequence[int]:
        """None of those that it leaves out matches."""
        ...


class Reads(Enum):
    """What a pattern takes for one character."""

    LETTERS = re2.Options.Encoding.UTF8
    OCTETS = re2.Options.Encoding.LATIN1


class Pattern(NamedTuple):
    """A pattern, as RE2 reads it."""

    text: str
    reads: Reads = Reads.LETTERS


class Opening(NamedTuple):
    """Patterns that all match in a flat text, each somewhere, where a gate is open."""

    patterns: tuple[Pattern, ...]
    is_beyond: bool = False
    """Only texts hold it that are not ASCII: in others it is not looked for."""


def _by_itself() -> tuple[Opening, ...]:
    """Nothing: it has to be asked itself."""
    return ()


class Gate:
    """Patterns that one guard asks flat texts for. What is compiled is compiled when it is first needed."""

    __slots__ = ("_asked", "_made", "joint", "openings")

    def __init__(
        self, asked: Callable[[], Asked], joint: Sequence[str] = (), openings: Callable[[], Sequence[Opening]] = _by_itself
    ) -> None:
        """`joint`: the patterns of what `asked` makes, if they may be one automaton with those of others.

        `openings`: else those of which one is in every text that it is open for; none where it has to be asked itself.
        """
        self._asked = asked
        self._made: Asked | None = None
        self.joint = tuple(joint)
        self.openings = openings

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
    """Some gates, asked together: in one call which of them may be open, and these, which are few, one by one."""

    __slots__ = ("_beyond", "_gates", "_plain")

    def __init__(self, gates: Iterable[Gate]) -> None:
        self._gates = tuple(dict.fromkeys(gates))
        self._plain: _Doors | None = None
        self._beyond: _Doors | None = None

    def told(self, flat: bytes) -> Told:
        """Which of them are open for a flat text that is not empty."""
        plain = self._plain or self._made()
        gates = plain.ajar(flat)
        if not flat.isascii() and self._beyond is not None:
            gates = tuple(dict.fromkeys((*gates, *self._beyond.ajar(flat))))
        if not gates:
            return CLOSED
        return {gate: fired for gate in gates if (fired := gate.may(flat))}

    def _made(self) -> "_Doors":
        plain: list[_Door] = []
        beyond: list[_Door] = []
        joint = [gate for gate in self._gates if gate.joint]
        if joint:
            either = Opening((Pattern("|".join(f"(?:{pattern})" for gate in joint for pattern in gate.joint)),))
            plain += ((either, gate) for gate in joint)
        for gate in self._gates:
            found = gate.openings()
            for opening in found:
                (beyond if opening.is_beyond else plain).append((opening, gate))
            if not found and not gate.joint:
                plain.append((Opening(()), gate))
        self._beyond = _Doors(beyond) if beyond else None
        self._plain = _Doors(plain)
        return self._plain


_Door = tuple[Opening, Gate]


class _Doors:
    """Openings, and the gates that may be open where one is met."""

    __slots__ = ("_ajar", "_doors", "_met")

    def __init__(self, doors: Sequence[_Door]) -> None:
        patterns = tuple(dict.fromkeys(pattern for opening, _ in doors for pattern in opening.patterns))
        self._doors = tuple((frozenset(map(patterns.index, opening.patterns)), gate) for opening, gate in doors)
        self._met = _row(patterns).met
        self._ajar: dict[tuple[int, ...], tuple[Gate, ...]] = {}
        """By the patterns that are met. There are few, and so there are few sets of them."""

    def ajar(self, flat: bytes) -> tuple[Gate, ...]:
        """The gates that may be open: no other is."""
        met = tuple(self._met(flat))
        gates = self._ajar.get(met)
        if gates is None:
            gates = self._ajar[met] = tuple(dict.fromkeys(gate for needed, gate in self._doors if needed.issubset(met)))
        return gates


MOST_JOINT = 64
"""Patterns of one gate that is asked of long texts with others: of more, random letters meet three times as many states."""


class Abreast:
    """Gates of few patterns each, all of names and signs, asked of a long text as one automaton: one pass of it instead of several."""

    __slots__ = ("_asked", "_gates", "_patterns")

    def __init__(self, gates: Iterable[Gate]) -> None:
        self._gates = tuple(gate for gate in dict.fromkeys(gates) if 0 < len(gate.joint) <= MOST_JOINT)
        self._patterns = tuple((gate, index, pattern) for gate in self._gates for index, pattern in enumerate(gate.joint))
        self._asked: Asked | None = None

    def told(self, flat: bytes) -> Told:
        """Which patterns may match, of each of them and of no other gate."""
        if self._asked is None:
            self._asked = sieve(tuple(pattern for _, _, pattern in self._patterns))
        told: dict[Gate, Sequence[int]] = dict.fromkeys(self._gates, ())
        for number in self._asked.may(flat):
            gate, index, _ = self._patterns[number]
            told[gate] = (*told[gate], index)
        return told


@lru_cache(maxsize=4)
def _row(patterns: tuple[Pattern, ...]) -> Row:
    """What asks for some patterns in one call; the same one for all who ask for the same, such as the next generation."""
    return Row((pattern.text.encode(), _options(pattern.reads, _ROW_BYTES)) for pattern in patterns)


@cache
def sieve(patterns: tuple[str, ...]) -> Sieve:
    """What asks for some patterns in one pass; the same one for all who ask for the same."""
    return Sieve(patterns, _options(Reads.LETTERS, _MEMORY_BYTES))


def _options(reads: Reads, most_bytes: int) -> re2.Options:
    options = re2.Options()
    options.encoding = reads.value
    options.max_mem = most_bytes
    options.log_errors = False
    return options
