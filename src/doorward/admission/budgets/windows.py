"""Windows: until when a draw counts. Pure; whole Unix seconds, of a clock that never goes back.

LAW: whatever window, a draw ends at a moment that is known when it is made, so nothing has to be counted again, and a sum is that of all
draws whose end is still to come.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

Until = Callable[[int], int]
"""When what is drawn at a moment stops counting: later than that moment."""

SLOTS: Final = 60
"""A sliding window is cut into so many pieces: what is drawn in one counts until a whole window after its end."""


class Calendar:
    """Days, weeks from Monday on or months in a zone: all that is drawn in one stops counting where the next begins."""

    __slots__ = ("_kind", "_since", "_until", "_zone")

    def __init__(self, kind: Literal["day", "week", "month"], zone: ZoneInfo) -> None:
        self._kind = kind
        self._zone = zone
        self._since = self._until = 0

    def __call__(self, at: int) -> int:
        """The beginning of the next."""
        if not self._since <= at < self._until:
            self._since, self._until = at, self._end(at)
        return self._until

    def _end(self, at: int) -> int:
        day = _first(self._kind, datetime.fromtimestamp(at, self._zone).date())
        while True:
            day = _next(self._kind, day)
            end = int(datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp())
            # Where a clock is set back over midnight, a day may begin twice: the first time may be over already.
            if end > at:
                return end


class Sliding:
    """Any span of so many seconds: each draw counts at least that long, and at most a sixtieth longer."""

    __slots__ = ("_seconds", "_slot")

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._slot = -(-seconds // SLOTS)

    def __call__(self, at: int) -> int:
        """A whole window after the end of the piece that the moment is in."""
        return (at // self._slot + 1) * self._slot + self._seconds


def _first(kind: Literal["day", "week", "month"], day: date) -> date:
    match kind:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def _next(kind: Literal["day", "week", "month"], day: date) -> date:
    match kind:
        case "day":
            return day + timedelta(days=1)
        case "week":
            return day + timedelta(days=7)
        case "month":
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
