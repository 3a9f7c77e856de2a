"""How many calls a minute: a token bucket per agent, kept as one number (GCRA, the form of ITU-T I.371's leaky bucket).

The number is when the bucket will be full again. Time is monotonic and an argument; a clock that steps back stands still here, one
that jumps ahead fills buckets and no more.
"""

from dataclasses import dataclass

MOST_BUCKETS = 10_000
"""Agents that may be below a full bucket at the same time; a full bucket is the same as none, and is forgotten."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many calls a minute in the long run, and how many at once after a rest."""

    per_minute: int
    burst: int

    @property
    def interval(self) -> float:
        """Seconds that one call costs."""
        return 60.0 / self.per_minute

    @property
    def depth(self) -> float:
        """Seconds that a whole bucket holds."""
        return self.interval * self.burst


class Rates:
    """The buckets of all agents at one pace."""

    __slots__ = ("_depth", "_full_at", "_interval", "_latest", "_most", "_next_sweep")

    def __init__(self, pace: Pace, most: int = MOST_BUCKETS) -> None:
        self._interval, self._depth = pace.interval, pace.depth
        self._most = most
        self._full_at: dict[str, float] = {}
        self._latest = float("-inf")
        self._next_sweep = float("-inf")

    def adopt(self, pace: Pace) -> None:
        """Goes on at another pace; nobody owes more than its whole bucket."""
        self._interval, self._depth = pace.interval, pace.depth
        most = self._latest + self._depth
        self._full_at = {key: min(full_at, most) for key, full_at in self._full_at.items()}

    def take(self, key: str, now: float) -> float:
        """Takes one call out of a bucket and gives 0; or takes nothing and gives the seconds until there is one."""
        now = self._latest = max(now, self._latest)
        full_at = self._full_at.get(key, now)
        if full_at < now:
            full_at = now
        after = full_at + self._interval
        wait = after - self._depth - now
        # Sums of fractions of a minute drift by less than this over any burst that the config allows.
        if wait > 1e-6:
            return wait
        if key not in self._full_at and len(self._full_at) >= self._most:
            room_in = self._sweep(now)
            if room_in > 0:
                return room_in
        self._full_at[key] = after
        return 0.0

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> float:
        """Forgets full buckets; gives 0, or the seconds until one will be full. At most once for each time one has become full."""
        if now >= self._next_sweep:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
            self._next_sweep = min(self._full_at.values(), default=now)
        return 0.0 if len(self._full_at) < self._most else self._next_sweep - now
