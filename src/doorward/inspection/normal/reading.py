"""Finds and reads other writings in the texts of a message, also within one another; bounded in depth, number and size."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from doorward.inspection.characters import SELECTOR, TAG, Span, without
from doorward.inspection.normal.gates import WINDOW, Writing, finder, is_suspect, suspects
from doorward.inspection.normal.other import SELECTORS, TAGS, UNSEEN, Other
from doorward.inspection.walk import Leaf

DEEPEST = 3
"""Writings within one another."""
MOST_PLACES = 1024
"""Of one writing in one text that are read each by itself; what is beyond is read as one."""
MOST_WITHIN = 256 * 2**10
"""Characters that were read and are read again for what stands in them, of one message."""

Veiled = Sequence[tuple[Leaf, tuple[Span, ...]]]
"""Texts with characters that are not seen, and where these stand."""

_TAGS = 0xE0000
_SELECTORS = ((0xFE00, 0xFE0F, 0), (0xE0100, 0xE01EF, 16))
_UNSEEN_WINDOW = 320


def others(leaves: tuple[Leaf, ...]) -> Iterator[tuple[Leaf, Other]]:
    """What stands in another writing in the texts of a message, for one that is suspect (`gates.WRITINGS`)."""
    patience = _Patience()
    yield from ((leaf, other) for leaf in leaves for other in _in(leaf[1], DEEPEST, patience))


def unveiled(veiled: Veiled) -> Iterator[tuple[Leaf, Other]]:
    """What stands there once the characters that are not seen are taken out, by the paragraph, and what is spelt with them."""
    patience = _Patience()
    for leaf, places in veiled:
        for outer in _unveiled(leaf[1], places):
            yield leaf, outer
            yield from ((leaf, inner) for inner in _within(outer, DEEPEST - 1, patience))


class _Patience:
    """What is still read of what stands in what was read."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = MOST_WITHIN

    def spend(self, letters: int) -> bool:
        """Whether so much is read, too."""
        self._left -= letters
        return self._left >= 0


def _in(text: str, depth: int, patience: _Patience, outer: str = "") -> Iterator[Other]:
    encoded = text.encode("utf-8", "replace")
    if not is_suspect(encoded):
        return
    for writing in suspects(encoded):
        # Letters that were read once say nothing else when they are read again; codes may.
        if writing.around != WINDOW or writing.name != outer:
            yield from _written(encoded, writing, depth, patience)


def _written(encoded: bytes, writing: Writing, depth: int, patience: _Patience) -> Iterator[Other]:
    places = _read(encoded, writing)
    for other in chain(islice(places, MOST_PLACES), _together(writing.name, places)):
        yield other
        yield from _within(other, depth - 1, patience)


def _read(encoded: bytes, writing: Writing) -> Iterator[Other]:
    for start, end, place in _places(encoded, writing):
        said = writing.read(place)
        if said and said != place:
            yield Other(writing.name, said, start, end)


def _together(name: str, rest: Iterator[Other]) -> Iterator[Other]:
    """What several places say, as one that goes from the first to the last; none of nothing."""
    every = list(rest)
    if every:
        yield Other(name, "\n\n".join(other.text for other in every), every[0].start, every[-1].end)


def _within(outer: Other, depth: int, patience: _Patience) -> Iterator[Other]:
    """What stands in what was read, told of the place that it was read from."""
    if depth > 0 and patience.spend(len(outer.text)):
        for inner in _in(outer.text, depth, patience, outer.writing):
            yield Other(inner.writing, inner.text, outer.start, outer.end)


def _places(encoded: bytes, writing: Writing) -> Iterator[tuple[int, int, str]]:
    """Where a writing stands, in characters, and what stands there."""
    done = at = 0
    for first, last in _merged(_wide(encoded, writing)):
        start = at + _characters(encoded[done:first])
        place = encoded[first:last].decode("utf-8", "ignore")
        done, at = last, start + len(place)
        yield start, at, place


def _wide(encoded: bytes, writing: Writing) -> Iterator[tuple[int, int]]:
    for found in finder(writing).finditer(encoded):
        start, end = found.span()
        match writing.around:
            case 0:
                yield start, end
            case -1:
                yield _solid(encoded, start, end)
            case _:
                yield _lined(encoded, start, end, writing.around)


def _merged(places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first = last = -1
    for start, end in places:
        if first >= 0 and start <= last:
            last = max(last, end)
            continue
        if first >= 0:
            yield first, last
        first, last = start, end
    if first >= 0:
        yield first, last


def _lined(encoded: bytes, start: int, end: int, around: int) -> tuple[int, int]:
    low, high = max(0, start - around), min(len(encoded), end + around)
    before, last = encoded.rfind(b"\n\n", low, start), encoded.find(b"\n\n", end, high)
    return _whole(encoded, low if before < 0 else before + 2, high if last < 0 else last)


def _solid(encoded: bytes, start: int, end: int) -> tuple[int, int]:
    first = start - len(encoded[max(0, start - WINDOW) : start].split()[-1]) if encoded[start - 1 : start].strip() and start else start
    high = encoded[end : end + _LONGEST_SOLID]
    last = end + (len(high.split(None, 1)[0]) if high[:1].strip() else 0)
    return _whole(encoded, first, last)


_LONGEST_SOLID = 8192


def _whole(encoded: bytes, first: int, last: int) -> tuple[int, int]:
    """With the whole of the characters at the ends."""
    while first > 0 and encoded[first] & 0xC0 == 0x80:
        first -= 1
    while last < len(encoded) and encoded[last] & 0xC0 == 0x80:
        last += 1
    return first, last


def _characters(encoded: bytes) -> int:
    return len(encoded) if encoded.isascii() else len(encoded.decode("utf-8", "replace"))


def _unveiled(text: str, places: tuple[Span, ...]) -> Iterator[Other]:
    """The text around what is not seen, without it; and what is spelt with it."""
    wide = (_paragraph(text, start, end) for start, end, _ in places)
    at = 0
    for first, last in _merged(wide):
        inside: list[Span] = []
        while at < len(places) and places[at][0] < last:
            inside.append((places[at][0] - first, places[at][1] - first, places[at][2]))
            at += 1
        yield Other(UNSEEN, without(text[first:last], inside), first, last)
    yield from _spelt(text, places)


def _paragraph(text: str, start: int, end: int) -> tuple[int, int]:
    low, high = max(0, start - _UNSEEN_WINDOW), min(len(text), end + _UNSEEN_WINDOW)
    before, last = text.rfind("\n\n", low, start), text.find("\n\n", end, high)
    return low if before < 0 else before + 2, high if last < 0 else last


def _spelt(text: str, places: tuple[Span, ...]) -> Iterator[Other]:
    spots = [(start, end) for start, end, rule in places if rule in (TAG, SELECTOR)]
    if not spots:
        return
    start, end = spots[0][0], spots[-1][1]
    signs = [ord(sign) for first, last in spots for sign in text[first:last]]
    if any(_TAGS <= sign < _TAGS + 0x80 for sign in signs):
        yield Other(TAGS, "".join(chr(sign - _TAGS) for sign in signs if _TAGS + 0x20 <= sign < _TAGS + 0x7F), start, end)
    octets = bytes(sign - first + base for sign in signs for first, last, base in _SELECTORS if first <= sign <= last)
    if octets:
        yield Other(SELECTORS, octets.decode("utf-8", "ignore"), start, end)
