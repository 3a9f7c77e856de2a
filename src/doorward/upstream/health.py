"""How an upstream is doing, as its own exchanges tell."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from doorward.upstream.circuit import Blame, Circuit


class Condition(StrEnum):
    """Whether an upstream answers."""

    UNKNOWN = "unknown"
    """Nothing has been asked of it yet."""
    STARTING = "starting"
    UP = "up"
    DOWN = "down"


class Health(msgspec.Struct, frozen=True):
    """An upstream's condition. `failures`: exchanges that broke since the last one that did not."""

    condition: Condition
    since: float
    """Unix seconds at which this condition began."""
    error: str
    """The last failure, for operators; empty if there was none."""
    failures: int
    is_shut: bool = False
    """Whether each of its addresses is left out, so that calls are refused at once."""


class Duty(StrEnum):
    """What an address is used for."""

    SERVING = "serving"
    EJECTED = "ejected"
    """It fails, and is left out for a while."""
    UNSEEN = "unseen"
    """It has not been looked at yet, and gets no calls before that."""
    HELD_BACK = "held_back"
    """It shows other definitions than the others, and gets no calls."""
    DRAINED = "drained"
    """An operator has taken it out; what runs there ends."""


class AddressState(msgspec.Struct, frozen=True):
    """One address of an upstream, as operators see it."""

    name: str
    """Its URL without query, or the number of the process."""
    duty: Duty
    outstanding: int | None
    """Requests under way there; None where only one address is known, and nobody counts."""
    failures: int
    """In a row."""
    seconds: float
    """How long it is left out from now."""
    error: str
    """The last failure; empty if there was none."""
    why: str
    """Why it is held back."""
    processes: int = 0
    """How many processes run for it."""


_UP = Condition.UP
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class Vitals:
    """Keeps the health of one address of an upstream up to date, and its circuit."""

    __slots__ = ("_health", "_now", "circuit")

    def __init__(self, now: Callable[[], float], circuit: Circuit) -> None:
        self._now = now
        self.circuit = circuit
        self._health = Health(Condition.UNKNOWN, now(), "", 0)

    @property
    def health(self) -> Health:
        """The health as it is now."""
        return self._health

    def starting(self) -> None:
        """It is being started or probed."""
        self._become(Condition.STARTING, self._health.error, self._health.failures)

    def well(self) -> None:
        """It gave an answer that could be read, an error of its own included."""
        if self._health.condition is not _UP or self._health.failures:
            self._become(Condition.UP, self._health.error, 0)
            self.circuit.well()

    def failed(self, error: str, blame: Blame) -> None:
        """It could not be reached, did not answer, or gave what is no answer."""
        self._become(Condition.DOWN, error[:500], self._health.failures + 1)
        self.circuit.failed(blame)

    def _become(self, condition: Condition, error: str, failures: int) -> None:
        since = self._health.since if condition is self._health.condition else self._now()
        self._health = Health(condition, since, error, failures)
