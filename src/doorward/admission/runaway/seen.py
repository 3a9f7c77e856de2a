"""What is remembered of one call: its last answer, what counts its repetitions, and how long it rests once it is caught."""

from typing import Final

import msgspec

from doorward.admission.runaway.levels import Level
from doorward.admission.runaway.rules import Bound

PAUSE_SECONDS: Final = 60.0
"""How long a call rests that is caught for the first time."""
LONGEST_SECONDS: Final = 900.0
"""A rest is twice as long each time that the call, tried once more, gives the same answer again; and no longer than this."""


class Rest(msgspec.Struct):
    """What is caught rests until a moment; then one call may try again."""

    bound: Bound
    count: int
    seconds: float
    """So many calls were made in so many seconds when it was caught."""
    until: float
    pause: float = PAUSE_SECONDS

    def wait(self, now: float) -> float:
        """The seconds that are left; 0 where one may try, and the rest begins anew while it does."""
        if now < self.until:
            return self.until - now
        self.until = now + self.pause
        return 0.0

    def longer(self, now: float) -> None:
        """It was tried in vain."""
        self.pause = min(self.pause * 2, LONGEST_SECONDS)
        self.until = now + self.pause


class Seen:
    """One call among those that are remembered, one tool or one list.

    Most calls are never made again, so what counts repetitions is made by the first of them, from what is kept of the call.
    """

    __slots__ = ("_at", "_count", "_number", "answer", "counted", "latest", "polled", "rest")

    def __init__(self, count: int = 0, now: float = 0.0, number: int = 0) -> None:
        """What was called so many times before anything counts it; the caller did `number` things by then."""
        self._count, self._at, self._number = count, now, number
        self.counted: Level | None = None
        """`same`, once anything was counted."""
        self.polled: Level | None = None
        """`every`, once anything was counted."""
        self.answer: int | None = None
        self.latest = number
        """Its number, when it was answered last, among everything that its caller did."""
        self.rest: Rest | None = None

    @property
    def same(self) -> Level:
        """Of those that were answered as the one before."""
        level = self.counted
        if level is None:
            level = self.counted = Level(self._count, self._at, self._number)
        return level

    @property
    def every(self) -> Level:
        """Of all of them."""
        level = self.polled
        if level is None:
            level = self.polled = Level(self._count, self._at, self._number)
        return level
