"""One whole run: starts what is measured, measures it part by part, and gives what was seen."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import msgspec

from bench import idle
from bench.cores import memory_mib
from bench.figures import Spread, spread
from bench.gateway import POLICIES, Gateway, calls_document, lists_document, running, write
from bench.issuer import Issuer, issuing
from bench.load import Seen
from bench.machine import described
from bench.measure import Measured, Measuring, Place, Say, measuring
from bench.measure import WrongAnswerError as WrongAnswerError
from bench.measure import server as server
from bench.plan import DIRECT, FLOOR, KEY, LISTS, MAIN, OFF, OPEN, TOKEN, Pace, Row, chosen, chosen_parts
from bench.variants import MORE, PARTS, Variant, everything, tokens
from bench.variants import OFF as ALL_OFF
from bench.walls import metrics, walls


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of the gateway in MiB."""

    idle: float
    loaded: float
    """The most that was seen at the end of a measurement."""
    after: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Seconds from starting the process until the gateway is ready with four upstreams."""

    first: Spread
    """With an empty state directory."""
    again: Spread


@dataclass(frozen=True, slots=True)
class Held:
    """Streams that wait, beside calls at 64 connections."""

    count: int
    kibibytes: float
    """Of the gateway for each of them."""
    alone: tuple[Seen, ...]
    beside: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a run has found."""

    machine: Mapping[str, str]
    pace: Pace
    rows: Measured
    rates: Mapping[Row, float]
    """Of the open loop."""
    opened: Measured
    parts: Measured
    held: Held
    memory: Memory
    ready: Ready
    stages: Mapping[str, float]
    walls: Mapping[str, float]
    wall: float
    """What such a call took on average, as its caller saw it, in microseconds: beside `walls`."""
    count: int
    disturbed: int


class Site:
    """Where the gateways of a run live, what is behind them, and who vouches for their callers."""

    __slots__ = ("_directory", "_upstream", "issuer")

    def __init__(self, directory: Path, upstream: int, issuer: Issuer) -> None:
        self._directory, self._upstream, self.issuer = directory, upstream, issuer

    @property
    def everything(self) -> Variant:
        """Everything on."""
        return Variant("everything on", "", everything(self.issuer))

    def document(self, variant: Variant, **more: object) -> Path:
        """Writes the document of a variant; gives its path, in a directory of its own."""
        directory = Path(tempfile.mkdtemp(dir=self._directory))
        return write(directory, {**variant.change(calls_document(self._upstream)), **more}, *variant.policies)

    def lists(self) -> Path:
        """The same of the gateway with many tools."""
        return write(Path(tempfile.mkdtemp(dir=self._directory)), lists_document(self._upstream), POLICIES)


def run(pace: Pace, say: Say) -> Figures:
    """Measures everything; raises `WrongAnswerError`."""
    with tempfile.TemporaryDirectory(prefix="doorward-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        machine = described(directory)
        upstream = stack.enter_context(server("bench.upstream"))
        site = Site(directory, upstream.port, stack.enter_context(issuing()))
        say("starting and stopping")
        ready = _ready(site, pace)
        say("stages")
        stages = _stages(site, pace)
        measuring_ = stack.enter_context(measuring(pace, say, {DIRECT: upstream}))
        gateway = _opened(measuring_, site, stack)
        time.sleep(pace.settle_seconds)
        idle_mib = memory_mib(gateway.process.pid)
        main = chosen(MAIN, pace)
        measuring_.warm(main)
        rows = measuring_.rows(main)
        rates = {row: _rate(rows[row]) / 2 for row in OPEN}
        say("open loop")
        opened = measuring_.rows(OPEN, rates)
        say("streams that wait")
        held = _held(measuring_, gateway)
        time.sleep(pace.settle_seconds)
        memory = Memory(idle_mib, max(measuring_.memory[KEY], measuring_.memory[TOKEN]), memory_mib(gateway.process.pid))
        say("the gateway's own clock")
        wall, clocked = _clocked(site, measuring_)
        say("everything on but for one stage")
        with ExitStack() as more:
            some = chosen_parts(pace)
            for variant in (*PARTS.values(), *MORE.values()):
                if any(row.subject == variant.name for row in some):
                    measuring_.places[variant.name] = _place(more.enter_context(running(site.document(variant))), variant)
            measuring_.warm(some)
            parts = measuring_.rows(some)
        counts = (measuring_.count, measuring_.disturbed)
        return Figures(machine, pace, rows, rates, opened, parts, held, memory, ready, stages, clocked, wall, *counts)


def _opened(measured: Measuring, site: Site, stack: ExitStack) -> Gateway:
    """Starts the subjects of the main part; gives the gateway with everything on."""
    upstream = measured.places[DIRECT]
    gateway = stack.enter_context(running(site.document(site.everything)))
    measured.places |= {
        FLOOR: stack.enter_context(server("bench.floor", f"http://127.0.0.1:{upstream.port}/mcp")),
        OFF: _place(stack.enter_context(running(site.document(ALL_OFF))), ALL_OFF),
        KEY: _place(gateway, site.everything),
        TOKEN: Place(gateway.process.pid, gateway.port, tokens(site.issuer)),
        LISTS: _place(stack.enter_context(running(site.lists())), site.everything),
    }
    return gateway


def _held(measured: Measuring, gateway: Gateway) -> Held:
    """Streams that wait: what each weighs, and calls with and without them in turn."""
    pace, row = measured.pace, Row(KEY, 64)
    listeners = gateway.keys(idle.agents_for(pace.streams), "listener")
    alone: list[Seen] = []
    beside: list[Seen] = []
    weights: list[float] = []
    for _ in range(pace.repeats):
        alone.append(measured.once(row))
        before = memory_mib(gateway.process.pid)
        with idle.streams(gateway.port, listeners, pace.streams):
            weights.append(1024 * (memory_mib(gateway.process.pid) - before) / pace.streams)
            beside.append(measured.once(row))
    # The first ones are weighed: those that follow take the place that they left.
    return Held(pace.streams, weights[0], tuple(alone), tuple(beside))


def _clocked(site: Site, measured: Measuring) -> tuple[float, Mapping[str, float]]:
    """What a call at one connection takes on average, and in each stage by the gateway's own clock, both in microseconds."""
    with running(site.document(site.everything, telemetry={"stages": True})) as gateway:
        row = Row("Doorward, with its clock", 1)
        measured.places[row.subject] = _place(gateway, site.everything)
        measured.warm([row])
        pages = [metrics(gateway.admin)]
        seen = []
        for _ in range(measured.pace.repeats):
            seen.append(measured.once(row))
            pages.append(metrics(gateway.admin))
    found = [walls(before, after) for before, after in pairwise(pages)]
    return 1e6 * median(one.mean for one in seen), {stage: median(one[stage] for one in found) for stage in found[0]}


def _ready(site: Site, pace: Pace) -> Ready:
    first: list[float] = []
    again: list[float] = []
    for _ in range(pace.starts):
        document = site.document(site.everything)
        for times in (first, again):
            with running(document) as gateway:
                times.append(gateway.ready_seconds)
    return Ready(spread(first), spread(again))


def _stages(site: Site, pace: Pace) -> Mapping[str, float]:
    command = [sys.executable, "-m", "bench.stages", str(site.document(site.everything)), str(pace.effort)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=dict[str, float])


def _place(gateway: Gateway, variant: Variant) -> Place:
    return Place(gateway.process.pid, gateway.port, gateway.keys() if variant.has_keys else ())


def _rate(seen: tuple[Seen, ...]) -> float:
    return median(one.calls / one.seconds for one in seen)
