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

_DIGITS = b"0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(bytes(pair).decode() for pair in product(_DIGITS, repeat=2))
"""Ten bits at once."""
_DIGIT_OF = _DIGITS * 8
"""Of each byte five bits as a digit, every one of them as likely as any other."""


class _Ids:
    """ULIDs in lower case: 48 bits of milliseconds, 80 random ones, 26 characters that sort by time. From one thread."""

    __slots__ = ("_at", "_held", "_milliseconds", "_stamp")
    _RANDOM = 16
    """Digits."""
    _MADE = 512 * _RANDOM
    """At once, as `Pool` does."""

    def __init__(self) -> None:
        self._held = self._stamp = ""
        self._at = self._milliseconds = 0

    def __call__(self) -> str:
        """One that nobody else gets."""
        milliseconds = int(now() * 1000)
        if milliseconds != self._milliseconds:
            self._milliseconds = milliseconds
            self._stamp = "".join([_PAIRS[(milliseconds >> shift) & 0x3FF] for shift in (40, 30, 20, 10, 0)])
        at = self._at
        if at == len(self._held):
            self._held, at = os.urandom(self._MADE).translate(_DIGIT_OF).decode(), 0
        self._at = at + self._RANDOM
        return self._stamp + self._held[at : at + self._RANDOM]


def nonce() -> bytes:
    """Twelve random bytes, for AES-GCM."""
    return _pool.take(12)


new_id: Callable[[], str] = _Ids()


def both() -> Moment:
    """One reading of both clocks."""
    return Moment(time.time_ns() // 1000, time.monotonic())
