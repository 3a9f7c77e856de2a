"""Draws: what one call takes of one budget, in whole units, as it is written with the call's intent and corrected with its outcome."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from doorward.domain.errors import DoorwardError

AMOUNT_PLACES: Final = 6
"""Amounts are counted in millionths, however many places a budget allows: integers are exact."""
MOST_UNITS: Final = 2**62
"""No sum comes near the end of a 64-bit integer."""


class Draw(NamedTuple):
    """What a call takes of one budget under one key. INVARIANT: `until` is after `at`.

    A tuple, as every call makes one of each of its budgets, and a frozen dataclass takes three times as long to make.
    """

    budget: str
    """Its name in the document."""
    ledger: str
    """What its sums are kept under: another one where the budget counts otherwise."""
    key: str
    """Whose sum it is, as JSON."""
    at: int
    """Unix seconds; what counts until this or before does not count any more."""
    until: int
    """Unix seconds: when this draw stops counting. Draws that end together are one row."""
    units: int
    """Above 0; of a correction what is given back, below 0 where more was used than reserved."""
    limit: int
    """The most that may count at once, with what it was raised by."""
    told: str
    """How the log says it: the amount as text."""


class OverdrawnError(DoorwardError):
    """A draw that does not fit: nothing was written."""

    def __init__(self, draw: Draw, spent: int) -> None:
        super().__init__(f"budget {draw.budget} holds {draw.limit - spent} units, {draw.units} were asked for")
        self.draw, self.spent = draw, spent


def told(draws: Iterable[Draw]) -> Mapping[str, str]:
    """What a receipt says of them: amount by budget."""
    return {draw.budget: draw.told for draw in draws}
