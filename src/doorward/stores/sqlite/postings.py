"""Which leaves of a segment have a term: a set of places below `SEGMENT`, as an integer whose bits say it.

Kept as two bytes a place while they are few, else as one bit for each place there could be: hardly more than what they say.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

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


class Tail:
    """The leaves after the last complete segment, by their terms."""

    __slots__ = ("_places", "first", "size")

    def __init__(self, first: int) -> None:
        self.first = first
        self.size = first
        """The index of the next leaf."""
        self._places: dict[int, array[int]] = {}

    @property
    def is_full(self) -> bool:
        """Whether it is a segment."""
        return self.size - self.first == SEGMENT

    def add(self, terms: Iterable[int]) -> None:
        """The next leaf, with each of its terms once."""
        place, places = self.size - self.first, self._places
        for term in terms:
            if term in places:
                places[term].append(place)
            else:
                places[term] = array("H", (place,))
        self.size += 1

    def bits(self, terms: Sequence[int]) -> int:
        """Which leaves have all of some terms."""
        found = within(-1, 0, self.size - self.first)
        for term in terms:
            found &= _bits(self._places.get(term, ()))
        return found

    def rows(self) -> Rows:
        """What is stored of it: each term and its places, in the order of terms."""
        return [(term, packed(places)) for term, places in sorted(self._places.items())]
