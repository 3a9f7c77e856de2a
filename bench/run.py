"""One whole run: starts what is measured, measures each row in turn, several times over, and gives what was seen."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec

from bench.cores import GATEWAY_CORE, LOAD_CORE, Reading, memory_mib
from bench.figures import Spread, spread
from bench.gateway import POLICIES, READING_POLICY, SEEN_LISTS, Gateway, calls_document, lists_document, running, write
from bench.load import LOAD, Orders, Seen
from bench.machine import described
from bench.plan import ROWS, Pace, Row, Subject
from bench.upstream import share

SETTLE_SECONDS = 2.0
"""Between a start and the reading of idle memory, and between a load and the next reading."""
MOST_FOREIGN = 0.08
"""How much of a core others may take before a measurement counts as disturbed."""

SHOWN = sum(len(share(number)) for number in SEEN_LISTS)
"""How many of all listed tools the caller sees."""

Say = Callable[[str], None]


class WrongAnswerError(Exception):
    """An answer was not what was asked for: there is nothing to report."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a subject answers."""

    process: int
    port: int
    path: str = "/mcp"
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the gateway in MiB."""

    idle: float
    loaded: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Seconds from starting the process until the gateway is ready with three upstreams."""

    first: Spread
    """With an empty state directory."""
    again: Spread


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a run has found."""

    machine: Mapping[str, str]
    pace: Pace
    rows: Mapping[Row, tuple[Seen, ...]]
    memory: Memory
    ready: Ready
    stages: Mapping[str, float]
    disturbed: int
    """Measurements that were kept although others used the cores meanwhile."""


def run(pace: Pace, say: Say) -> Figures:
    """Measures everything; raises `WrongAnswerError`."""
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        machine = described(directory)
        upstream = stack.enter_context(server("bench.upstream"))
        say("starting and stopping")
        ready = _ready(directory, upstream.port, pace)
        say("stages")
        stages = _stages(directory / "stages", upstream.port)
        floor = stack.enter_context(server("bench.floor", f"http://127.0.0.1:{upstream.port}/mcp"))
        gateway = stack.enter_context(running(_calls(directory / "calls", upstream.port)))
        lists = stack.enter_context(running(write(directory / "lists", lists_document(upstream.port), POLICIES)))
        time.sleep(SETTLE_SECONDS)
        idle = memory_mib(gateway.process.pid)
        places = {
            Subject.DIRECT: upstream,
            Subject.FLOOR: floor,
            Subject.DOORWARD: _place(gateway),
            Subject.LISTS: _place(lists),
        }
        seen, disturbed = _rows(places, pace, say)
        time.sleep(SETTLE_SECONDS)
        memory = Memory(idle, memory_mib(gateway.process.pid))
        return Figures(machine, pace, seen, memory, ready, stages, disturbed)


def _rows(places: Mapping[Subject, Place], pace: Pace, say: Say) -> tuple[Mapping[Row, tuple[Seen, ...]], int]:
    """Every row, one after the other, and then all of them again: what changes over time touches each alike."""
    seen: dict[Row, list[Seen]] = {row: [] for row in ROWS}
    disturbed, again = 0, pace.again
    for repeat, row in product(range(pace.repeats), ROWS):
        found = _measured(row, places, pace)
        if again and foreign(found, row) > MOST_FOREIGN:
            again -= 1
            # Chosen by what others used, never by its result.
            found = min(found, _measured(row, places, pace), key=lambda one: foreign(one, row))
        seen[row].append(found)
        disturbed += foreign(found, row) > MOST_FOREIGN
        what = f"{row.name}, {row.tool or 'list'}, {row.era}, {row.connections} connections"
        say(f"{repeat + 1}/{pace.repeats} {what}: {found.calls / found.seconds:,.0f}/s")
    return {row: tuple(found) for row, found in seen.items()}, disturbed


def foreign(seen: Seen, row: Row) -> float:
    """The greater share of a core in use that went to others than those who were measured; 0 where the kernel does not say."""
    spent = seen.spent
    if not spent.cores:
        return 0.0
    ours = {LOAD_CORE: _spent(spent, "upstream") + _spent(spent, LOAD), GATEWAY_CORE: _spent(spent, "subject")}
    used = (LOAD_CORE,) if row.subject is Subject.DIRECT else (LOAD_CORE, GATEWAY_CORE)
    return max((spent.cores.get(core, 0.0) - ours[core]) / seen.seconds for core in used)


def _spent(spent: Reading, name: str) -> float:
    return spent.processes.get(name, 0.0)


def _measured(row: Row, places: Mapping[Subject, Place], pace: Pace) -> Seen:
    place = places[row.subject]
    is_gateway = row.subject in (Subject.DOORWARD, Subject.LISTS)
    orders = Orders(
        port=place.port,
        path=place.path,
        era=row.era,
        tool=f"{row.upstream}__{row.tool}" if is_gateway and row.tool else row.tool,
        says=row.tool,
        tools=SHOWN,
        connections=row.connections,
        warm_seconds=pace.warm_seconds,
        seconds=pace.seconds,
        keys=place.keys,
        watched={"subject": place.process, "upstream": places[Subject.DIRECT].process},
    )
    done = subprocess.run([sys.executable, "-m", "bench.load"], input=msgspec.json.encode(orders), stdout=subprocess.PIPE, check=True)
    seen = msgspec.json.decode(done.stdout, type=Seen)
    if seen.wrong or not seen.calls:
        raise WrongAnswerError(f"{row.name}: {seen.wrong} wrong answers, {seen.calls} right ones: {'; '.join(seen.told)}")
    return seen


def _ready(directory: Path, port: int, pace: Pace) -> Ready:
    first: list[float] = []
    again: list[float] = []
    for number in range(pace.starts):
        document = _calls(directory / f"start-{number}", port)
        for times in (first, again):
            with running(document) as gateway:
                times.append(gateway.ready_seconds)
    return Ready(spread(first), spread(again))


def _stages(directory: Path, port: int) -> Mapping[str, float]:
    document = _calls(directory, port)
    done = subprocess.run([sys.executable, "-m", "bench.stages", str(document)], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def _calls(directory: Path, port: int) -> Path:
    return write(directory, calls_document(port), POLICIES, READING_POLICY)


def _place(gateway: Gateway) -> Place:
    return Place(gateway.process.pid, gateway.port, keys=gateway.keys())


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
