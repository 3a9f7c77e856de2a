"""Measures rows in turn, several times over, with one process that loads; and notices what others took of the cores meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import IO

import msgspec

from bench.cores import GATEWAY_CORE, LOAD_CORE, Reading
from bench.gateway import SEEN_LISTS, STREAMED
from bench.load import LOAD, Orders, Seen
from bench.plan import DIRECT, PROGRESS, Pace, Row
from bench.upstream import share

MOST_FOREIGN = 0.08
"""How much of a core others may take before a measurement counts as disturbed."""

_LONGER = 4
"""How often a measurement without any answer is repeated for twice as long."""

SHOWN = sum(len(share(number)) for number in SEEN_LISTS)
"""How many of all listed tools the caller sees."""

Say = Callable[[str], None]
Measured = Mapping[Row, tuple[Seen, ...]]


class WrongAnswerError(Exception):
    """An answer was not what was asked for: there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subject answers."""

    process: int
    port: int
    keys: tuple[str, ...] = ()
    """What callers show: agent keys or access tokens."""


@dataclass(slots=True)
class Measuring:
    """The places of a run and what was found at them so far."""

    pace: Pace
    say: Say
    places: dict[str, Place]
    load: subprocess.Popen[bytes]
    again: int
    """How many disturbed measurements may still be repeated."""
    disturbed: int = 0
    """Measurements that were kept although others used the cores meanwhile."""
    count: int = 0
    memory: dict[str, float] = field(default_factory=dict)
    """The most MiB that were seen of each subject."""

    def rows(self, rows: Sequence[Row], rates: Mapping[Row, float] | None = None) -> Measured:
        """Every row, one after the other, and then all of them again: what changes over time touches each alike.

        Rows with a rate are measured in an open loop.
        """
        seen: dict[Row, list[Seen]] = {row: [] for row in rows}
        for repeat, row in product(range(self.pace.repeats), rows):
            found = self.once(row, (rates or {}).get(row, 0.0))
            seen[row].append(found)
            what = f"{row.name}, {row.tool or 'list'}, {row.era}, {row.connections} connections"
            self.say(f"{repeat + 1}/{self.pace.repeats} {what}: {found.calls / found.seconds:,.0f}/s")
        return {row: tuple(found) for row, found in seen.items()}

    def once(self, row: Row, rate: float = 0.0) -> Seen:
        """One measurement, or the less disturbed of two: chosen by what others used, never by its result."""
        found = self._once(row, rate)
        if self.again and foreign(found, row) > MOST_FOREIGN:
            self.again -= 1
            found = min(found, self._once(row, rate), key=lambda one: foreign(one, row))
        self.count += 1
        self.disturbed += foreign(found, row) > MOST_FOREIGN
        self.memory[row.subject] = max(self.memory.get(row.subject, 0.0), found.memory.get("subject", 0.0))
        return found

    def warm(self, rows: Sequence[Row]) -> None:
        """Calls each subject of these rows before anything counts: what is made at the first call is made then."""
        for row in {row.subject: row for row in rows}.values():
            self._once(row, 0.0)

    def _once(self, row: Row, rate: float) -> Seen:
        orders = self._orders(row, rate)
        seen = self._asked(orders)
        for _ in range(_LONGER):
            if seen.calls or seen.wrong:
                break
            # Nothing was answered in so short a time, on a machine that others keep busy.
            orders = msgspec.structs.replace(orders, seconds=2 * orders.seconds)
            seen = self._asked(orders)
        if seen.wrong or not seen.calls:
            raise WrongAnswerError(f"{row.name}: {seen.wrong} wrong answers, {seen.calls} right ones: {'; '.join(seen.told)}")
        return seen

    def _asked(self, orders: Orders) -> Seen:
        assert self.load.stdin is not None
        assert self.load.stdout is not None
        _write(self.load.stdin, msgspec.json.encode(orders))
        return msgspec.json.decode(self.load.stdout.readline(), type=Seen)

    def _orders(self, row: Row, rate: float) -> Orders:
        place, direct, pace = self.places[row.subject], self.places[DIRECT], self.pace
        is_streamed = row.upstream == STREAMED
        return Orders(
            port=place.port,
            path="/sse" if is_streamed and not row.is_ours else "/mcp",
            era=row.era,
            tool=f"{row.upstream}__{row.tool}" if row.is_ours and row.tool else row.tool,
            says=row.tool,
            tools=SHOWN,
            connections=row.connections,
            warm_seconds=pace.warm_seconds,
            seconds=pace.open_seconds if rate else pace.seconds,
            keys=place.keys,
            watched={"subject": place.process, "upstream": direct.process},
            rate=rate,
            progress=PROGRESS if is_streamed else "",
        )


@contextmanager
def measuring(pace: Pace, say: Say, places: dict[str, Place]) -> Iterator[Measuring]:
    """Measures at these places for as long as the block; more may be added."""
    with subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
        try:
            yield Measuring(pace, say, places, load, pace.again)
        finally:
            load.kill()


@contextmanager
def server(module: str, *arguments: str) -> Iterator[Place]:
    """A process of ours that says its port first."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield Place(process.pid, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)


def foreign(seen: Seen, row: Row) -> float:
    """The greater share of a core in use that went to others than those who were measured; 0 where the kernel does not say."""
    spent = seen.spent
    if not spent.cores:
        return 0.0
    ours = {LOAD_CORE: _spent(spent, "upstream") + _spent(spent, LOAD), GATEWAY_CORE: _spent(spent, "subject")}
    used = (LOAD_CORE,) if row.subject == DIRECT else (LOAD_CORE, GATEWAY_CORE)
    return max((spent.cores.get(core, 0.0) - ours[core]) / seen.seconds for core in used)


def loaded(seen: Seen) -> float:
    """How much of their core the load and the upstream used: far from all of it, they were not what was measured."""
    return (_spent(seen.spent, "upstream") + _spent(seen.spent, LOAD)) / seen.seconds


def _spent(spent: Reading, name: str) -> float:
    return spent.processes.get(name, 0.0)


def _write(stream: IO[bytes], line: bytes) -> None:
    stream.write(line + b"\n")
    stream.flush()
