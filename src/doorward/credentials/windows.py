"""Windows: pieces of secrets that tell at a glance where in a text one of many may stand (aligned q-grams).

A text is cut at every eighth byte into windows of eight. Of each secret all windows are known that such a cut may fall on, wherever the
secret stands; so one of them is among the cuts of every text that holds it, and a look costs the same whether ten are known or a million.
Bytes are folded to 32 classes first, by a table of this process: what is kept of a secret is a few of its bytes, and of those five bits.
"""

import hashlib
from collections.abc import Iterator, Sequence

WINDOW = 8
CLASSES = 32
SHORTEST = 12
"""Bytes: what is shorter appears in honest texts, and is not looked for."""
LONG = 2 * WINDOW - 1
"""From this length on some cut at every eighth byte falls on a window whose every byte is the secret's."""
_STARTS = range(0, 48, 4)
"""How far before the end of a secret its piece may end: beginnings are the vendor's, and of a JWT its issuer's."""
_ALIKE = bytes(byte for byte in range(32, 127) if byte not in b"\"\\/<>&'")
"""What JSON writes as it is, whoever writes it."""

Shape = tuple[int, int]
"""Where a window stands in its secret, and how long that is, in bytes."""


def folding(key: bytes) -> bytes:
    """The table that folds bytes (`bytes.translate`): as many in each class, and nobody else's classes."""
    order = sorted(range(256), key=lambda byte: hashlib.blake2b(bytes([byte]), key=key[:64], digest_size=8, person=b"windows").digest())
    return bytes(order.index(byte) % CLASSES for byte in range(256))


def step_of(length: int) -> int:
    """How far apart the cuts of a text are for a secret of so many bytes."""
    return WINDOW if length >= LONG else WINDOW // 2


def piece_of(secret: bytes) -> int:
    """Where the piece begins whose windows are kept: written alike in JSON if possible, varied, and near the end."""
    size = piece_length(len(secret))
    starts = [len(secret) - size - back for back in _STARTS if back <= len(secret) - size]
    return max(starts, key=lambda start: _worth(secret[start : start + size]))


def piece_length(length: int) -> int:
    """How many bytes of a secret of so many are its piece."""
    return WINDOW + step_of(length) - 1


def is_plain(text: bytes) -> bool:
    """Whether JSON writes it as it is, whoever writes it."""
    return not text.translate(None, _ALIKE)


def _worth(piece: bytes) -> tuple[bool, int]:
    return is_plain(piece), len({*piece}) + piece.isalnum()


class Windows:
    """The windows of secrets that are looked for in the same cuts. Threads may look while others are added."""

    __slots__ = ("_more", "_of_one", "_shapes")

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Shape, ...]] = {}
        self._more: dict[tuple[int, Shape], int] = {}
        """How often beyond once a window is known in one shape: secrets of one maker end alike."""
        self._of_one: dict[Shape, tuple[Shape]] = {}
        """The same tuple for all windows of one shape."""

    def add(self, piece: bytes, start: int, length: int) -> None:
        """Takes the windows of a folded piece, which begins at `start` in a secret of `length`."""
        for window, shape in self._windows(piece, start, length):
            known = self._shapes.get(window, ())
            if shape in known:
                self._more[window, shape] = self._more.get((window, shape), 0) + 1
            else:
                self._shapes[window] = (*known, shape) if known else self._of_one.setdefault(shape, (shape,))

    def drop(self, piece: bytes, start: int, length: int) -> None:
        """Undoes one `add`."""
        for window, shape in self._windows(piece, start, length):
            more = self._more.pop((window, shape), 0)
            if more > 1:
                self._more[window, shape] = more - 1
            elif more == 0:
                self._forget(window, shape)

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return not self._shapes

    def near(self, windows: Sequence[int]) -> bool:
        """Whether some secret may stand in a text that these were cut from."""
        return not self._shapes.keys().isdisjoint(windows)

    def places(self, windows: Sequence[int], at: int) -> Iterator[tuple[int, int]]:
        """From where to where secrets may stand in a text that these were cut from, beginning `at`; it may be beyond its ends."""
        known = enumerate(map(self._shapes.get, windows)) if self.near(windows) else ()
        hits = ((index, shape) for index, shapes in known if shapes for shape in shapes)
        yield from ((start := at + index * WINDOW - offset, start + length) for index, (offset, length) in hits)

    def _forget(self, window: int, shape: Shape) -> None:
        left = tuple(one for one in self._shapes.pop(window, ()) if one != shape)
        if left:
            self._shapes[window] = left

    def _windows(self, piece: bytes, start: int, length: int) -> Iterator[tuple[int, Shape]]:
        for at in range(len(piece) - WINDOW + 1):
            yield cut(piece[at : at + WINDOW])[0], (start + at, length)


def cut(folded: bytes) -> list[int]:
    """The windows of a folded text, one beside the other; what is left over at its end is in none."""
    return memoryview(folded)[: len(folded) // WINDOW * WINDOW].cast("Q").tolist()
