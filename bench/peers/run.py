"""One whole run: every peer is visited in turn, and then all of them again; what one of them cannot do is told of it, and no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.machine import described
from bench.peers.install import Installed, Missing
from bench.peers.port import Peer
from bench.peers.visit import Measured, Pace, PeerError, Say, Upstream, Visit, visit
from bench.run import server
from bench.speech import Era
from doorward import __version__


@dataclass(frozen=True, slots=True)
class Found:
    """All that a run knows of one peer."""

    peer: Peer
    version: str
    mebibytes: float
    """Of its environment, on disk."""
    visits: list[Visit] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What went wrong, in the order in which it did."""

    def measured(self, era: Era, connections: int) -> Sequence[Measured]:
        """Every measurement of one figure."""
        return [visit.measured[era, connections] for visit in self.visits if (era, connections) in visit.measured]

    def middle(self, of: Callable[[Visit], float]) -> float:
        """The median of something over all visits."""
        return median(of(visit) for visit in self.visits)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that a run has found."""

    machine: Mapping[str, str]
    pace: Pace
    found: Sequence[Found]


def run(peers: Sequence[Peer], environments: Mapping[str, Installed | Missing], pace: Pace, say: Say) -> Figures:
    """Measures every peer that could be installed."""
    found = [_found(peer, environments.get(peer.environment)) for peer in peers]
    with TemporaryDirectory(prefix="dw-peers-") as name, server("bench.upstream") as place:
        upstream = Upstream(place.process, place.port)
        machine = described(Path(name))
        for repeat, (number, one) in product(range(pace.repeats), enumerate(found)):
            if isinstance(environments.get(one.peer.environment), Missing) or (len(one.faults) > 1 and not one.visits):
                continue
            directory = Path(name) / str(number)
            directory.mkdir(exist_ok=True)
            say(f"{repeat + 1}/{pace.repeats} {one.peer.name}")
            _visit(one, environments, directory, upstream, pace, say)
    return Figures(machine, pace, found)


def _found(peer: Peer, environment: Installed | Missing | None) -> Found:
    match environment:
        case None:
            return Found(peer, __version__ if peer.package == "doorward" else "", 0.0)
        case Missing(why):
            return Found(peer, "", 0.0, faults=[f"it was not installed: {why}"])
        case Installed():
            return Found(peer, environment.versions.get(peer.package, ""), environment.mebibytes)


def _visit(
    found: Found, environments: Mapping[str, Installed | Missing], directory: Path, upstream: Upstream, pace: Pace, say: Say
) -> None:
    environment = environments.get(found.peer.environment)
    programs = environment.programs if isinstance(environment, Installed) else Path()
    try:
        seen = visit(found.peer, programs, directory, upstream, pace, say)
    except PeerError as error:
        found.faults.append(str(error))
        say(f"  {error}")
        return
    found.visits.append(seen)
    found.faults.extend(seen.faults)
    for fault in seen.faults:
        say(f"  {fault}")
