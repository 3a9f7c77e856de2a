"""Caps: never more than so many in any stretch of a time, counted in few steps so that the count stays small."""

from collections import deque

from doorward.admission.runaway.rules import Bound

STEPS = 60
"""Parts of a window that are counted apart: a call is forgotten at most one of them later than it could be."""


class Cap:
    """The calls of one caller in one policy group. INVARIANT: what `is_full` lets in is never more than the bound in any window."""

    __slots__ = ("_counts", "_latest", "_sum")

    def __init__(self) -> None:
        self._counts: deque[list[int]] = deque()
        self._sum = 0
        self._latest = 0

    @property
    def sum(self) -> int:
        """Those that count, as of the last question."""
        return self._sum

    def is_full(self, now: float, bound: Bound) -> bool:
        """Whether there is no room for one more."""
        self._forget(now, bound)
        return self._sum >= bound.calls

    def take(self, now: float, bound: Bound) -> int:
        """Counts one; gives its step, to give it back with."""
        step = self._latest = max(_step(now, bound), self._latest)
        if self._counts and self._counts[-1][0] == step:
            self._counts[-1][1] += 1
        else:
            self._counts.append([step, 1])
        self._sum += 1
        return step

    def give_back(self, step: int) -> None:
        """One that was counted in a step did not happen."""
        for pair in self._counts:
            if pair[0] == step and pair[1] > 0:
                pair[1] -= 1
                self._sum -= 1
                return

    def wait(self, now: float, bound: Bound) -> float:
        """The seconds until there is room again."""
        if not self._counts:
            return 0.0
        return max((self._counts[0][0] + STEPS + 1) * bound.seconds / STEPS - now, 0.0)

    def _forget(self, now: float, bound: Bound) -> None:
        oldest = _step(now, bound) - STEPS
        while self._counts and self._counts[0][0] < oldest:
            self._sum -= self._counts.popleft()[1]


def _step(now: float, bound: Bound) -> int:
    return int(now * STEPS / bound.seconds)
