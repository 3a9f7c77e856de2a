"""Parts of documents, found again by winnowing (Schleimer, Wilkerson and Aiken, 2003): hashes of runs of words, the least of each window.

A part of `FOUND` words is always found, one of fewer than `RUN` never. The hashes are Python's own, keyed for each process (unless
`PYTHONHASHSEED` says otherwise); no word of a document is kept.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import re2

from doorward.domain.findings import Severity
from doorward.inspection.places import Hit

RUN = 12
"""Words that are hashed together: so many in the same order stand nowhere else by chance."""

WINDOW = 9
"""Hashes of which the least is kept."""

FOUND = RUN + WINDOW - 1
"""Words in a row that are found wherever they stand."""

_SHORTEST_BYTES = 2 * RUN
"""Of a text that holds so many words."""

_LETTERS = bytes(byte if byte >= 0x80 or chr(byte).isalnum() else 0x20 for byte in range(256)).lower()
_PUNCTUATION = re2.compile(r"[\x{2000}-\x{206F}\x{A0}-\x{BF}]")


def prints(texts: Iterable[str]) -> frozenset[int]:
    """What is kept of documents."""
    return frozenset(kept for text in texts for kept in _winnowed(_hashes(_words(text.encode("utf-8", "replace")))))


def _winnowed(hashes: list[int]) -> Iterator[int]:
    if not hashes:
        return
    for start in range(max(1, len(hashes) - WINDOW + 1)):
        yield min(hashes[start : start + WINDOW])


def _words(text: bytes) -> list[bytes]:
    """The words of a text in lower case, without what only stands between them."""
    return _plain(text).split()


def _plain(text: bytes) -> bytes:
    """The same byte for byte, with blanks for what is in no word."""
    if not text.isascii():
        text = _PUNCTUATION.sub(lambda sign: b" " * len(sign.group()), text)
    return text.translate(_LETTERS)


def _hashes(words: list[bytes]) -> list[int]:
    return list(map(hash, zip(*(words[start:] for start in range(RUN)), strict=False)))


class Parts:
    """Looks for parts of some documents (`Seeker`)."""

    __slots__ = ("_known", "_rule", "_severity")

    def __init__(self, rule: str, severity: Severity, known: frozenset[int]) -> None:
        self._rule, self._severity, self._known = rule, severity, known

    def hits(self, flat: bytes, told: Sequence[int] | None = None) -> list[Hit]:
        """What stands in a flat JSON text, with the words around it that a part may have besides."""
        at, found = 0, []
        for piece in flat.split(b'"'):
            if len(piece) >= _SHORTEST_BYTES:
                found += [Hit(self._rule, self._severity, at + start, at + end) for start, end in self._spans(piece)]
            at += len(piece) + 1
        return found

    def _spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        plain = _plain(text)
        words = plain.split()
        hashes = _hashes(words)
        if self._known.isdisjoint(hashes):
            return
        places = list(_places(plain, words))
        for first, last in _runs([index for index, one in enumerate(hashes) if one in self._known], len(words)):
            yield places[first][0], places[last][1]


def _places(plain: bytes, words: list[bytes]) -> Iterator[tuple[int, int]]:
    at = 0
    for word in words:
        start = plain.index(word, at)
        at = start + len(word)
        yield start, at


def _runs(starts: list[int], count: int) -> Iterator[tuple[int, int]]:
    """First and last words of what the hashes that begin there cover, with as many around as a part may have without one of its own."""
    spans = [(max(0, start - WINDOW + 1), min(count, start + RUN + WINDOW - 1) - 1) for start in starts]
    first = spans[0][0]
    for (_, last), following in pairwise([*spans, (count + 1, count + 1)]):
        if following[0] > last + 1:
            yield first, last
            first = following[0]
