"""Keyed fingerprints of every secret that was leased: tells whether a text holds one of ours, without keeping any.

A secret is kept as its HMAC-SHA-256 under a key of this process, its length, and four of its characters: where those four appear in
a text, and only there, the HMAC decides. So a look costs a search, and there are no false alarms.
"""

import hmac
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import re2

SHORTEST = 12
"""Characters: what is shorter appears in honest texts, and is not looked for."""

MOST = 1024
"""Fingerprints kept; the oldest go first. Rotated secrets stay on purpose: an old one may still open something."""

FEW = 8
"""So many hints are looked for one by one, each a search of its own; more are one automaton (RE2), slower at first and flat then."""

MOST_TRIES = 4096
"""HMACs computed for one text. Whoever repeats the four characters more often than that knows them, and is taken to leak."""

_HINT = 4


@dataclass(frozen=True, slots=True)
class _Print:
    """One secret."""

    hint: str
    offset: int
    """Where the hint begins in the secret."""
    length: int
    hmac: bytes


class Fingerprints:
    """The secrets that were leased in this process."""

    __slots__ = ("_blind", "_by_hint", "_hints", "_key", "_many", "_most", "_prints")

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._prints: OrderedDict[bytes, _Print] = OrderedDict()
        self._by_hint: dict[str, list[_Print]] = {}
        self._hints: tuple[bytes, ...] = ()
        self._many: re2._Regexp | None = None
        self._blind = False

    def add(self, secret: str) -> None:
        """Remembers a secret, whole and in its parts between white space, where they are long enough."""
        for text in {secret, *secret.split()}:
            if len(text) >= SHORTEST:
                self._add(text)

    def near(self, encoded: bytes) -> bool:
        """Whether a JSON text could hold one of the secrets in a string; false means that none is there."""
        if self._blind:
            return True
        if self._many is not None:
            return self._many.search(encoded) is not None
        return any(hint in encoded for hint in self._hints)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where secrets stand in a text, as character offsets."""
        found: set[tuple[int, int]] = set()
        tries = 0
        for at, prints in self._places(text):
            tries += len(prints)
            if tries > MOST_TRIES:
                return ((0, len(text)),)
            found.update(span for one in prints if (span := self._span(text, at, one)))
        return tuple(sorted(found))

    def _places(self, text: str) -> Iterator[tuple[int, list[_Print]]]:
        """Everywhere a hint stands, with the secrets that it is the hint of."""
        for hint, prints in self._by_hint.items():
            at = text.find(hint)
            while at >= 0:
                yield at, prints
                at = text.find(hint, at + 1)

    def _add(self, text: str) -> None:
        mark = hmac.digest(self._key, text.encode(), "sha256")
        if mark in self._prints:
            self._prints.move_to_end(mark)
            return
        offset = _hint_at(text)
        self._prints[mark] = _Print(text[offset : offset + _HINT], offset, len(text), mark)
        if len(self._prints) > self._most:
            self._prints.popitem(last=False)
        self._by_hint = {}
        for one in self._prints.values():
            self._by_hint.setdefault(one.hint, []).append(one)
        self._hints = tuple(hint.encode() for hint in self._by_hint)
        self._many = re2.compile("|".join(map(re2.escape, self._by_hint))) if len(self._by_hint) > FEW else None
        self._blind = not all(_is_plain(hint) for hint in self._by_hint)

    def _span(self, text: str, at: int, one: _Print) -> tuple[int, int] | None:
        start = at - one.offset
        end = start + one.length
        if start < 0 or end > len(text):
            return None
        mark = hmac.digest(self._key, text[start:end].encode(), "sha256")
        return (start, end) if hmac.compare_digest(mark, one.hmac) else None


def _hint_at(text: str) -> int:
    """Where four characters stand that are written in JSON as they are and are rare: near the end, for prefixes are the vendor's."""
    places = range(len(text) - _HINT, -1, -1)
    windows = [(at, text[at : at + _HINT]) for at in places]
    best = [at for at, window in windows if _is_plain(window) and window.isalnum() and len(set(window)) == _HINT]
    plain = [at for at, window in windows if _is_plain(window)]
    return (best or plain or [0])[0]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
