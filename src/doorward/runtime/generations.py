"""The current snapshot, and its replacement in one assignment."""

from collections.abc import Callable

from doorward.domain.ids import Generation
from doorward.runtime.snapshot import Snapshot


class Generations:
    """Holds the current snapshot; calls in flight keep the one they began with."""

    __slots__ = ("_current", "_followers")

    def __init__(self, first: Snapshot) -> None:
        self._current = first
        self._followers: list[Callable[[], None]] = []

    @property
    def current(self) -> Snapshot:
        """The snapshot that new calls are decided by."""
        return self._current

    def next(self) -> Generation:
        """The number that the next snapshot gets."""
        return Generation(self._current.generation + 1)

    def swap(self, snapshot: Snapshot) -> None:
        """Makes a snapshot current and tells the followers."""
        self._current = snapshot
        for follower in self._followers:
            follower()

    def follow(self, follower: Callable[[], None]) -> None:
        """Calls back after each swap."""
        self._followers.append(follower)
