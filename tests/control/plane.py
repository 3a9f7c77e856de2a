"""A control plane of real rooms on stores in memory, asked in process with a peer of one's choice."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from itertools import count
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request

from doorward.admission.budgets.budgets import Budgets
from doorward.admission.budgets.budgets import Seams as BudgetSeams
from doorward.admission.gate import Gate
from doorward.admission.stops import Switch
from doorward.app.house import limits_of
from doorward.app.screening import detached
from doorward.app.state import is_own_raise
from doorward.approval.desk import Desk, Terms
from doorward.approval.waivers import Kept
from doorward.audit.anchor import Anchors
from doorward.audit.auditor import Auditor
from doorward.audit.checkpoint import Signer
from doorward.audit.commit import Committer
from doorward.audit.commit import Moment as LogMoment
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.call.flight import Flight
from doorward.call.sessions import Sessions
from doorward.catalog.pins import Pins
from doorward.config.references import Resolver
from doorward.control.agents import Agents
from doorward.control.alerts import AlertTest
from doorward.control.app import PEER, admin_app, by_peer
from doorward.control.approvals import Approvals
from doorward.control.break_glass import BreakGlass
from doorward.control.budgets import BudgetRows
from doorward.control.catalog import Catalog
from doorward.control.certificates import IssuedCertificates
from doorward.control.configuration import Configurations
from doorward.control.connections import ConnectionRows
from doorward.control.encryption import EncryptionKeys
from doorward.control.exceptions import Exceptions
from doorward.control.flow import FlowRows
from doorward.control.limits import LimitRows
from doorward.control.log import Log
from doorward.control.network import session_seconds
from doorward.control.observed import Observed
from doorward.control.operator_sessions import OperatorSessions
from doorward.control.operators import Operator, from_peer
from doorward.control.pages import Pages
from doorward.control.past import Past
from doorward.control.people import People
from doorward.control.policies import PolicyDesk
from doorward.control.policy_sets import PolicyHistory
from doorward.control.replays import Replays
from doorward.control.routes import Route
from doorward.control.secrets import SecretRows
from doorward.control.sessions import SessionRows
from doorward.control.status import Evidence, Status
from doorward.control.stops import Stops
from doorward.control.upstreams import Upstreams
from doorward.control.waivers import Ground
from doorward.credentials.connections.connections import Connections
from doorward.credentials.sources.custody import Custody
from doorward.credentials.sources.held import Clocks
from doorward.credentials.sources.inventory import Inventory
from doorward.domain.calls import Era
from doorward.domain.flow import UNMOVED
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.flow.contexts import Contexts
from doorward.flow.index import Names
from doorward.flow.room import Room
from doorward.flow.rules import Rules, Trace
from doorward.identity.registry import Registry
from doorward.policy.question import Moment
from doorward.policy.session import Said
from doorward.runtime.alerts.alarms import Tried
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.runtime.programs import Means as ProgramMeans
from doorward.runtime.programs import Programs
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Places, Workbench, first, read
from doorward.stores.memory import MemoryApprovals, MemoryLog, MemoryPins, MemorySessions
from doorward.stores.memory_budgets import MemoryBudgets
from doorward.stores.memory_certificates import MemoryIssued
from doorward.stores.memory_flow import MemoryFlow
from doorward.stores.memory_policy_sets import MemoryPolicySets
from doorward.telemetry.meter import Meter
from doorward.upstream.sight import Sight
from doorward.wire.sealed import Seal
from tests.control.accounts import accounts
from tests.control.failing import FailingAgents, FailingStops, FailingWaivers
from tests.control.idle import IdleUpstream
from tests.made import Clock
from tests.sealing import Keys, opened


def named(uid: int) -> str:
    operator = from_peer(uid, {})
    assert operator is not None
    return operator.name


NOW = 1_795_003_200.0
"""2026-11-18, a Wednesday, 12:00 UTC."""
OWN = os.geteuid()
ME = named(OWN)
ANN, BOB = 61_001, 61_002
"""User ids that no system gives out."""

DOCUMENT = {
    "upstreams": {
        "git": {"url": "https://git.example.com/mcp", "credential": {"value": "Bearer ${env:GIT_TOKEN}"}},
        "time": {"stdio": {"command": ["time-server"], "env": {"MODE": "plainly-a-secret"}}, "posture": "observe"},
    },
    "policies": {"files": ["policy.cedar"]},
    "control": {"operators": {str(ANN): "viewer"}},
}
POLICY = """\
@id("reads") @reason("Reading is fine.")
permit (principal, action == Action::"git/read_file", resource);
@id("no-secrets") @reason("Nobody reads secrets.")
forbid (principal, action == Action::"git/read_file", resource) when { context.input.path like "secret*" };
@id("ask-late") @reason("Late reads are looked at.") @approval("ops")
forbid (principal, action == Action::"git/read_file", resource) when { context.time.hour >= 20 };
"""
READ_FILE = {
    "name": "read_file",
    "description": "Reads.",
    "inputSchema": {
        "type": "object",
        "properties": {"path": {"type": "string"}, "share": {"type": "number"}},
        "required": ["path"],
        "additionalProperties": False,
    },
}


def tool(name: str, description: str = "Does it.") -> dict[str, object]:
    return {"name": name, "description": description, "inputSchema": {"type": "object"}}


def sight(*tools: Mapping[str, object]) -> Sight:
    return Sight(Era.EXCHANGE, ("2026-07-28",), {"name": "fake"}, {"tools": {}}, None, tools, (), (), ())


class Draws:
    """Bytes that are never the same twice, and the same in each test."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, size: int) -> bytes:
        return next(self._numbers).to_bytes(4, "big").rjust(size, b"\x07")[:size]


