"""A whole house in memory: the real rooms with one another, and nothing real around them (no file, socket, process or clock)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doorward.admission.budgets.budgets import Budgets, Seams
from doorward.admission.gate import Gate
from doorward.admission.runaway.rules import compiled as rules_of
from doorward.admission.runaway.watch import Watch
from doorward.admission.stops import Switch
from doorward.app.house import limits_of
from doorward.app.plugging import Plugged, unplugged
from doorward.app.screening import Screening
from doorward.approval.desk import Desk, Terms
from doorward.audit.auditor import Auditor
from doorward.audit.checkpoint import Signer
from doorward.audit.commit import Committer
from doorward.audit.leaf import Bodies
from doorward.audit.recorder import Means, Recorder, SideRules
from doorward.audit.sides import Wrapper
from doorward.audit.veil import Veil
from doorward.call.approving import Link, no_page
from doorward.call.changes import Changes
from doorward.call.connecting import ConnectLink, no_connect_page
from doorward.call.currents import tracing
from doorward.call.cuts import connect
from doorward.call.discovery import Discovery, Eyes
from doorward.call.dispatch import Dispatch
from doorward.call.flight import Flight
from doorward.call.listing import Listing
from doorward.call.parts import Parts
from doorward.call.pipeline import Pipeline
from doorward.call.rooms import Rooms
from doorward.call.rounds import Rounds
from doorward.call.sessions import Sessions
from doorward.catalog.pins import Pins
from doorward.config.model import Document
from doorward.config.references import Resolver
from doorward.credentials.broker import Broker, Sources
from doorward.credentials.connections.declared import PerUser
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import Tools, mint_of
from doorward.credentials.oauth.means import Means as OAuthMeans
from doorward.credentials.oauth.plans import Way
from doorward.credentials.plan import Plan as CredentialPlan
from doorward.credentials.plan import plans
from doorward.credentials.port import Mint
from doorward.credentials.sources.custody import Custody
from doorward.credentials.sources.held import Clocks as SourceClocks
from doorward.credentials.sources.reading import Reading
from doorward.credentials.sources.standing import Standing
from doorward.domain.actors import Agent, Principal
from doorward.domain.alerts import Alert
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, Digest, Generation, TeamId, UpstreamId
from doorward.domain.reasons import Ran
from doorward.domain.secret import Secret
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.flow.contexts import Contexts
from doorward.flow.index import Names
from doorward.flow.room import Room
from doorward.flow.rules import Rules
from doorward.identity.agent_keys import AgentKeys
from doorward.identity.chain import Chain, Presented
from doorward.identity.own import own
from doorward.identity.registry import NEVER, Registry
from doorward.inspection.view import Guard
from doorward.net.errors import NetError, Trouble
from doorward.net.fetch import Web
from doorward.policy.dispose import DEFAULT, Table
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Places, Workbench
from doorward.stores.memory import MemoryAgents, MemoryApprovals, MemoryLog, MemoryPins, MemorySessions, MemoryStops
from doorward.stores.memory_budgets import MemoryBudgets
from doorward.stores.memory_flow import MemoryFlow
from doorward.telemetry.meter import Meter
from doorward.telemetry.stages import NO_CLOCK
from doorward.telemetry.stages import Clock as StageClock
from doorward.testing.clocks import Clock, Draws, Ids
from doorward.testing.log import PacedLog
from doorward.testing.upstream import SHOWN, FakeUpstream
from doorward.upstream.sight import Sight
from doorward.wire.sealed import Seal

PERMIT_ALL = '@id("all")\n@reason("Everything.")\npermit (principal, action, resource);\n'

_YEAR_SECONDS = 365 * 86_400.0
_NOWHERE = Path("/nowhere")


@dataclass(frozen=True, slots=True)
class _Books:
    """What the log uses up as it is written."""

    approvals: MemoryApprovals
    budgets: MemoryBudgets
    contexts: MemoryFlow


class PlanError(DoorwardError):
    """A plan that no house can be built of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a house is built of."""

    sights: Mapping[str, Sight] = field(default_factory=dict)
    """What each upstream shows, by name; all of it is accepted at first use unless `document` says otherwise."""
    policies: str = PERMIT_ALL
    layers: Mapping[str, str] = field(default_factory=dict)
    """Policies by team, for the upstreams that it owns."""
    document: Mapping[str, object] = field(default_factory=dict)
    """Fields of `doorward.yaml` besides `upstreams`."""
    upstreams: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Fields of single upstreams, by name."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What `${env:…}` leads to."""
    guards: Sequence[Guard] = ()
    """Guards besides those that ship, asked after them."""
    table: Table = field(default_factory=lambda: DEFAULT)
    """What is made of findings."""
    plugged: Plugged = unplugged
    """The guards of others."""
    waivers: Waivers = nothing_waived
    """What of an agent is let past policy."""
    link: Link = no_page
    """The page on which a question is answered."""
    connect: ConnectLink = no_connect_page
    """The page on which an account is connected."""
    mints: Callable[[UpstreamId, CredentialPlan], Mint] | None = None
    """What makes credentials, in place of what ships."""
    stages: StageClock = NO_CLOCK
    """What each stage of a call is handed through."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The log and who writes and reads it."""

    log: PacedLog
    recorder: Recorder
    auditor: Auditor


