"""Where time, chance and ids come from; everything below takes them as arguments."""

import os
import time
from collections.abc import Callable
from itertools import product

from doorward.audit.commit import Moment

now: Callable[[], float] = time.time
"""Unix seconds."""

monotonic: Callable[[], float] = time.monotonic
"""Seconds that never step."""

draw: Callable[[int], bytes] = os.urandom
"""So many random bytes, fit for secrets."""


class Pool:
    """Random bytes for the hot path, fetched many at a time: each system call gives the interpreter lock to the writer's thread."""

    __slots__ = ("_at", "_held")
    _BYTES = 8192

    def __init__(self) -> None:
        self._held = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """So many bytes that nobody else gets. Not for keys; from one thread."""
        if self._at + count > len(self._held):
            self._held, self._at = os.urandom(self._BYTES), 0
        self._at += count
        return self._held[self._at - count : self._at]


_pool = Pool()

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple("".join(pair) for pair in product(_DIGITS, repeat=2))
"""Ten bits at once."""


def nonce() -> bytes:
    """Twelve random bytes, for AES-GCM."""
    return _pool.take(12)


def new_id() -> str:
    """A ULID in lower case: 48 bits of milliseconds, 80 random ones, 26 characters that sort by time."""
    number = (int(now() * 1000) << 80) | int.from_bytes(_pool.take(10), "big")
    return "".join([_PAIRS[(number >> shift) & 0x3FF] for shift in range(120, -1, -10)])


def both() -> Moment:
    """One reading of both clocks."""
    return Moment(time.time_ns() // 1000, time.monotonic())
