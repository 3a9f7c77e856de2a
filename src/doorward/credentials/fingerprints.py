"""Keyed fingerprints of every secret that is leased: tells whether a text holds one of ours, without keeping any.

A secret is kept as its HMAC-SHA-256 under a key of this process, and as the windows of a piece of it (`windows.py`). Where one of those
appears in a text, and only there, the HMAC decides. So a look costs a search, however many are known, and there are no false alarms.
"""

import hmac
import re
from collections import OrderedDict
from collections.abc import Iterator
from itertools import chain

import msgspec

from doorward.credentials.disguises import parts, spellings
from doorward.credentials.windows import SHORTEST, WINDOW, Windows, cut, folding, piece_length, piece_of, step_of

MOST = 16_384
"""Secrets that are remembered although nobody holds them: noted ones and ended ones, so many of each; those of longest ago go first."""

MOST_TRIES = 4096
"""HMACs computed for one text. Whoever repeats a piece more often than that knows it, and is taken to leak."""

MASK = "[withheld: own_credential]"

_OF_A_JWT = re.compile(rb"[A-Za-z0-9_.-]*")

_SHIFT = WINDOW // 2

_KEY_MATERIAL = 20
"""Characters of a word among many that is looked for by itself: a line of a private key is, a word of a passphrase is not."""


class _Print(msgspec.Struct, frozen=True):
    """One text: its HMAC, its folded piece, where that begins, and how long the text is (bytes)."""

    hmac: bytes
    piece: bytes
    start: int
    length: int


class _Known(msgspec.Struct):
    """One secret: what is looked for, and how many hold it."""

    prints: tuple[_Print, ...]
    holds: int = 0