@dataclass(frozen=True, slots=True)
class Watchmen:
    """Who keeps calls out: people's answers, stops, limits, budgets and keys."""

    desk: Desk
    switch: Switch
    registry: Registry
    gate: Gate
    budgets: Budgets


@dataclass(frozen=True, slots=True)
class House:
    """The rooms, put together as `app.house` does it."""

    clock: Clock
    upstreams: Mapping[UpstreamId, FakeUpstream]
    evidence: Evidence
    watchmen: Watchmen
    workbench: Workbench
    parts: Parts
    dispatch: Dispatch
    discovery: Discovery
    flight: Flight
    meter: Meter
    contexts: Contexts
    alerts: list[Alert]
    """What was raised."""
    environment: dict[str, str]
    """What `${env:…}` leads to; a test may change it at any time."""

    @property
    def generations(self) -> Generations:
        """The current snapshot, and those to come."""
        return self.parts.generations

    def upstream(self, name: str) -> FakeUpstream:
        """One upstream, to be told what to do."""
        return self.upstreams[UpstreamId(name)]

    async def agent(self, name: str, team: str = "support", owner: str = "ada") -> Principal:
        """A new agent with a key, as it is identified by it."""
        agent = Agent(AgentId(name), owner, TeamId(team), "client")
        text, _ = await self.watchmen.registry.add(agent, NEVER, _YEAR_SECONDS)
        return self.dispatch.identify(Presented(f"Bearer {text}", "10.0.0.1", loopback=False))

    async def close(self) -> None:
        """Ends whatever still runs."""
        await self.discovery.close()
        await self.parts.fleet.close()


def document_of(plan: Plan) -> Document:
    """The document of a plan; each upstream is trusted at first use."""
    every = {
        name: {"url": f"https://{name}.example.com/mcp", "trust": "first-use", **plan.upstreams.get(name, {})}
        for name in dict.fromkeys((*plan.sights, *plan.upstreams))
    }
    return Document.model_validate({**plan.document, "upstreams": every})


def _reading(resolver: Resolver, clock: Clock) -> Reading:
    """Reads variables; there are no sources."""
    custody = Custody({}, SourceClocks(clock.monotonic, clock.now), lambda event, text: None)
    return Reading(resolver, custody, Standing(custody))


def _tools(resolver: Resolver, clock: Clock, draws: Draws, fingerprints: Fingerprints) -> Tools:
    """What makes credentials where a plan brings nothing of its own."""
    means = OAuthMeans(resolver.resolve, _NOWHERE, _nobody, _unsigned, clock.now, clock.monotonic, draws)
    return Tools(_reading(resolver, clock), _NOWHERE, fingerprints, means, _connected)


def _fleet(plan: Plan, document: Document, flight: Flight) -> tuple[dict[UpstreamId, FakeUpstream], Fleet]:
    upstreams = {UpstreamId(name): FakeUpstream(name, plan.sights.get(name, SHOWN)) for name in document.upstreams}
    fleet = Fleet(lambda name, config: upstreams[name], flight.count)
    fleet.match(document)
    return upstreams, fleet


