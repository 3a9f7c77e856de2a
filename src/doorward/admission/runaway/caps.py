"""Caps: never more than so many in any stretch of a time, counted in few steps so that the count stays small."""

from collections import deque

from doorward.admission.runaway.rules import Bound

STEPS = 60
"""Parts of a window that are counted apart: a call is forgotten at most one of them later than it could be."""


class Cap:
    """The calls of one caller in one policy group. INVARIANT: of those that are let in, no window ever holds more than the bound."""

    __slots__ = ("_before", "_counts", "_latest", "sum")

    def __init__(self) -> None:
        self._counts: deque[list[int]] = deque()
        """Steps that are over, and how many were in each."""
        self._latest = -1
        self._before = 0
        """Those that count of the steps before the latest."""
        self.sum = 0
        """Those that count, as of the last call."""

    def take(self, now: float, bound: Bound) -> bool:
        """Counts one, and gives whether that is one too many."""
        step = int(now * STEPS / bound.seconds)
        if step > self._latest:
            self._turn(step)
        self.sum = count = self.sum + 1
        return count > bound.calls

    def give_back(self, then: float, bound: Bound) -> None:
        """The one that was counted at that moment did not happen."""
        step = int(then * STEPS / bound.seconds)
        if step == self._latest and self.sum > self._before:
            self.sum -= 1
            return
        for pair in self._counts:
            if pair[0] == step and pair[1] > 0:
                pair[1] -= 1
                self._before -= 1
                self.sum -= 1
                return

    def wait(self, now: float, bound: Bound) -> float:
        """The seconds until there is room again for one more, as far as the oldest step is about that."""
        oldest = next((pair[0] for pair in self._counts if pair[1]), self._latest)
        return max((oldest + STEPS + 1) * bound.seconds / STEPS - now, 0.0)

    def _turn(self, step: int) -> None:
        """Begins a step, and forgets those that are out of the window."""
        self._counts.append([self._latest, self.sum - self._before])
        while self._counts and self._counts[0][0] < step - STEPS:
            self.sum -= self._counts.popleft()[1]
        self._before, self._latest = self.sum, step
