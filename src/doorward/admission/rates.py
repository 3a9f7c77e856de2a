"""How many calls in a time: token buckets, each kept as one number (GCRA, the form of ITU-T I.371's leaky bucket).

The number is when the bucket will be full again. Time is monotonic and an argument; a clock that steps back stands still here, one
that jumps ahead fills buckets and no more.
"""

import heapq
import math
from typing import Protocol

import msgspec

from doorward.domain.errors import DoorwardError

MOST_BUCKETS = 10_000
"""Keys that may be below a full bucket at the same time; a full bucket is the same as none, and is forgotten."""

_DRIFT = 1e-6
"""Seconds. Sums of fractions of a minute drift by less than this over any burst that the config allows."""


class CounterError(DoorwardError):
    """A count that cannot be had now: nobody knows whether there is one more."""


class Flow(Protocol):
    """A bucket's size and how fast it fills."""

    @property
    def interval(self) -> float:
        """Seconds that one call costs."""
        ...

    @property
    def depth(self) -> float:
        """Seconds that a whole bucket holds."""
        ...


class Pace(msgspec.Struct, frozen=True):
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


Key = str | tuple[str, ...]
"""What a bucket belongs to."""


class Rates:
    """The buckets of all keys at one pace."""

    __slots__ = ("_burst", "_depth", "_full_at", "_interval", "_latest", "_most", "_next_sweep")

    def __init__(self, flow: Flow, most: int = MOST_BUCKETS) -> None:
        self._interval, self._depth = flow.interval, flow.depth
        self._burst = round(flow.depth / flow.interval)
        self._most = most
        self._full_at: dict[Key, float] = {}
        self._latest = float("-inf")
        self._next_sweep = float("-inf")

    def adopt(self, flow: Flow) -> None:
        """Goes on at another pace: what was used is used, and nobody owes more than its whole bucket."""
        latest, depth, times = self._latest, flow.depth, flow.interval / self._interval
        self._full_at = {key: latest + min((full_at - latest) * times, depth) for key, full_at in self._full_at.items()}
        self._interval, self._depth = flow.interval, depth
        self._burst = round(flow.depth / flow.interval)
        self._next_sweep = float("-inf")

    def take(self, key: Key, now: float) -> float:
        """Takes one call out of a bucket and gives 0; or takes nothing and gives the seconds until there is one."""
        if now > self._latest:
            self._latest = now
        else:
            now = self._latest
        full_at = self._full_at.get(key)
        if full_at is None:
            return self._take_first(key, now)
        after = (full_at if full_at > now else now) + self._interval  # noqa: FURB136 - on the way of every call
        wait = after - self._depth - now
        if wait > _DRIFT:
            return wait
        self._full_at[key] = after
        return 0.0

    def _take_first(self, key: Key, now: float) -> float:
        """Takes one call out of a full bucket, for which there may be no room."""
        after = now + self._interval
        wait = after - self._depth - now
        if wait > _DRIFT:
            return wait
        if len(self._full_at) >= self._most and (room_in := self._sweep(now)) > 0:
            return room_in
        self._next_sweep = min(self._next_sweep, after)
        self._full_at[key] = after
        return 0.0

    def wait(self, key: Key, now: float) -> float:
        """The seconds until there is a call in a bucket, 0 where there is one now; raises `CounterError` where another bucket has no room."""
        if now < self._latest:
            now = self._latest
        full_at = self._full_at.get(key)
        if full_at is None:
            if len(self._full_at) >= self._most and self._sweep(now) > 0:
                raise CounterError(f"no room for more than {self._most} counters")
            return 0.0
        wait = full_at + self._interval - self._depth - now
        return wait if wait > _DRIFT else 0.0

    def put(self, key: Key, now: float) -> None:
        """Takes one call, which `wait` has just said is there."""
        if now < self._latest:
            now = self._latest
        self._latest = now
        buckets, interval = self._full_at, self._interval
        full_at = buckets.get(key)
        if full_at is None:
            self._next_sweep = min(self._next_sweep, now + interval)
            full_at = now
        buckets[key] = (now if now > full_at else full_at) + interval  # noqa: FURB136 - on the way of every call

    def leave(self, key: Key) -> None:
        """A call that has ended gives nothing back."""

    def left(self, key: Key, now: float) -> tuple[int, int | None]:
        """The calls that are in a bucket, and the whole seconds until there is one more; None where it is full."""
        owed = self._full_at.get(key, now) - (now if now > self._latest else self._latest)  # noqa: FURB136 - as above
        if owed <= 0:
            return self._burst, None
        before = int((owed - _DRIFT) / self._interval)
        left = self._burst - before - 1
        return left if left > 0 else 0, math.ceil(owed - before * self._interval - _DRIFT) or 1  # noqa: FURB136 - as above

    def busiest(self, now: float, most: int) -> list[tuple[Key, int]]:
        """The keys that have used most of their buckets, and how much."""
        now = max(now, self._latest)
        owing = heapq.nlargest(most, ((full_at - now, key) for key, full_at in self._full_at.items() if full_at > now))
        return [(key, math.ceil((owed - _DRIFT) / self._interval)) for owed, key in owing]

    def __len__(self) -> int:
        return len(self._full_at)

    def _sweep(self, now: float) -> float:
        """Forgets full buckets; gives 0, or the seconds until one will be full. At most once for each time one has become full."""
        if now >= self._next_sweep:
            self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
            self._next_sweep = min(self._full_at.values(), default=now)
        return 0.0 if len(self._full_at) < self._most else self._next_sweep - now
