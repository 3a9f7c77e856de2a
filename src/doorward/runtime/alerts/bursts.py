"""Counts by source and minute, to tell when something comes too often. Pure: the time is an argument."""

from typing import Final

MINUTE_SECONDS: Final = 60
SOURCES: Final = 1000
"""Counted apart in one minute; those beyond are counted as one."""
OTHERS: Final = "others"


class Bursts:
    """The counts of the minute that runs."""

    __slots__ = ("_counts", "_minute", "threshold")

    def __init__(self, threshold: int) -> None:
        self._counts: dict[str, int] = {}
        self._minute = 0
        self.threshold = threshold
        """How many in a minute are a burst."""

    def count(self, source: str, now: float) -> int:
        """Counts one more; gives how many of its source that makes each time the threshold is reached again, else 0."""
        minute = int(now // MINUTE_SECONDS)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        source = self.counted(source)
        found = self._counts[source] = self._counts.get(source, 0) + 1
        return found if found % self.threshold == 0 else 0

    def counted(self, source: str) -> str:
        """What a source is counted under: itself, unless there are too many."""
        return source if source in self._counts or len(self._counts) < SOURCES else OTHERS

    def is_loud(self, source: str) -> bool:
        """Whether a source alone makes a burst in the minute that runs."""
        return self._counts.get(self.counted(source), 0) >= self.threshold
