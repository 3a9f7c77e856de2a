"""Accounts: what has been drawn under one key, as memory mirrors it. The rows are the truth; this spares asking them in vain."""

from collections.abc import Iterator


class Account:
    """The draws of one key that still count, by the moment at which they stop."""

    __slots__ = ("_live", "_spent", "key", "next", "told")

    def __init__(self, key: str) -> None:
        self.key = key
        """As rows have it."""
        self.next = 0
        """When something stops counting next; 0 where nothing counts."""
        self.told: dict[int, int] = {}
        """Until when nobody is told again, by what they were told of."""
        self._live: dict[int, int] = {}
        self._spent = 0

    def spent(self, at: int) -> int:
        """What counts at a moment."""
        if at >= self.next and self._live:
            self._live = {until: units for until, units in self._live.items() if until > at}
            self._spent = sum(self._live.values())
            self.next = min(self._live, default=0)
        return self._spent

    def add(self, until: int, units: int) -> int:
        """Counts a draw, or a correction (below 0) of one that still counts; gives what counts then."""
        live = self._live
        if until in live:
            live[until] += units
        elif units < 0:
            return self._spent
        else:
            live[until] = units
            if not self.next or until < self.next:
                self.next = until
        self._spent += units
        return self._spent

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
