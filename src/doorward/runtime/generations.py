"""The current snapshot, and its replacement in one assignment."""

from collections.abc import Callable

from doorward.domain.ids import Generation
from doorward.runtime.snapshot import Snapshot


class Generations:
    """Holds the current snapshot; calls in flight keep the one they began with."""

    __slots__ = ("_followers", "current")

    def __init__(self, first: Snapshot) -> None:
        self.current = first
        """The snapshot that new calls are decided by. INVARIANT: set by `swap` alone."""
        self._followers: list[Callable[[], None]] = []

    def next(self) -> Generation:
        """The number that the next snapshot gets."""
        return Generation(self.current.generation + 1)

    def swap(self, snapshot: Snapshot) -> None:
        """Makes a snapshot current and tells the followers."""
        self.current = snapshot
        for follower in self._followers:
            follower()

    def follow(self, follower: Callable[[], None]) -> None:
        """Calls back after each swap."""
        self._followers.append(follower)
