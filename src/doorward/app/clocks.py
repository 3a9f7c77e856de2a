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

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple("".join(pair) for pair in product(_DIGITS, repeat=2))
"""Ten bits at once."""


def nonce() -> bytes:
    """Twelve random bytes, for AES-GCM."""
    return draw(12)


def new_id() -> str:
    """A ULID in lower case: 48 bits of milliseconds, 80 random ones, 26 characters that sort by time."""
    number = (int(now() * 1000) << 80) | int.from_bytes(draw(10), "big")
    return "".join([_PAIRS[(number >> shift) & 0x3FF] for shift in range(120, -1, -10)])


def both() -> Moment:
    """One reading of both clocks."""
    return Moment(time.time_ns() // 1000, time.monotonic())
