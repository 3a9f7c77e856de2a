"""Which leaves of a segment have a term: a set of places below `SEGMENT`, as an integer whose bits say it.

Kept as two bytes a place while they are few, else as one bit for each place there could be: hardly more than what they say.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

SEGMENT = 16_384
"""Leaves of one segment: many enough that a log of ten million has few, and few enough to be held in memory until they are complete."""
_FULL_BYTES = SEGMENT // 8
_FEW = _FULL_BYTES // 2 - 1

Rows = list[tuple[int, bytes]]


def packed(places: Sequence[int]) -> bytes:
    """Some places, as they are stored."""
    if len(places) <= _FEW:
        return array("H", places).tobytes()
    return _bits(places).to_bytes(_FULL_BYTES, "little")


def unpacked(stored: bytes) -> int:
    """The bits of what is stored."""
    if len(stored) == _FULL_BYTES:
        return int.from_bytes(stored, "little")
    places = array("H")
    places.frombytes(stored)
    return _bits(places)


def within(bits: int, first: int, stop: int) -> int:
    """Those places that are at `first` or later and before `stop`."""
    first = max(first, 0)
    return bits >> first << first & (1 << max(stop, 0)) - 1


def descending(bits: int) -> Iterator[int]:
    """The places, greatest first."""
    while bits:
        place = bits.bit_length() - 1
        yield place
        bits ^= 1 << place


def _bits(places: Sequence[int]) -> int:
    marked = bytearray(_FULL_BYTES)
    for place in places:
        marked[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(marked, "little")


Places: TypeAlias = "array[int]"
Group = tuple[int, ...]


class Tail:
    """The leaves after the last complete segment, by their terms.

    Most terms of a leaf come in groups that many leaves have: the places of a group are noted once, whatever terms it has.
    """

    __slots__ = ("_groups", "_own", "_shared", "first", "size")

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = first
        """The index of the next leaf."""
        self._groups: dict[Group, Places] = {}
        self._shared: dict[int, list[Places]] = {}
        """The places of each group that has the term."""
        self._own: dict[int, Places] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is a segment."""
        return self.size - self.first == SEGMENT

    def add(self, groups: Iterable[Group], own: Iterable[int]) -> None:
        """The next leaf, with no group of terms twice, and terms besides."""
        place = self.size - self.first
        for group in groups:
            places = self._groups.get(group)
            if places is None:
                places = self._added(group)
            places.append(place)
        for term in own:
            places = self._own.get(term)
            if places is None:
                self._own[term] = array("H", (place,))
            elif places[-1] != place:
                places.append(place)
        self.size += 1

    def bits(self, terms: Sequence[int]) -> int:
        """Which leaves have all of some terms."""
        found = within(-1, 0, self.size - self.first)
        for term in terms:
            found &= _bits([place for places in self._of(term) for place in places])
        return found

    def rows(self) -> Rows:
        """What is stored of it: each term and its places, in the order of terms."""
        same: dict[tuple[int, ...], bytes] = {}
        rows: Rows = []
        for term in sorted(self._own.keys() | self._shared.keys()):
            many = self._of(term)
            if len(many) == 1 and len(many[0]) <= _FEW:
                rows.append((term, many[0].tobytes()))
                continue
            # The terms of a group often have no other: what they share is put together once.
            of = tuple([id(places) for places in many])
            if of not in same:
                same[of] = packed(sorted(set(chain.from_iterable(many))))
            rows.append((term, same[of]))
        return rows

    def _added(self, group: Group) -> Places:
        places = self._groups[group] = array("H")
        for term in set(group):
            self._shared.setdefault(term, []).append(places)
        return places

    def _of(self, term: int) -> list[Places]:
        own = self._own.get(term)
        shared = self._shared.get(term, [])
        return shared if own is None else [*shared, own]
