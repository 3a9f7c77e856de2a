"""What budgets ask of a store besides the log's transactions: sums that still count, and raises that hold."""

from collections.abc import Collection
from typing import Protocol

import msgspec


class Spent(msgspec.Struct, frozen=True):
    """What was drawn under one key and counts until one moment."""

    ledger: str
    key: str
    until: int
    """Unix seconds."""
    units: int


class Raise(msgspec.Struct, frozen=True):
    """What one budget holds more than its limit, until an end. It counts for no call of the people of whoever gave it."""

    id: str
    budget: str
    ledger: str
    key: str | None
    """The one key that it is for; None for all."""
    units: int
    reason: str
    by: str
    """Who gave it."""
    begins: float
    ends: float
    """Unix seconds, both."""
    names: tuple[str, ...] = ()
    """Everything else that who gave it is known by."""


class BudgetStore(Protocol):
    """Where sums and raises outlive the process. Raises `StoreError` when it cannot answer. What calls draw is written by the log."""

    async def spent(self, at: int) -> tuple[Spent, ...]:
        """Every sum that still counts after `at` (Unix seconds), with every draw whose entry was acknowledged, in any order."""
        ...

    async def raises(self) -> tuple[Raise, ...]:
        """Every raise that was put and not dropped, in any order."""
        ...

    async def put(self, raised: Raise) -> None:
        """Adds a raise; durable on return."""
        ...

    async def drop(self, raises: Collection[str]) -> None:
        """Forgets raises by id, durable on return; what is not there is no error."""
        ...

    async def sweep(self, at: int) -> None:
        """Forgets sums that have stopped counting at this moment, and remembers that it has been, where there were any."""
        ...

    async def swept(self) -> int:
        """The latest moment at which sums were forgotten, 0 for none: time has been there, whatever a clock says later."""
        ...
