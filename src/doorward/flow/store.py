"""What flow asks of a store besides the log's transactions: the contexts that were written with intents, and to forget them."""

from collections.abc import Collection
from typing import Protocol

from doorward.domain.flow import Counts, Held


class FlowStore(Protocol):
    """Where contexts outlive the process. Raises `StoreError` when it cannot answer. What calls do to them is written by the log."""

    async def load(self) -> tuple[tuple[Held, Counts], ...]:
        """Every context of which an acknowledged entry has written something and that was not forgotten since, as last written.

        In any order; one whose counters were never written has none (all 0, at its beginning).
        """
        ...

    async def drop(self, contexts: Collection[int]) -> None:
        """Forgets contexts by number, durable on return; what is not there is no error."""
        ...
