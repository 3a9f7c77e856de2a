"""Codes that are good once and for a moment, of which only the hash is kept."""

from collections.abc import Callable
from hashlib import sha256
from typing import Generic, TypeVar

from doorward.control.operator_sessions import random_text

T = TypeVar("T")

MOST = 1000


class Once(Generic[T]):
    """Values behind codes; `take` gives each at most once, whatever comes of it then."""

    __slots__ = ("_draw", "_held", "_now", "_seconds")

    def __init__(self, seconds: float, draw: Callable[[int], bytes], now: Callable[[], float]) -> None:
        self._seconds, self._draw, self._now = seconds, draw, now
        self._held: dict[bytes, tuple[float, T]] = {}

    def put(self, value: T) -> str:
        """A code for a value; the oldest goes where there are too many."""
        code = random_text(self._draw)
        while len(self._held) >= MOST:
            del self._held[next(iter(self._held))]
        self._held[_digest(code)] = (self._now() + self._seconds, value)
        return code

    def take(self, code: str) -> T | None:
        """The value of a code that has not been taken and has not ended."""
        until, value = self._held.pop(_digest(code), (0.0, None))
        return value if self._now() < until else None


def _digest(code: str) -> bytes:
    return sha256(code.encode()).digest()
