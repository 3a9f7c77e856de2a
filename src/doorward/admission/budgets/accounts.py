"""Accounts: what has been drawn under one key, as memory mirrors it. The rows are the truth; this spares asking them in vain."""

from collections.abc import Iterator


class Account:
    """The draws of one key that still count, by the moment at which they stop."""

    __slots__ = ("_live", "_next", "_spent", "told")

    def __init__(self) -> None:
        self._live: dict[int, int] = {}
        self._spent = 0
        self._next = 0
        self.told: dict[int, int] = {}
        """Until when nobody is told again, by what they were told of."""

    def spent(self, at: int) -> int:
        """What counts at a moment."""
        if at >= self._next and self._live:
            self._live = {until: units for until, units in self._live.items() if until > at}
            self._spent = sum(self._live.values())
            self._next = min(self._live, default=0)
        return self._spent

    def add(self, until: int, units: int) -> None:
        """Counts a draw, or a correction (below 0) of one that still counts."""
        if units < 0 and until not in self._live:
            return
        if not self._live or until < self._next:
            self._next = until
        self._live[until] = self._live.get(until, 0) + units
        self._spent += units

    def ends(self) -> Iterator[tuple[int, int]]:
        """Each moment at which something stops counting, soonest first, with what counts after it."""
        left = self._spent
        for until in sorted(self._live):
            left -= self._live[until]
            yield until, left

    @property
    def is_empty(self) -> bool:
        """Whether nothing counts; then it is the same as none."""
        return not self._live
