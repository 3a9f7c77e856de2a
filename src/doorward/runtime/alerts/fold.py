"""How many alerts become few messages: the first of a kind and key at once, then one a while with a count. Pure: the time is an argument.

INVARIANT: whatever callers and upstreams can cause in any number takes at most half of what goes out in an hour, and each kind of it
at most a quarter, so that it hides neither what operators and the gateway itself do, nor what comes of another kind.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import msgspec

from doorward.domain.alerts import Alert, AlertKind

KEYS: Final = 1000
"""Kinds and keys that are told apart at the same time; those beyond are folded into one of their kind."""
OTHERS: Final = "others"
HOUR_SECONDS: Final = 3600.0
FROM_OUTSIDE: Final = frozenset(
    {AlertKind.MISUSE, AlertKind.AUTHENTICATION, AlertKind.RUNAWAY, AlertKind.BUDGET, AlertKind.BREAKER, AlertKind.DRIFT}
)
"""What somebody outside can set off as often as it likes: a caller, also by calls that make an upstream fail, or an upstream."""


class Pace(msgspec.Struct, frozen=True):
    """How often anybody hears."""

    interval_seconds: float
    """From one message of a kind and key to the next."""
    per_hour: int


class Folded(msgspec.Struct, frozen=True):
    """One message: the latest of so many alerts."""

    alert: Alert
    count: int
    goes_out: bool = True
    """False where the hour's messages are used up: only the journal tells of it."""


class _Open(msgspec.Struct):
    until: float
    count: int
    latest: Alert


class Fold:
    """What was told lately, and what has come since."""

    __slots__ = ("_hour_ends", "_kept_back", "_open", "_pace", "_sent", "_sent_from_outside")

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._open: dict[tuple[AlertKind, str], _Open] = {}
        self._hour_ends = float("-inf")
        self._sent = self._kept_back = 0
        self._sent_from_outside: Counter[AlertKind] = Counter()

    def adopt(self, pace: Pace) -> None:
        """Goes on at another pace."""
        self._pace = pace

    def take(self, alert: Alert, now: float) -> Iterator[Folded]:
        """What is to be told at once; nothing where the alert waits for the end of its interval."""
        key = (alert.kind, alert.key)
        if key not in self._open and len(self._open) >= KEYS:
            key = (alert.kind, OTHERS)
        held = self._open.get(key)
        if held is not None:
            held.count, held.latest = held.count + 1, alert
            return
        self._open[key] = _Open(now + self._pace.interval_seconds, 0, alert)
        yield from self._told(alert, 1, now)

    def due(self, now: float) -> Iterator[Folded]:
        """What is to be told of intervals that have ended; what came no more is forgotten."""
        for key, held in tuple(self._open.items()):
            if held.until > now:
                continue
            if not held.count:
                del self._open[key]
                continue
            alert, count = held.latest, held.count
            held.until, held.count = now + self._pace.interval_seconds, 0
            yield from self._told(alert, count, now)

    def rest(self, now: float) -> Iterator[Folded]:
        """What is to be told of intervals that still run, because nobody will ask later."""
        for held in self._open.values():
            held.until = now
        yield from self.due(now)

    def next_due(self) -> float | None:
        """When `due` is to be asked next; None where nothing was told lately."""
        return min((held.until for held in self._open.values()), default=None)

    def _told(self, alert: Alert, count: int, now: float) -> Iterator[Folded]:
        yield from self._new_hour(now)
        is_full = self._is_full(alert.kind)
        if is_full:
            self._kept_back += count
        else:
            self._sent += 1
            self._sent_from_outside.update([alert.kind] if alert.kind in FROM_OUTSIDE else ())
        yield Folded(alert, count, goes_out=not is_full)

    def _is_full(self, kind: AlertKind) -> bool:
        """Whether no more of a kind may go out in this hour."""
        most, outside = self._pace.per_hour, self._sent_from_outside
        is_outside_full = outside.total() * 2 >= most or outside[kind] * 4 >= most
        return self._sent >= most or (kind in FROM_OUTSIDE and is_outside_full)

    def _new_hour(self, now: float) -> Iterator[Folded]:
        if now < self._hour_ends:
            return
        kept_back, self._kept_back = self._kept_back, 0
        self._hour_ends, self._sent = now + HOUR_SECONDS, 0
        self._sent_from_outside.clear()
        if kept_back:
            self._sent = 1
            yield Folded(_kept_back(kept_back), 1)


def of_count(folded: Folded) -> Alert:
    """The alert as one message tells it: of several, it says so."""
    if folded.count == 1:
        return folded.alert
    return replace(folded.alert, sentence=f"{folded.alert.sentence} (the latest of {folded.count} like it)")


def _kept_back(count: int) -> Alert:
    sentence = f"{count} alerts of the last hour stand in the journal alone: more came than may go out in an hour"
    return Alert(AlertKind.LOG, sentence, {"kept_back": count}, key="kept_back")
