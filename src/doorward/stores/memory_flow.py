"""Contexts in memory: for tests and trials. What is kept here ends with the process."""

from collections.abc import Collection, Iterable

from doorward.domain.flow import Counts, Held, Rise, latest


class MemoryFlow:
    """Contexts (`FlowStore`), and the rises of a log in memory."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._counts: dict[int, Counts] = {}

    async def load(self) -> tuple[tuple[Held, Counts], ...]:
        """Every context."""
        self._counts = {number: counts for number, counts in self._counts.items() if number in self._held}
        return tuple([(held, self._counts.get(number, Counts(number, 0, 0, 0, 0, 0))) for number, held in self._held.items()])

    async def drop(self, contexts: Collection[int]) -> None:
        """Forgets contexts."""
        self._forget(contexts)

    def write(self, rises: Iterable[Rise]) -> None:
        """Keeps the latest of each context, and forgets those that are no more."""
        risen = latest(rises)
        for counts in risen.counts:
            known = self._counts.get(counts.context)
            if known is None or known.tick < counts.tick:
                self._counts[counts.context] = counts
        for held in risen.held:
            before = self._held.get(held.context)
            if before is None or before.version < held.version:
                self._held[held.context] = held
        self._forget(risen.gone)

    def _forget(self, contexts: Collection[int]) -> None:
        for number in contexts:
            self._held.pop(number, None)
            self._counts.pop(number, None)