class Fingerprints:
    """The secrets of this process. INVARIANT: one that is held is found, however many others there are.

    Secrets come and go in one thread; any may look.
    """

    __slots__ = ("_all", "_ended", "_folding", "_hmacs", "_key", "_known", "_most", "_noted", "_short")

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._folding = folding(key)
        self._known: dict[bytes, _Known] = {}
        self._noted: OrderedDict[bytes, None] = OrderedDict()
        self._ended: OrderedDict[bytes, None] = OrderedDict()
        self._hmacs: dict[bytes, int] = {}
        self._all, self._short = Windows(), Windows()

    def add(self, secret: str) -> None:
        """Takes note of a secret whose end nobody tells."""
        mark = self._mark(secret)
        if mark in self._noted:
            self._noted.move_to_end(mark)
            return
        self._take(mark, secret)
        self._noted[mark] = None
        if len(self._noted) > self._most:
            self._leave(self._noted.popitem(last=False)[0])

    def hold(self, secret: str) -> None:
        """Keeps a secret in mind until as many have let it go."""
        self._take(self._mark(secret), secret)

    def let_go(self, secret: str) -> None:
        """Undoes one `hold`. It is remembered for a while still: an old secret may open something."""
        self._leave(self._mark(secret))

    def mark(self, secret: str) -> str:
        """Tells a secret apart from every other within this process, without saying anything of it (hexadecimal)."""
        return self._mark(secret).hex()

    def near(self, encoded: bytes) -> bool:
        """Whether a secret may stand in a string of a JSON text, as it is or in disguise; without that none does."""
        if not self._known:
            return False
        if self._is_near(encoded):
            return True
        disguised = parts(encoded)
        return bool(disguised) and self._is_near(b" ".join([read for _, _, read in disguised]))

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where secrets stand in a text, as character offsets; of a disguised one, all that was read as one."""
        encoded = text.encode("utf-8", "surrogatepass")
        found = {(start, _whole(encoded, end)) for start, end in self._found(encoded)}
        found.update((start, end) for start, end, read in parts(encoded) if self._is_near(read) and self._found(read))
        if text.isascii():
            return tuple(sorted(found))
        return tuple(sorted((_characters(encoded, start), _characters(encoded, end)) for start, end in found))

    def mask(self, text: str) -> str:
        """The text without any secret of ours that it holds."""
        shown, at = [], 0
        for start, end in self.spans(text):
            if start >= at:
                shown += [text[at:start], MASK]
            at = max(at, end)
        return "".join([*shown, text[at:]]) if at else text

    def _mark(self, secret: str) -> bytes:
        return self._hmac(secret.encode("utf-8", "surrogatepass"))

    def _hmac(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, "sha256")

    def _is_near(self, text: bytes) -> bool:
        folded = text.translate(self._folding)
        return self._all.near(cut(folded)) or (not self._short.is_empty and self._short.near(cut(folded[_SHIFT:])))

    def _found(self, text: bytes) -> list[tuple[int, int]]:
        folded, tried = text.translate(self._folding), dict[tuple[int, int], bool]()
        shifted = () if self._short.is_empty else self._short.places(cut(folded[_SHIFT:]), _SHIFT)
        for start, end in chain(self._all.places(cut(folded), 0), shifted):
            if start >= 0 and end <= len(text) and (start, end) not in tried:
                tried[start, end] = self._hmac(text[start:end]) in self._hmacs
            if len(tried) > MOST_TRIES:
                return [(0, len(text))]
        return [span for span, is_ours in tried.items() if is_ours]

    def _take(self, mark: bytes, secret: str) -> None:
        known = self._known.get(mark)
        if known is None:
            known = self._known[mark] = _Known(tuple(map(self._print, _texts(secret))))
            for one in known.prints:
                self._remember(one)
        known.holds += 1
        self._ended.pop(mark, None)

    def _leave(self, mark: bytes) -> None:
        known = self._known.get(mark)
        if known is None or known.holds == 0:
            return
        known.holds -= 1
        if known.holds == 0:
            self._ended[mark] = None
            if len(self._ended) > self._most:
                self._forget(self._ended.popitem(last=False)[0])

    def _forget(self, mark: bytes) -> None:
        for one in self._known.pop(mark).prints:
            left = self._hmacs.pop(one.hmac) - 1
            if left:
                self._hmacs[one.hmac] = left
                continue
            for windows in self._windows(one):
                windows.drop(one.piece, one.start, one.length)

    def _remember(self, one: _Print) -> None:
        others = self._hmacs.get(one.hmac, 0)
        self._hmacs[one.hmac] = others + 1
        if others == 0:
            # After its HMAC: a thread that looks meanwhile finds both or neither.
            for windows in self._windows(one):
                windows.add(one.piece, one.start, one.length)

    def _windows(self, one: _Print) -> tuple[Windows, ...]:
        """Where it is looked for: in the text as it is cut, and shifted by half a window where it is so short that it takes that."""
        return (self._all,) if step_of(one.length) == WINDOW else (self._all, self._short)

    def _print(self, text: bytes) -> _Print:
        start = piece_of(text)
        piece = text[start : start + piece_length(len(text))]
        return _Print(self._hmac(text), piece.translate(self._folding), start, len(text))


def _texts(secret: str) -> Iterator[bytes]:
    """What is looked for of a secret: the whole, the token behind a scheme, and lines of keys."""
    words = secret.split()
    tokens = words if len(words) <= 2 else [word for word in words if _is_key_material(word)]
    whole = {spelt for text in {secret, *tokens} if len(text.encode("utf-8", "surrogatepass")) >= SHORTEST for spelt in spellings(text)}
    return (spelt.encode("utf-8", "surrogatepass") for spelt in whole)


def _is_key_material(word: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return (
        len(word) >= _KEY_MATERIAL
        and word.replace("/", "").replace("+", "").rstrip("=").isalnum()
        and all(any(map(kind, word)) for kind in kinds)
    )


def _whole(text: bytes, end: int) -> int:
    """Where a found secret really ends: one that ends in a dot is the head of a JWT, and of no use without what stands behind it."""
    rest = _OF_A_JWT.match(text, end)
    return end if rest is None or text[end - 1 : end] != b"." else rest.end()


def _characters(encoded: bytes, at: int) -> int:
    """The character offset of a byte offset."""
    return len(encoded[:at].decode("utf-8", "replace"))
