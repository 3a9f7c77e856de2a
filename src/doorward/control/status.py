"""Admin API: how the gateway stands: whether it is ready, what is wrong or worth a look, and how each upstream does."""

from collections.abc import Callable

import msgspec

from doorward import __version__
from doorward.audit import checkpoint
from doorward.audit.anchor import Anchors
from doorward.audit.recorder import Recorder
from doorward.audit.store import LogStore
from doorward.call.flight import Flight
from doorward.config.model import Upstream as UpstreamConfig
from doorward.control.operators import Role
from doorward.control.routes import Ask, Route, Shape
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import UpstreamId
from doorward.runtime.alerts.outbox import Standing as Sink
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Workbench
from doorward.upstream.health import AddressState


class AddressView(Shape):
    """One address of an upstream. `seconds`: how long it is left out from now; `why`: in what it differs; `processes`: that run for it."""

    name: str
    state: str
    in_flight: int
    failures: int
    seconds: float
    error: str
    why: str
    processes: int


class UpstreamView(Shape):
    """One upstream; times are Unix seconds. `withheld`: new or drifted; `dropped`: cannot be used; `gone`: accepted, not offered now."""

    id: str
    team: str
    transport: str
    trust: str
    posture: str
    state: str
    since: float
    failures: int
    error: str
    seen_at: float | None
    tools: int
    prompts: int
    resources: int
    withheld: int
    dropped: int
    gone: int
    in_flight: int
    addresses: tuple[AddressView, ...]


class LogView(Shape):
    """How the log does; `checkpoint_size`: leaves under its newest checkpoint; `owed`: outcomes that wait for the store to write again."""

    checkpoint_size: int
    failure: str | None
    owed: int


class SinkView(Shape):
    """One place that alerts go to; `waiting` and `dropped` count messages, `last` is when it took one (Unix seconds)."""

    name: str
    failure: str
    waiting: int
    dropped: int
    delivered: int
    last: float | None


class StatusView(Shape):
    """The gateway at one moment. `reasons`: why it is not ready; `problems`: what was not taken; `warnings`: what is worth a look."""

    version: str
    ready: bool
    reasons: tuple[str, ...]
    generation: int
    config: str
    policies: str
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    in_flight: int
    log: LogView
    upstreams: tuple[UpstreamView, ...]
    alerts: tuple[SinkView, ...] = ()


class Evidence(msgspec.Struct, frozen=True):
    """What of the log is told here."""

    recorder: Recorder
    anchors: Anchors
    store: LogStore

    def view(self) -> LogView:
        """How it does now."""
        note = self.store.checkpoint()
        size = checkpoint.parse(note)[1].size if note is not None else 0
        return LogView(checkpoint_size=size, failure=self.recorder.failure, owed=self.recorder.owed)

    def warnings(self) -> tuple[str, ...]:
        """What is worth a look: that nothing outside keeps the log honest."""
        return () if self.anchors.warning is None else (self.anchors.warning,)


class Status(msgspec.Struct, frozen=True):
    """The one look at everything."""

    not_ready: Callable[[], tuple[str, ...]]
    generations: Generations
    workbench: Workbench
    fleet: Fleet
    flight: Flight
    evidence: Evidence
    loud: Callable[[], tuple[str, ...]]
    """What everybody should hear of."""
    sinks: Callable[[], tuple[Sink, ...]] = tuple
    """How everything does that alerts are sent to."""

    def routes(self) -> tuple[Route, ...]:
        """Its row of the route table."""
        return (Route("GET", "/v1/status", Role.VIEWER, "Show how the gateway stands", self.show, gives=StatusView),)

    async def show(self, ask: Ask) -> StatusView:
        """Everything at this moment."""
        snapshot, reasons, sinks = self.generations.current, self.not_ready(), self.sinks()
        return StatusView(
            version=__version__,
            ready=not reasons,
            reasons=reasons,
            generation=snapshot.generation,
            config=snapshot.document_digest,
            policies=snapshot.policies.digest,
            problems=self.workbench.problems,
            warnings=(*self.loud(), *_unreached(sinks), *self.evidence.warnings(), *self._held_back(), *self.workbench.warnings),
            in_flight=self.flight.count(),
            log=self.evidence.view(),
            upstreams=tuple(self._upstream(UpstreamId(name), config, snapshot) for name, config in snapshot.document.upstreams.items()),
            alerts=tuple(SinkView(**msgspec.structs.asdict(one)) for one in sinks),
        )

    def _upstream(self, name: UpstreamId, config: UpstreamConfig, snapshot: Snapshot) -> UpstreamView:
        index, offer = snapshot.index, snapshot.offers.get(name)
        standings = [entry.standing for entry in index.everything() if entry.target.upstream == name]
        driver = self.fleet.all().get(name)
        health = driver.state() if driver is not None else None
        return UpstreamView(
            id=name,
            team=config.team,
            transport="stdio" if config.stdio is not None else "http",
            trust=config.trust,
            posture=config.posture,
            state=health.condition if health is not None else "closed",
            since=health.since if health is not None else 0,
            failures=health.failures if health is not None else 0,
            error=health.error if health is not None else "",
            seen_at=index.seen.get(name),
            tools=len(index.entries(name, Kind.TOOL)),
            prompts=len(index.entries(name, Kind.PROMPT)),
            resources=len(index.entries(name, Kind.RESOURCE)),
            withheld=sum(standing in (Standing.NEW, Standing.DRIFTED) for standing in standings),
            dropped=len(offer.dropped) if offer is not None else 0,
            gone=standings.count(Standing.GONE),
            in_flight=self.flight.count(name),
            addresses=() if driver is None else tuple(_address(one, self.flight.count(name)) for one in driver.addresses()),
        )

    def _held_back(self) -> tuple[str, ...]:
        """The addresses that get no calls because they show something else than the others."""
        every = [(name, address) for name, driver in self.fleet.all().items() for address in driver.addresses()]
        return tuple(f"upstreams.{name}: {one.name} is held back, it differs in {one.why}" for name, one in every if one.why)


def _address(one: AddressState, all_calls: int) -> AddressView:
    return AddressView(
        name=one.name,
        state=one.duty,
        in_flight=all_calls if one.outstanding is None else one.outstanding,
        failures=one.failures,
        seconds=round(one.seconds, 1),
        error=one.error,
        why=one.why,
        processes=one.processes,
    )


def _unreached(sinks: tuple[Sink, ...]) -> tuple[str, ...]:
    """A sentence for each sink that fails."""
    return tuple(f"alerts do not reach {one.name} ({one.waiting} wait): {one.failure}" for one in sinks if one.failure)
