"""How an upstream is doing, as its own exchanges tell."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """Whether an upstream answers."""

    UNKNOWN = "unknown"
    """Nothing has been asked of it yet."""
    STARTING = "starting"
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Health:
    """An upstream's condition. `failures`: exchanges that broke since the last one that did not."""

    condition: Condition
    since: float
    """Unix seconds at which this condition began."""
    error: str
    """The last failure, for operators; empty if there was none."""
    failures: int


class Vitals:
    """Keeps an upstream's health up to date."""

    __slots__ = ("_health", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
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
        if self._health.condition is not Condition.UP or self._health.failures:
            self._become(Condition.UP, self._health.error, 0)

    def failed(self, error: str) -> None:
        """It could not be reached, did not answer, or gave what is no answer."""
        self._become(Condition.DOWN, error[:500], self._health.failures + 1)

    def _become(self, condition: Condition, error: str, failures: int) -> None:
        since = self._health.since if condition is self._health.condition else self._now()
        self._health = Health(condition, since, error, failures)
