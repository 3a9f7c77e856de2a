"""A count that falls by itself: a leaky bucket that tells the truth about how many there were, and since when."""

from doorward.admission.runaway.rules import Bound


class Level:
    """What has come in faster than it may go on for ever."""

    __slots__ = ("count", "first", "height", "latest", "since")

    def __init__(self, count: int = 0, now: float = 0.0, number: int = 0) -> None:
        """One that is empty, or that so many came into at once, the first of them as this number."""
        self.height = float(count)
        """What has not drained yet, as of the last call."""
        self.latest = now
        self.count = count
        """Calls since it was last empty."""
        self.since = now
        """When the first of them was; monotonic seconds."""
        self.first = number
        """The number of the first of them among everything that its caller did."""

    def add(self, now: float, number: int, bound: Bound, amount: float = 1.0) -> bool:
        """One more; `number` counts everything that its caller does. Whether the bound is reached."""
        height = self.height
        if now > self.latest:
            height -= (now - self.latest) * bound.pace
            self.latest = now
        if height <= 0.0:
            height, self.count, self.since, self.first = 0.0, 0, now, number
        self.height = height = height + amount
        self.count += 1
        return height >= bound.calls

    def clear(self) -> None:
        """Begins anew."""
        self.height, self.count = 0.0, 0
