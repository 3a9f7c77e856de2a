"""Time, ids and random bytes that a test holds: they stand where they are put, count from one, and are the same in each run."""

from datetime import UTC, tzinfo

from doorward.audit.commit import Moment as Reading
from doorward.policy.question import Moment

NOON = 1_795_003_200.0
"""2026-11-18, a Wednesday, 12:00 UTC."""


class Clock:
    """Wall and steady time; both stand still until they are moved."""

    __slots__ = ("_steady", "_unix_seconds", "zone")

    def __init__(self, unix_seconds: float = NOON, zone: tzinfo = UTC) -> None:
        self._unix_seconds = unix_seconds
        self._steady = 1_000.0
        self.zone = zone

    def now(self) -> float:
        """Unix seconds."""
        return self._unix_seconds

    def monotonic(self) -> float:
        """Steady seconds, from some beginning."""
        return self._steady

    def moment(self) -> Moment:
        """What policy decides by."""
        return Moment(self._unix_seconds, self.zone)

    def reading(self) -> Reading:
        """What the log goes by."""
        return Reading(int(self._unix_seconds * 1_000_000), self._steady)

    def pass_seconds(self, seconds: float) -> None:
        """Lets time go by."""
        self._unix_seconds += seconds
        self._steady += seconds


class Ids:
    """Counts: `call-1`, `call-2`, …"""

    __slots__ = ("_given", "_prefix")

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given = 0

    def __call__(self) -> str:
        """One that was not given before."""
        self._given += 1
        return f"{self._prefix}-{self._given}"


class Draws:
    """Bytes that are the same in each run and never repeat. Nothing secret may hang on them."""

    __slots__ = ("_drawn",)

    def __init__(self) -> None:
        self._drawn = 0

    def __call__(self, count: int) -> bytes:
        """So many bytes."""
        self._drawn += 1
        words = (self._drawn * 100_000 + number for number in range(-(-count // 8)))
        return b"".join(word.to_bytes(8, "big") for word in words)[-count:] if count else b""

    def nonce(self) -> bytes:
        """Twelve of them."""
        return self(12)