@dataclass(slots=True)
class Plane:
    """Every room, and the app over them."""

    path: Path
    clock: Clock
    log: MemoryLog
    recorder: Recorder
    auditor: Auditor
    registry: Registry
    agents: FailingAgents
    switch: Switch
    stops: FailingStops
    desk: Desk
    pins: MemoryPins
    workbench: Workbench
    generations: Generations
    sessions: Sessions
    flight: Flight
    meter: Meter
    fleet: Fleet
    keys: Keys
    anchors: Anchors = field(default_factory=Anchors)
    issued: MemoryIssued = field(default_factory=MemoryIssued)
    waivers: FailingWaivers = field(default_factory=FailingWaivers)
    sets: MemoryPolicySets = field(default_factory=MemoryPolicySets)
    loud: list[str] = field(default_factory=list)
    """What operators should not miss."""
    reasons: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()
    """What sinks of alerts answer to a test."""
    unfit: tuple[str, ...] = ()
    """What is wrong with every edit of a call."""
    operators: dict[int, Operator] = field(default_factory=dict)
    """Operators with teams, by user ids that no system gives out; others are what the document says."""
    shown: dict[str, Sight] = field(default_factory=dict)
    """What the next look at an upstream shows."""
    tried_again: list[UpstreamId] = field(default_factory=list)
    """Upstreams that were held back for what they are made of, and may be started now."""
    ended: list[UpstreamId] = field(default_factory=list)
    programs: Programs = field(init=False)
    operator_sessions: OperatorSessions = field(init=False)
    kept: Kept = field(init=False)
    inventory: Inventory = field(init=False)
    connections: Connections = field(init=False)
    gate: Gate = field(init=False)
    budgets: Budgets = field(init=False)
    contexts: Contexts = field(init=False)
    app: Starlette = field(init=False)
    routes: tuple[Route, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.programs = Programs(
            ProgramMeans(
                self.pins,
                self.recorder.note,
                self.clock,
                lambda: self.generations.current.document,
            )
        )
        self.programs.released, self.programs.stopped = self.tried_again.append, self.ended.append
        self.operator_sessions = OperatorSessions(Draws(), self.clock)
        self.kept = Kept(self.waivers, self.clock, self.clock)
        self.gate = Gate(self.switch, limits_of(self.generations.current.document), self.clock)
        self.budgets = Budgets(MemoryBudgets(), BudgetSeams(self.clock, is_own_raise, self.recorder.pseudonym))
        self.budgets.adopt(self.generations.current.document)
        self.contexts = Contexts(Room(MemoryFlow()), Names(Draws()), self.clock, Rules(self.generations.current.document, Trace.ON))
        custody = Custody({}, Clocks(self.clock, self.clock), lambda event, text: None)
        local = Resolver(self.path.parent, {"GIT_TOKEN": "canary-of-git"})
        self.inventory = Inventory(lambda: self.generations.current.document, (self.path.parent, local), custody, lambda upstream: None)
        self.connections = accounts(self.clock, self.recorder.note, self.recorder.pseudonym)
        self.routes = tuple(self._routes())
        pages = Pages(lambda: self.reasons, self.meter)
        self.app = admin_app(self.routes, self.who, pages.plain())

    def own_link(self, upstream: UpstreamId) -> str | None:
        """A link for the one upstream that takes accounts."""
        return "https://gateway.example.com/connect/own/token" if upstream == "git" else None

    def _routes(self) -> list[Route]:
        log = Evidence(self.recorder, self.anchors, self.log)
        numbers, raised = count(1), count(1)
        ground = Ground(self.kept, self.registry, self.generations, self.recorder, self.clock, lambda: f"waiver-{next(numbers)}")
        rooms = (
            Status(lambda: self.reasons, self.generations, self.workbench, self.fleet, self.flight, log, self.kept.loud),
            Agents(self.registry, self.recorder, self.clock),
            Stops(self.switch, self.registry, self.generations, self.recorder),
            Catalog(self.workbench, self.generations, self.look, self.recorder, self.programs),
            Approvals(self.desk, self.recorder, lambda question, arguments: self.unfit),
            Exceptions(ground),
            BreakGlass(ground),
            PolicyDesk(
                self.generations, self.registry, lambda: Moment(self.clock(), UTC), self.kept.besides_own, lambda call: Said(UNMOVED)
            ),
            Observed(self.auditor, self.clock),
            Log(self.auditor, self.recorder, self.anchors, self.clock),
            SessionRows(self.sessions, self.recorder),
            Upstreams(self.fleet, self.generations, self.recorder),
            LimitRows(self.gate),
            SecretRows(self.inventory, self.clock),
            ConnectionRows(self.connections, self.generations, self.recorder, self.own_link),
            FlowRows(self.contexts, self.registry, self.recorder),
            BudgetRows(self.budgets, self.registry, self.recorder, self.clock, lambda: f"raise-{next(raised)}"),
            AlertTest(self.alerts_tested),
            EncryptionKeys(self.keys.rotation, self.recorder),
            Configurations(self.generations, self.workbench),
            People(self.operator_sessions, self.session_seconds, self.recorder),
            IssuedCertificates(self.issued, self.switch),
            PolicyHistory(self.workbench, self.sets, self.loud.append),
            Replays(self.generations, self.workbench, self.registry, self.recorder, self.auditor, (self.clock, self.clock)),
            Past(self.generations, self.registry, self.recorder, self.auditor, self.sets),
        )
        return [route for room in rooms for route in room.routes()]

    def session_seconds(self) -> float:
        """How long a sign-in over the network lasts."""
        return session_seconds(self.generations.current.document.control.listen)

    async def alerts_tested(self) -> tuple[Tried, ...]:
        """What each sink answers to a test."""
        return self.tried

    async def who(self, request: Request) -> Operator:
        """Who asks, by the peer of the socket."""
        peer = request.scope["extensions"].get(PEER, {"uid": -1})["uid"]
        found = self.operators.get(peer)
        return found or await by_peer(lambda: self.generations.current.document.control.operators)(request)

    async def look(self, name: UpstreamId) -> Sight:
        if name not in self.shown:
            raise Refused(Reason.UPSTREAM_UNREACHABLE, f"nobody answers at {name}")
        found = self.shown[name]
        await self.workbench.saw(name, found)
        return found

    async def show(self, name: str, *tools: Mapping[str, object]) -> None:
        """Lets an upstream show these tools now."""
        await self.workbench.saw(UpstreamId(name), sight(*tools))

    async def ask(self, method: str, path: str, body: object = None, uid: int | None = OWN) -> tuple[int, Any]:
        """Status and answer of one request of the user with this id."""
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else b""
        status, answer = await asked(self.app, method, path, raw, uid)
        return status, json.loads(answer) if answer[:1] in (b"{", b"[") else answer.decode()

    async def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, author and fields of every event leaf, oldest first."""
        leaves = [json.loads(located.leaf) for located in await self.log.leaves(0, 10_000)]
        return [(leaf["type"], leaf["by"], leaf["fields"]) for leaf in leaves if "fields" in leaf]


async def asked(app: Any, method: str, path: str, body: bytes, uid: int | None, hear: Any = None) -> tuple[int, bytes]:
    """One request to an ASGI app, through a socket of the user with this id (None: through no socket that we know).

    `hear` is told of each event too: an app may raise after it has answered.
    """
    plain, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"doorward"), (b"x-doorward-peer", b"0")],
        "extensions": {} if uid is None else {PEER: {"uid": uid}},
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)
        if hear is not None:
            await hear(event)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(event.get("body", b"") for event in sent[1:])


@asynccontextmanager
async def plane(directory: Path, document: Mapping[str, object] = DOCUMENT, policy: str = POLICY) -> AsyncIterator[Plane]:
    """A plane over a document written to this directory; `git` has shown `read_file`, which was accepted at first sight."""
    path = directory / "doorward.yaml"
    (directory / "policy.cedar").write_text(policy)
    path.write_text(json.dumps(document))
    clock = Clock(NOW)
    draw = Draws()
    veil = Veil(bytes(range(32)))
    approvals = MemoryApprovals()
    signer = Signer("log.test/control", bytes(range(32)))
    bodies = Bodies("node", veil)
    log = MemoryLog(Committer(signer, bodies), lambda: LogMoment(int(clock() * 1_000_000), clock()), approvals)
    wrapper = Wrapper(bytes(32), draw)
    recorder = Recorder(Means(log, bodies, wrapper, SideRules(90, 65_536), clock, draw))
    await recorder.start({"version": "test"})

    agents, stops = FailingAgents(), FailingStops()
    registry, switch = Registry(agents, draw, clock), Switch(stops, clock)
    numbers = count(1)
    desk = Desk(approvals, Terms(), clock, lambda: f"question-{next(numbers)}")
    for room in (registry, switch, desk):
        await room.load()

    pins, sets = MemoryPins(), MemoryPolicySets()
    found = read(path)
    materials, snapshot = first(found, Pins(pins.all()), detached())
    generations = Generations(snapshot)
    flight = Flight()
    fleet = Fleet(lambda name, config: IdleUpstream(name), flight.count)
    fleet.match(found.loaded.document)

    def adopt(old: Snapshot, new: Snapshot) -> None:
        fleet.match(new.document)

    workbench = Workbench(path, materials, generations, Places(pins, recorder.note, adopt, clock, sets))
    await workbench.begin()
    workbench.heed(found.loaded.notes)
    sessions = Sessions(MemorySessions(), Seal((bytes(32),)), lambda: generations.current.document.sessions, clock, lambda: draw(12))
    auditor = Auditor(log, veil, wrapper, signer.vkey)
    try:
        yield Plane(
            path, clock, log, recorder, auditor, registry, agents, switch, stops, desk, pins, workbench, generations, sessions, flight,
            Meter(), fleet, await opened(clock, recorder.note), sets=sets,
        )  # fmt: skip
    finally:
        await asyncio.wait_for(fleet.close(), 5)
