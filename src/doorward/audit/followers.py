"""Whoever hears of what the log is told, beside it: alerts follow the log, so that they name its leaves."""

from typing import Protocol

from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event, Place, Refusal


class Follower(Protocol):
    """Hears of what happens as the log is told of it. Called on the loop; waits for nothing and raises nothing."""

    def noted(self, event: Event, place: Place | None) -> None:
        """An event, and where it stands; None where the log could not be told, though what it tells of may hold."""
        ...

    def refused(self, refusal: Refusal) -> None:
        """A call that is refused before its intent, whether it gets a leaf or is counted: its id is that of the leaf."""
        ...

    def turned_away(self, network: str, reason: Reason) -> None:
        """A caller that was refused before anybody knew who it is; each of them, not only the first of a minute."""
        ...
