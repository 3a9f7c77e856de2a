"""Time that never goes back, nor slower than it passes: what has ended by it stays ended, however the clock is set.

A clock that is set forward ends what its new time ends. One that is set back changes nothing: from then on it is counted how much time
passes (monotonic seconds), until the clock has caught up.
"""

from collections.abc import Callable


class Elapsed:
    """A clock over two others; call it to read it. Unix seconds."""

    __slots__ = ("_floor", "_monotonic", "_passed", "_wall")

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._floor = wall()
        self._passed = monotonic()

    def __call__(self) -> float:
        """The time now."""
        passed = self._monotonic()
        floor, wall = self._floor + (passed - self._passed), self._wall()
        self._passed = passed
        self._floor = floor = wall if wall > floor else floor  # noqa: FURB136 - on the way of every call
        return floor

    def has_been(self, moment: float) -> None:
        """Told of a moment that is known to have passed, such as one that a record was written at."""
        self._floor = max(self(), moment)


def still() -> float:
    """Monotonic seconds that do not pass: then only the clock counts, and one that is set back stands still until it has caught up."""
    return 0.0