async def build_house(plan: Plan) -> House:
    """The house of a plan, its upstreams not looked at yet; raises `PlanError` where its policies do not hold."""
    clock, draws, document = Clock(), Draws(), document_of(plan)
    books, fingerprints = _Books(MemoryApprovals(), MemoryBudgets(), MemoryFlow()), Fingerprints(draws(32))
    evidence = _evidence(books, clock, draws, document)
    await evidence.recorder.start({"version": "test"})
    watchmen = await _watchmen(books, clock, draws, document)
    screening = Screening(fingerprints, plan.guards, plan.table, plan.plugged)
    materials = Materials(document, Digest("0" * 64), _sources(plan), {}, Pins(), screening)
    generations, flight, meter = Generations(_first(materials)), Flight(), Meter()
    environment, alerts = dict(plan.environment), list[Alert]()
    tools = _tools(Resolver(_NOWHERE, environment), clock, draws, fingerprints)
    mints = plan.mints or (lambda upstream, shown: mint_of(upstream, shown, tools))
    sources = Sources(mints, fingerprints, clock.monotonic, clock.now, Ids("lease"))
    contexts = _contexts(books, generations.current, clock, draws)
    pipeline = Pipeline(
        Rooms(
            gate=watchmen.gate,
            watch=Watch(rules_of(document.runaway), clock.monotonic, meter, alerts.append),
            budgets=watchmen.budgets,
            desk=watchmen.desk,
            recorder=evidence.recorder,
            broker=Broker(plans(document), sources),
            contexts=contexts,
            flight=flight,
            meter=meter,
            moment=clock.moment,
            monotonic=clock.monotonic,
            waivers=plan.waivers,
            waived=lambda principal: plan.waivers,
            clock=plan.stages,
        )
    )
    upstreams, fleet = _fleet(plan, document, flight)
    workbench = Workbench(
        _NOWHERE / "doorward.yaml", materials, generations, Places(MemoryPins(), evidence.recorder.note, _as_it_is, clock.now)
    )
    changes, seal = Changes(), Seal((draws(32),))
    parts = Parts(
        chain=Chain([AgentKeys(watchmen.registry, clock.now)]),
        generations=generations,
        pipeline=pipeline,
        listing=Listing(seal, clock.moment, draws.nonce, plan.waivers),
        rounds=Rounds(seal, clock.now, draws.nonce),
        sessions=Sessions(MemorySessions(), seal, lambda: generations.current.document.sessions, clock.now, draws.nonce),
        changes=changes,
        fleet=fleet,
        turn_away=evidence.recorder.turn_away,
        moment=clock.moment,
        now=clock.now,
        new_id=Ids("call"),
        link=plan.link,
        connect=plan.connect,
        clock=plan.stages,
    )
    dispatch = Dispatch(parts)
    generations.follow(changes.wake)
    connect(watchmen.switch, watchmen.registry, flight, dispatch.holding, changes, parts.sessions)
    discovery = Discovery(Eyes(pipeline, generations, fleet, own(), Ids("look"), workbench.saw, _unheard, str))
    return House(clock, upstreams, evidence, watchmen, workbench, parts, dispatch, discovery, flight, meter, contexts, alerts, environment)


def _sources(plan: Plan) -> tuple[Source, ...]:
    """The global layer and those of teams."""
    return (Source("policy.cedar", plan.policies), *(Source(f"{team}.cedar", text, team) for team, text in plan.layers.items()))


def _evidence(books: _Books, clock: Clock, draws: Draws, document: Document) -> Evidence:
    veil, signer, wrapper = Veil(draws(32)), Signer(document.audit.origin, draws(32)), Wrapper(draws(32), draws)
    bodies = Bodies("node", veil)
    log = PacedLog(MemoryLog(Committer(signer, bodies), clock.reading, books.approvals, books.budgets, books.contexts))
    sides = SideRules(document.audit.keep_side_records_days, document.audit.side_record_bytes)
    return Evidence(log, Recorder(Means(log, bodies, wrapper, sides, clock.now, draws)), Auditor(log, veil, wrapper, signer.vkey))


def _contexts(books: _Books, snapshot: Snapshot, clock: Clock, draws: Draws) -> Contexts:
    return Contexts(Room(books.contexts), Names(draws), clock.now, Rules(snapshot.document, tracing(snapshot.policies)))


async def _watchmen(books: _Books, clock: Clock, draws: Draws, document: Document) -> Watchmen:
    switch = Switch(MemoryStops(), clock.now)
    await switch.load()
    registry = Registry(MemoryAgents(), draws, clock.now)
    budgets = Budgets(books.budgets, Seams(clock.now, lambda raised, principal: raised.by == principal.agent.owner, str))
    budgets.adopt(document)
    desk = Desk(books.approvals, Terms.of(document.approvals), clock.now, Ids("question"), clock.monotonic)
    return Watchmen(desk, switch, registry, Gate(switch, limits_of(document), clock.monotonic), budgets)


def _first(materials: Materials) -> Snapshot:
    made = build(materials, Generation(1), Rigour.LENIENT)
    if isinstance(made, Problems):
        raise PlanError("; ".join(str(problem) for problem in made.items))
    return made


def _as_it_is(before: Snapshot, after: Snapshot) -> None:
    """The document of a plan never changes, so nothing has to go over."""


def _nobody(way: Way) -> Web:
    """There is no way out of a house in memory."""
    raise NetError(Trouble.UNREACHABLE, "nobody is outside of this house", Ran.NO)


def _connected(plan: PerUser) -> Mint:
    """People have no accounts at the upstreams of a house in memory; a playbook may bring mints of its own."""
    raise PlanError(f"nobody has an account of their own at {plan.upstream!r} in a house in memory")


def _unsigned(claims: Mapping[str, object], typ: str) -> Secret:
    """What a house in memory signs with: nothing that anybody would verify."""
    raise PlanError("a house in memory signs nothing")


async def _unheard(name: UpstreamId, why: str) -> None:
    """Nobody hears of looks that failed but the log."""
