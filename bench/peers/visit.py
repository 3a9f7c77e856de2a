"""One visit to a peer: it is started, waited for, measured at each number of connections in each era that it speaks, and ended."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.cores import GATEWAY_CORE, LOAD_CORE
from bench.load import LOAD, Orders, Seen
from bench.peers.calls import Load, SilentError, fault, load
from bench.peers.port import Launch, Peer, Site
from bench.peers.processes import accepts, family, free_port, resident, started
from bench.speech import ECHO, Era

CONNECTIONS = (1, 16, 64)
MOST_FOREIGN = 0.08
"""How much of a core others may take before a measurement counts as disturbed."""
UPSTREAM = "upstream"
_READY_SECONDS = 90.0
"""From starting a peer until its first right answer."""
_LOOK_SECONDS = 0.02
_MOST_SECONDS = 6.0
"""The longest that a slow peer is warmed up, or measured, beyond what the pace says."""
_ANSWER_SECONDS = 30.0
"""For the last answers: slow peers take seconds at 64 connections, and their answers are not wrong for that."""
_SILENT_SECONDS = 120.0
"""For a whole measurement: a load that says nothing for so long never will."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long each figure is measured."""

    repeats: int
    warm_seconds: float
    seconds: float
    settle_seconds: float
    """Before idle memory is read."""
    again: int
    """How many measurements of a visit are repeated at most because others disturbed them."""
    connections: Sequence[int] = CONNECTIONS


FULL = Pace(repeats=3, warm_seconds=0.3, seconds=1.0, settle_seconds=0.5, again=1)
QUICK = Pace(repeats=1, warm_seconds=0.1, seconds=0.4, settle_seconds=0.1, again=0)


