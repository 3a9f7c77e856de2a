"""All rules, and what finds a text worth reading: programs are made when they are first asked for, once in a process."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import re2

from doorward.domain.findings import Severity
from doorward.inspection.gate import Gate, Opening
from doorward.inspection.injection import aims, errands, orders, roles, tongues
from doorward.inspection.injection.grammar import Reading, Rule, exact, gate, opening, sieve
from doorward.inspection.injection.words import WORDS
from doorward.wire.sieve import Probe, Sieve

AROUND = 640
"""Bytes before and behind what is rare in an order: more than an order has."""
_WORDS_AROUND = 48
_STREWN = 16 * 1024

EVERYWHERE: tuple[Rule, ...] = (*orders.RULES, *aims.RULES, *errands.RULES, *roles.RULES, *tongues.LATIN)
RULES: tuple[Rule, ...] = (*EVERYWHERE, *tongues.BEYOND)

GRAVEST: Mapping[str, Severity] = MappingProxyType({rule.name: Severity.HIGH for rule in RULES})
"""Signs add up, so that each rule may be named by a grave finding."""

_LEADS = tuple(bytes([lead]) for lead in (0xD0, 0xD1, 0xD8, 0xD9, 0xE0, *range(0xE3, 0xEE)))
"""First octets in UTF-8 of Cyrillic, Arabic, kana, ideographs, hangul and Devanagari."""


@cache
def _gates(reading: Reading) -> tuple["re2._Regexp", "re2._Regexp"]:
    return gate(EVERYWHERE, WORDS, reading), gate(tongues.BEYOND, WORDS, reading)


class _Suspect:
    """Asks for all rules as one; for those of other scripts only where there are letters of these."""

    __slots__ = ("_beyond", "_everywhere")

    def __init__(self) -> None:
        self._everywhere, self._beyond = map(Probe, _gates(Reading.PARTED))

    def may(self, text: bytes) -> Sequence[int]:
        return self._everywhere.may(text) or (self._beyond.may(text) if _is_beyond(text) else ())


def _openings() -> tuple[Opening, ...]:
    return Opening((opening(EVERYWHERE, WORDS),)), Opening((opening(tongues.BEYOND, WORDS),), is_beyond=True)


ORDERS = Gate(_Suspect, openings=_openings)
"""Open where an order may stand in a text of UTF-8; without that none does."""


@cache
def finders(reading: Reading) -> tuple[tuple[Rule, "re2._Regexp"], ...]:
    """Each rule with what finds it in UTF-8."""
    return tuple((rule, exact(rule, WORDS, reading)) for rule in RULES)


_FEW = 8
"""Rules of one sieve: with more, texts of nothing but their words cost ten times as much, with fewer all others do."""

_Sieve = tuple[Sieve, tuple[tuple[Rule, "re2._Regexp"], ...]]  # noqa: SLF001 -- the binding has no other name for it
"""What says which of some rules match, and these with what finds them."""


@cache
def _sieves(reading: Reading) -> tuple[tuple[_Sieve, ...], tuple[_Sieve, ...]]:
    """Of the rules that make a text worth reading, and of those that only add to others."""
    every = finders(reading)
    telling, adding = ([one for one in every if (one[0].points > 1) is told] for told in (True, False))
    return tuple(_parted(telling, reading)), tuple(_parted(adding, reading))


def _parted(every: Sequence[tuple[Rule, "re2._Regexp"]], reading: Reading) -> Iterator[_Sieve]:
    for start in range(0, len(every), _FEW):
        few = tuple(every[start : start + _FEW])
        yield sieve([rule for rule, _ in few], WORDS, reading), few


def met(text: bytes, reading: Reading) -> Iterator[tuple[Rule, "re2._Regexp"]]:
    """The rules that match in a text of UTF-8, each with what finds it."""
    for some in _sieves(reading):
        for told, few in some:
            yield from (few[index] for index in told.may(text))


def windows(text: bytes, reading: Reading) -> Iterator[tuple[int, int]]:
    """The parts of a text of UTF-8 in which something stands that rules find: in order, apart from one another."""
    everywhere, beyond = _gates(reading)
    near = [place.span() for place in everywhere.finditer(text)]
    if _is_beyond(text):
        near = sorted([*near, *(place.span() for place in beyond.finditer(text))])
    first = last = -1
    for start, end in near:
        low, high = max(0, start - AROUND), _end(text, end)
        if low > last:
            yield from _worth(text, first, last, reading)
            first = low
        last = max(last, high)
    yield from _worth(text, first, last, reading)


def _worth(text: bytes, first: int, last: int, reading: Reading) -> Iterator[tuple[int, int]]:
    """A part of a text, if rules find something in it."""
    part = text[max(first, 0) : last]
    if first >= 0 and any(told.may(part) for told, _ in _sieves(reading)[0]):
        yield first, last


def _end(text: bytes, end: int) -> int:
    """So far that a sentence fits in, also one that blanks were strewn into."""
    high = end + AROUND
    return high if len(text[end:high].split()) >= _WORDS_AROUND else end + _STREWN


def _is_beyond(text: bytes) -> bool:
    """Whether letters of the scripts that are written neither in ASCII nor in Latin are in a text."""
    return not text.isascii() and any(lead in text for lead in _LEADS)
