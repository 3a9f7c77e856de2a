"""Keyed fingerprints of every secret that was leased: tells whether a text holds one of ours, without keeping any.

A secret is kept as its HMAC-SHA-256 under a key of this process, its length, and a hint: a few of its characters. Where those appear in a
text, and only there, the HMAC decides. So a look costs a search, and there are no false alarms.
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
"""HMACs computed for one text. Whoever repeats a hint more often than that knows it, and is taken to leak."""

MASK = "[withheld: own_credential]"

LONGEST_HINT = 8
"""Characters: as many hexadecimal ones stand once in 4 GB of honest digests. A hint is never more than a third of its secret."""


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
        self._hints: tuple[tuple[str, bytes], ...] = ()
        self._blind: tuple[str, ...] = ()
        self._many: re2._Regexp | None = None

    def add(self, secret: str) -> None:
        """Remembers a secret, whole and in its parts between white space, where they are long enough."""
        for text in {secret, *secret.split()}:
            if len(text) >= SHORTEST:
                self._add(text)

    def mark(self, secret: str) -> str:
        """Tells a secret apart from every other within this process, without saying anything of it (hexadecimal)."""
        return hmac.digest(self._key, secret.encode(), "sha256").hex()

    @property
    def hints(self) -> tuple[str, ...]:
        """Every hint there is."""
        return tuple(self._by_hint)

    def near(self, encoded: bytes) -> tuple[str, ...]:
        """The hints that stand in a JSON text, or that it may write otherwise; without any, no string in it holds a secret."""
        if self._many is not None and not self._blind and self._many.search(encoded) is None:
            return ()
        found = tuple(hint for hint, raw in self._hints if raw in encoded)
        return found + self._blind if self._blind else found

    def spans(self, text: str, hints: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
        """Where secrets with these hints stand in a text, as character offsets."""
        found: set[tuple[int, int]] = set()
        tries = 0
        for at, prints in self._places(text, hints):
            tries += len(prints)
            if tries > MOST_TRIES:
                return ((0, len(text)),)
            found.update(span for one in prints if (span := self._span(text, at, one)))
        return tuple(sorted(found))

    def mask(self, text: str) -> str:
        """The text without any secret of ours that it holds."""
        shown, at = [], 0
        for start, end in self.spans(text, self.hints):
            if start >= at:
                shown += [text[at:start], MASK]
            at = max(at, end)
        return "".join([*shown, text[at:]]) if at else text

    def _places(self, text: str, hints: tuple[str, ...]) -> Iterator[tuple[int, list[_Print]]]:
        """Everywhere one of these hints stands, with the secrets that it is the hint of."""
        for hint in hints:
            at = text.find(hint)
            while at >= 0:
                yield at, self._by_hint.get(hint, [])
                at = text.find(hint, at + 1)

    def _add(self, text: str) -> None:
        mark = hmac.digest(self._key, text.encode(), "sha256")
        if mark in self._prints:
            self._prints.move_to_end(mark)
            return
        offset, hint = _hint_of(text)
        self._prints[mark] = _Print(hint, offset, len(text), mark)
        if len(self._prints) > self._most:
            self._prints.popitem(last=False)
        by_hint: dict[str, list[_Print]] = {}
        for one in self._prints.values():
            by_hint.setdefault(one.hint, []).append(one)
        # Replaced whole: a thread may be looking through a large message meanwhile.
        self._by_hint = by_hint
        plain = [hint for hint in by_hint if _is_plain(hint)]
        self._hints = tuple((hint, hint.encode()) for hint in plain)
        self._blind = tuple(hint for hint in by_hint if not _is_plain(hint))
        self._many = re2.compile("|".join(map(re2.escape, plain))) if len(plain) > FEW else None

    def _span(self, text: str, at: int, one: _Print) -> tuple[int, int] | None:
        start = at - one.offset
        end = start + one.length
        if start < 0 or end > len(text):
            return None
        mark = hmac.digest(self._key, text[start:end].encode(), "sha256")
        return (start, end) if hmac.compare_digest(mark, one.hmac) else None


def _hint_of(text: str) -> tuple[int, str]:
    """Where a hint begins, and the hint: written in JSON as it is if possible, varied, and near the end, for beginnings are the vendor's."""
    length = min(LONGEST_HINT, len(text) // 3)
    windows = [(at, text[at : at + length]) for at in range(len(text) - length, -1, -1)]
    plain = [(at, window) for at, window in windows if _is_plain(window)]
    return max(plain or windows, key=lambda found: len({*found[1]}) + found[1].isalnum())


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
