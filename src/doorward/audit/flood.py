"""Refusals that anybody can cause in any number: told at once the first time, then counted (AUDIT.md, point 1).

One leaf tells the first of a source and reason in a minute; at the minute's close one more gives how many followed. What goes
beyond the cap of sources is counted in one leaf for all: nobody can hide in the log, nor flood it.
"""

import ipaddress
from collections.abc import Callable

import msgspec

from doorward.domain.reasons import Reason
from doorward.domain.receipts import Event

SOURCES = 1000
"""Distinct source and reason pairs told in one minute."""
MINUTE_SECONDS = 60
OVERFLOW = "other"

OVER_LIMIT = frozenset({Reason.OVER_RATE, Reason.OVER_CONCURRENCY, Reason.OVERLOADED, Reason.RUNAWAY, Reason.OVER_BUDGET})
"""Reasons that a caller over its limits gets as often as it likes."""


def prefix(network: str) -> str:
    """The source that an address is counted under: /24 of IPv4, /48 of IPv6; else the text itself, cut."""
    try:
        address = ipaddress.ip_address(network.partition("%")[0])
    except ValueError:
        return network[:64]
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    wide = mapped or address
    return str(ipaddress.ip_network((wide, 24 if wide.version == 4 else 48), strict=False))


class Source(msgspec.Struct, frozen=True):
    """Who is refused, and why."""

    name: str
    """An address prefix, or an agent."""
    reason: Reason


class Flood:
    """The counts of the minute that runs."""

    __slots__ = ("_counts", "_minute", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._minute = int(now() // MINUTE_SECONDS)
        self._counts: dict[Source, int] = {}

    def is_first(self, source: Source) -> bool:
        """Counts a refusal; true when it is the first of its source in this minute and gets a leaf of its own."""
        if source not in self._counts:
            if len(self._counts) < SOURCES:
                self._counts[source] = 0
                return True
            source = Source(OVERFLOW, source.reason)
        self._counts[source] = self._counts.get(source, 0) + 1
        return False

    def close_minute(self) -> list[Event]:
        """What to tell of the minute that has ended; nothing while it runs."""
        minute = int(self._now() // MINUTE_SECONDS)
        return [] if minute == self._minute else self.close(minute)

    def close(self, minute: int | None = None) -> list[Event]:
        """What to tell of the counts so far; the next ones belong to the given minute."""
        told = [_counted(source, count, self._minute) for source, count in self._counts.items() if count]
        self._minute = self._minute if minute is None else minute
        self._counts = {}
        return told


def _counted(source: Source, count: int, minute: int) -> Event:
    fields = {"source": source.name, "reason": source.reason.value, "more": count, "minute": minute * MINUTE_SECONDS}
    return Event("refusals_counted", "doorward", fields)
