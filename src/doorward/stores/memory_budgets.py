"""Budgets in memory: for tests and trials. What is kept here ends with the process."""

from collections.abc import Collection, Sequence

from doorward.admission.budgets.store import Raise, Spent
from doorward.domain.budgets import Draw, OverdrawnError


class MemoryBudgets:
    """Sums and raises (`BudgetStore`), and the draws of a log in memory."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, int], int] = {}
        self._raises: dict[str, Raise] = {}
        self._swept = 0

    async def spent(self, at: int) -> tuple[Spent, ...]:
        """Every sum that still counts."""
        return tuple(Spent(*row, units) for row, units in self._sums.items() if row[2] > at)

    async def raises(self) -> tuple[Raise, ...]:
        """Every raise that is kept."""
        return tuple(self._raises.values())

    async def put(self, raised: Raise) -> None:
        """Adds a raise."""
        self._raises[raised.id] = raised

    async def drop(self, raises: Collection[str]) -> None:
        """Forgets raises."""
        for name in raises:
            self._raises.pop(name, None)

    async def sweep(self, at: int) -> None:
        """Forgets sums that do not count any more."""
        kept = {row: units for row, units in self._sums.items() if row[2] > at}
        if len(kept) < len(self._sums):
            self._swept = max(self._swept, at)
        self._sums = kept

    async def swept(self) -> int:
        """The latest moment at which sums were forgotten."""
        return self._swept

    def overdrawn(self, draws: Sequence[Draw]) -> OverdrawnError | None:
        """The first draw that its budget does not hold."""
        for one in draws:
            counting = (units for (*place, until), units in self._sums.items() if place == [one.ledger, one.key] and until > one.at)
            spent = sum(counting)
            if spent + one.units > one.limit:
                return OverdrawnError(one, spent)
        return None

    def draw(self, draws: Sequence[Draw]) -> None:
        """Counts draws."""
        for one in draws:
            row = (one.ledger, one.key, one.until)
            self._sums[row] = self._sums.get(row, 0) + one.units

    def give_back(self, draws: Sequence[Draw]) -> None:
        """Takes corrections off the rows that they were drawn in."""
        for one in draws:
            row = (one.ledger, one.key, one.until)
            if row in self._sums:
                self._sums[row] -= one.units