class PeerError(Exception):
    """A peer did not do what it was started for."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement, and what it took of the cores."""

    seen: Seen
    spent: float
    """CPU seconds of all processes of the peer."""
    foreign: float
    """The greater share of a core in use that went to others than those who were measured."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What was seen between one start of a peer and its end; memory in MiB, of all its processes."""

    ready: float
    """Seconds from the start to the first right answer."""
    idle: float
    loaded: float
    measured: Mapping[tuple[Era, int], Measured]
    faults: Sequence[str]
    """Measurements with wrong answers, which count for nothing."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """What the peers call."""

    process: int
    port: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """A peer that runs, or what is called in place of one."""

    launch: Launch
    port: int
    process: subprocess.Popen[bytes] | None

    def family(self) -> Collection[int]:
        return family(self.process.pid) if self.process is not None else ()


def visit(peer: Peer, programs: Path, directory: Path, upstream: Upstream, pace: Pace, say: Say) -> Visit:
    """Starts a peer in its directory, measures it and ends it; raises `PeerError`."""
    site = Site(directory, programs, _port(directory), upstream.port)
    _settled(peer, site)
    begun = time.perf_counter()
    with _standing(peer, site) as standing:
        ready = _ready(peer, standing, site, begun)
        time.sleep(pace.settle_seconds)
        idle = resident(standing.family())
        with load() as one:
            seen = {(era, number): each for era in peer.eras for number, each in _era(one, standing, era, upstream, pace, say)}
        faults = {figure: told for figure, each in seen.items() if (told := _wrong(each.seen, *figure))}
        right = {figure: each for figure, each in seen.items() if figure not in faults}
        return Visit(ready, idle, resident(standing.family()), right, list(faults.values()))


def measured(seen: Seen, upstream: str = UPSTREAM) -> Measured:
    """A measurement and its shares; everything watched that is neither load nor upstream belongs to the peer."""
    processes, cores = seen.spent.processes, seen.spent.cores
    others = {name: spent for name, spent in processes.items() if name not in (LOAD, upstream)}
    spent = sum(others.values())
    ours = {LOAD_CORE: processes.get(LOAD, 0.0) + processes.get(upstream, 0.0), GATEWAY_CORE: spent}
    used = (LOAD_CORE, GATEWAY_CORE) if others else (LOAD_CORE,)
    foreign = max((cores.get(core, ours[core]) - ours[core]) / seen.seconds for core in used)
    return Measured(seen, spent, foreign)


def _port(directory: Path) -> int:
    """The port of a peer: the same at each start, as what it keeps may name it."""
    kept = directory / "port.txt"
    if not kept.exists():
        kept.write_text(str(free_port()))
    return int(kept.read_text())


def _settled(peer: Peer, site: Site) -> None:
    """Does once what has to be done with the peer running."""
    done = site.directory / "settled.txt"
    if peer.settle is None or done.exists():
        return
    deadline = time.monotonic() + _READY_SECONDS
    with _standing(peer, site) as standing:
        while not accepts(standing.port):
            _go_on(standing, deadline, site, "nobody listened")
        try:
            peer.settle(site, standing.launch)
        except (OSError, RuntimeError) as error:
            raise PeerError(f"it could not be set up: {error}") from error
    done.touch()


@contextmanager
def _standing(peer: Peer, site: Site) -> Iterator[_Standing]:
    with ExitStack() as stack:
        try:
            launch = peer.launch(site)
            command = launch.command
            process = stack.enter_context(started(command, launch.environment, site.directory)) if command else None
        except (OSError, subprocess.SubprocessError) as error:
            raise PeerError(f"it could not be started: {error}") from error
        yield _Standing(launch, launch.port or site.port, process)


def _ready(peer: Peer, standing: _Standing, site: Site, begun: float) -> float:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        wrong = fault(standing.launch, standing.port, peer.eras[0])
        if wrong is None:
            return time.perf_counter() - begun
        _go_on(standing, deadline, site, wrong)


def _go_on(standing: _Standing, deadline: float, site: Site, wrong: str) -> None:
    """Waits a moment; raises where there is nothing to wait for any more."""
    process = standing.process
    if process is not None and process.poll() is not None:
        said = (site.directory / "said.txt").read_text(encoding="utf-8", errors="replace")[-500:]
        raise PeerError(f"it ended with {process.returncode}: {said}")
    if time.monotonic() > deadline:
        raise PeerError(f"no right answer came within {_READY_SECONDS:g} s: {wrong}")
    time.sleep(_LOOK_SECONDS)


def _era(one: Load, standing: _Standing, era: Era, upstream: Upstream, pace: Pace, say: Say) -> Iterator[tuple[int, Measured]]:
    again = pace.again
    rates: list[float] = []
    for connections in pace.connections:
        # Until each connection has been answered once, waiting is shorter than it is later on; and slow gateways answer many at once.
        turn = connections / min(rates) if rates else 0.0
        warm, seconds = (min(max(least, turns * turn), _MOST_SECONDS) for least, turns in ((pace.warm_seconds, 1.2), (pace.seconds, 2.0)))
        orders = _orders(standing, era, connections, warm, seconds)
        found = _measure(one, orders, standing, upstream)
        if not found.seen.calls and not found.seen.wrong:
            orders = msgspec.structs.replace(orders, warm_seconds=_MOST_SECONDS, seconds=_MOST_SECONDS)
            found = _measure(one, orders, standing, upstream)
        if again and found.foreign > MOST_FOREIGN:
            again -= 1
            # Chosen by what others used, never by its result.
            found = min(found, _measure(one, orders, standing, upstream), key=lambda each: each.foreign)
        say(f"  {era}, {connections} connections: {found.seen.calls / found.seen.seconds:,.0f}/s")
        if found.seen.calls:
            rates.append(found.seen.calls / found.seen.seconds)
        yield connections, found


def _orders(standing: _Standing, era: Era, connections: int, warm_seconds: float, seconds: float) -> Orders:
    launch = standing.launch
    return Orders(
        port=standing.port,
        path=launch.path,
        era=era,
        tool=launch.tool,
        says=ECHO,
        connections=connections,
        warm_seconds=warm_seconds,
        seconds=seconds,
        keys=launch.keys,
        headers=launch.headers,
        answer_seconds=_ANSWER_SECONDS,
    )


def _measure(one: Load, orders: Orders, standing: _Standing, upstream: Upstream) -> Measured:
    watched = {**{str(process): process for process in standing.family()}, UPSTREAM: upstream.process}
    try:
        return measured(one.measure(msgspec.structs.replace(orders, watched=watched), _SILENT_SECONDS))
    except (OSError, SilentError) as error:
        raise PeerError(f"it could not be measured at {orders.connections} connections: {error}") from error


def _wrong(seen: Seen, era: Era, connections: int) -> str:
    """What is told of wrong answers, or of none at all; empty where every answer was right."""
    if not seen.wrong:
        return "" if seen.calls else f"{era}, {connections} connections: no answer came within the measured time"
    told = f": {seen.told[0][:200]}" if seen.told else ""
    return f"{era}, {connections} connections: {seen.wrong} wrong answers, {seen.calls} right ones{told}"
