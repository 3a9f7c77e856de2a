"""How many at the same time: one count for each key under which anything runs."""

import heapq
import math

from doorward.admission.rates import Key


class Running:
    """The calls that run, by key; as many counts as keys under which something runs, so bounded by what may run at all."""

    __slots__ = ("_most", "_running")

    def __init__(self, most: int) -> None:
        self._most = most
        self._running: dict[Key, int] = {}

    def adopt(self, most: int) -> None:
        """Goes on with another bound; what runs goes on."""
        self._most = most

    def wait(self, key: Key, now: float) -> float:
        """0 where one more may run, infinite where one has to end first."""
        return 0.0 if self._running.get(key, 0) < self._most else math.inf

    def put(self, key: Key, now: float) -> None:
        """One more runs."""
        self._running[key] = self._running.get(key, 0) + 1

    def leave(self, key: Key) -> None:
        """One has ended."""
        left = self._running[key] - 1
        if left:
            self._running[key] = left
        else:
            del self._running[key]

    def left(self, key: Key, now: float) -> tuple[int, int | None]:
        """How many more may run; nobody knows when there will be another."""
        return max(self._most - self._running.get(key, 0), 0), None

    def busiest(self, now: float, most: int) -> list[tuple[Key, int]]:
        """The keys under which most runs, and how many."""
        return heapq.nlargest(most, self._running.items(), key=lambda item: item[1])

    def __len__(self) -> int:
        return len(self._running)
