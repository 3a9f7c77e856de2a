"""How long to wait before trying again: doubling, capped, spread by chance so that many do not try at once."""

from collections.abc import Callable


class Backoff:
    """Gives one delay after the other; `reset` after a success."""

    __slots__ = ("_chance", "_first_seconds", "_most_seconds", "_tries")

    def __init__(self, first_seconds: float, most_seconds: float, chance: Callable[[], float]) -> None:
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._chance = chance
        """Gives numbers evenly spread over 0 ≤ n < 1."""
        self._tries = 0

    def next_seconds(self) -> float:
        """Between half and all of first × 2ⁿ, never more than the most."""
        whole: float = min(self._first_seconds * 2.0 ** min(self._tries, 32), self._most_seconds)
        self._tries += 1
        return whole * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """The next delay is the first again."""
        self._tries = 0
