"""The house put together: every room with its neighbours, on the embedded store."""

from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from doorward.admission.gate import Gate, Limits
from doorward.admission.intake import Bounds
from doorward.admission.limits import compiled
from doorward.admission.rates import Pace
from doorward.admission.runaway.rules import compiled as rules_of
from doorward.admission.runaway.watch import Watch
from doorward.admission.stops import Matter, MatterKind
from doorward.app import clocks
from doorward.app.alerting import Alerting
from doorward.app.asking import Asking, Edits
from doorward.app.connecting import Connecting
from doorward.app.identity import Identification
from doorward.app.leasing import broker_of
from doorward.app.opening import Opening
from doorward.app.plugging import Plugging, journaled_guards
from doorward.app.screening import Screening
from doorward.app.secrets import Sourcing
from doorward.app.state import State
from doorward.approval.loud import journaled
from doorward.call import cuts
from doorward.call.changes import Changes
from doorward.call.currents import tracing
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
from doorward.control.answers import Answers
from doorward.control.operator_sessions import OperatorSessions
from doorward.credentials.broker import Broker
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.plan import connected, plans
from doorward.domain.ids import UpstreamId
from doorward.flow.rules import Rules
from doorward.identity.own import own
from doorward.policy.question import Moment
from doorward.runtime.fleet import Fleet
from doorward.runtime.generations import Generations
from doorward.runtime.programs import Means as ProgramMeans
from doorward.runtime.programs import Programs
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Places, Read, Workbench, first
from doorward.telemetry.journal import Journal, Level
from doorward.telemetry.meter import Meter
from doorward.telemetry.stages import NO_CLOCK, Clock, Stopwatch
from doorward.upstream.health import Duty
from doorward.upstream.supply.port import Inspector


class House(msgspec.Struct, frozen=True):
    """Every part that somebody outside the composition asks for."""

    root: Path
    state: State
    generations: Generations
    workbench: Workbench
    fleet: Fleet
    flight: Flight
    discovery: Discovery
    sessions: Sessions
    changes: Changes
    dispatch: Dispatch
    moments: "Moments"
    meter: Meter
    journal: Journal
    identification: Identification
    operator_sessions: OperatorSessions
    asking: Asking
    answers: Answers
    alerting: Alerting
    broker: Broker
    sourcing: Sourcing
    connecting: Connecting
    programs: Programs


class _Works(msgspec.Struct, frozen=True):
    """What every call works with, and each reload sets anew."""

    generations: Generations
    moments: "Moments"
    meter: Meter
    flight: Flight
    changes: Changes
    fingerprints: Fingerprints
    sourcing: Sourcing
    connecting: Connecting
    broker: Broker
    gate: Gate
    watch: Watch
    alerting: Alerting
    clock: Clock


def build_house(found: Read, state: State, journal: Journal) -> House:
    """The house of a document over its opened state; raises a `DoorwardError` where something that the document names cannot be had."""
    document, root = found.loaded.document, found.loaded.path.resolve().parent
    around = _Around(root, journal, Fingerprints(clocks.draw(32)))
    screening = Screening(around.fingerprints, plugged=Plugging(root, journaled_guards(journal)))
    materials, snapshot = first(found, Pins(state.pins.all()), screening, state.policy_sets.last())
    works = _works(document, state, snapshot, around)
    generations, flight, changes, pipeline = works.generations, works.flight, works.changes, _pipeline(works, state)
    _follow_flow(state, snapshot)
    asking = Asking(document.approvals, works.sourcing.resolver, state, journal)
    programs = Programs(ProgramMeans(state.pins, state.evidence.recorder.note, clocks.now, lambda: generations.current.document))
    opening = Opening(root, journal, works.fingerprints.mask, works.alerting.alarms, Inspector(programs))
    fleet = Fleet(opening, flight.count)
    identification = Identification(document, root, state, works.sourcing.resolver, works.connecting.pages)

    def adopt(old: Snapshot, new: Snapshot) -> None:
        if new.document is not old.document:
            _take(works, identification, new.document)
            _limit(works, state, new.document)
            asking.take(new.document.approvals)
            discovery.follow(fleet.match(new.document))
        _follow_flow(state, new)

    async def missed(name: UpstreamId, why: str) -> None:
        journal.say("upstream_missed", Level.WARNING, upstream=name, why=works.fingerprints.mask(why))

    places = Places(state.pins, state.evidence.recorder.note, adopt, clocks.now, state.policy_sets)
    workbench = Workbench(found.loaded.path, materials, generations, places)
    workbench.heed(found.loaded.notes)
    discovery = Discovery(Eyes(pipeline, generations, fleet, own(), clocks.new_id, workbench.saw, missed, works.fingerprints.mask))
    opening.changed = programs.released = discovery.want
    programs.stopped = lambda name: fleet.renew((name,))
    sessions = Sessions(state.sessions, state.seal, lambda: generations.current.document.sessions, clocks.now, clocks.nonce)
    dispatch = _dispatch(works, state, identification, _Ways(pipeline, sessions, fleet, asking))
    cuts.connect(state.switch, state.registry, flight, dispatch.holding, changes, sessions)
    _follow(works, state, fleet)
    return House(
        root=root,
        state=state,
        generations=generations,
        workbench=workbench,
        fleet=fleet,
        flight=flight,
        discovery=discovery,
        sessions=sessions,
        changes=changes,
        dispatch=dispatch,
        moments=works.moments,
        meter=works.meter,
        journal=journal,
        identification=identification,
        operator_sessions=OperatorSessions(clocks.draw, clocks.now),
        asking=asking,
        answers=Answers(state.desk, state.evidence.recorder, Edits(generations, works.moments, state).problems),
        alerting=works.alerting,
        broker=works.broker,
        sourcing=works.sourcing,
        connecting=works.connecting,
        programs=programs,
    )


def _follow(works: _Works, state: State, fleet: Fleet) -> None:
    """Has listeners hear what changes what they see, and processes and connections end with what they were opened for."""
    works.generations.follow(works.changes.wake)
    state.waivers.follow(lambda event, waiver: works.changes.wake())  # what is waived decides what an agent sees
    state.switch.on_change(lambda matter, why: fleet.renew(halted(matter, fleet)))
    works.broker.follow(fleet.drop)


class _Around(msgspec.Struct, frozen=True):
    """What surrounds a house."""

    root: Path
    journal: Journal
    fingerprints: Fingerprints


def _works(document: Document, state: State, snapshot: Snapshot, around: _Around) -> _Works:
    generations, root = Generations(snapshot), around.root
    fingerprints = around.fingerprints
    state.at_rest.seen.follow(fingerprints.add)
    sourcing = Sourcing(document, root, fingerprints, around.journal)
    state.waivers.follow(journaled(around.journal))
    alerting = Alerting(generations, sourcing.resolver, state.evidence.recorder, around.journal, fingerprints.mask)
    meter, connecting = Meter(), Connecting(document, sourcing, state)
    return _Works(
        generations=generations,
        moments=Moments(generations),
        meter=meter,
        flight=Flight(),
        changes=Changes(),
        fingerprints=fingerprints,
        sourcing=sourcing,
        connecting=connecting,
        broker=broker_of(document, sourcing, fingerprints, state, connecting.connections),
        gate=Gate(state.switch, limits_of(document), clocks.monotonic),
        watch=Watch(rules_of(document.runaway), clocks.monotonic, meter, alerting.alarms),
        alerting=alerting,
        clock=_clock(document, meter),
    )


def _clock(document: Document, meter: Meter) -> Clock:
    """The stage clock, with its times among the metrics, where the document asks for one."""
    if not document.telemetry.stages:
        return NO_CLOCK
    watch = Stopwatch(clocks.monotonic)
    meter.follow(watch)
    return watch


def _pipeline(works: _Works, state: State) -> Pipeline:
    """The spine."""
    state.budgets.follow(works.alerting.alarms)
    rooms = Rooms(
        gate=works.gate,
        watch=works.watch,
        budgets=state.budgets,
        contexts=state.contexts,
        desk=state.desk,
        recorder=state.evidence.recorder,
        broker=works.broker,
        flight=works.flight,
        meter=works.meter,
        moment=works.moments,
        monotonic=clocks.monotonic,
        waivers=state.waivers.of,
        waived=state.waivers.besides_own,
        clock=works.clock,
    )
    return Pipeline(rooms)


def _take(works: _Works, identification: Identification, document: Document) -> None:
    """Goes on with identity and credentials of another document. Whatever can fail comes first, so that nothing is half taken."""
    wanted, sources = plans(document), works.sourcing.opened(document)
    parties = works.connecting.connections.parties(connected(wanted))
    identification.take(document)
    works.sourcing.adopt(document, sources)
    works.connecting.connections.adopt(parties)
    works.broker.adopt(wanted)


def _limit(works: _Works, state: State, document: Document) -> None:
    """Goes on with the limits, budgets and rules of another document."""
    works.gate.adopt(limits_of(document))
    works.watch.adopt(rules_of(document.runaway))
    state.budgets.adopt(document)


def _follow_flow(state: State, snapshot: Snapshot) -> None:
    """Goes on with the labels of another snapshot, and keeps what was shown if its policies ask for that."""
    state.contexts.adopt(Rules(snapshot.document, tracing(snapshot.policies)))


class _Ways(msgspec.Struct, frozen=True):
    """Where calls go."""

    pipeline: Pipeline
    sessions: Sessions
    fleet: Fleet
    asking: Asking


def _dispatch(works: _Works, state: State, identification: Identification, ways: _Ways) -> Dispatch:
    """What the doors hand their requests to."""
    parts = Parts(
        chain=identification.chain,
        generations=works.generations,
        pipeline=ways.pipeline,
        listing=Listing(state.seal, works.moments, clocks.nonce, state.waivers.of),
        rounds=Rounds(state.seal, clocks.now, clocks.nonce),
        sessions=ways.sessions,
        changes=works.changes,
        fleet=ways.fleet,
        turn_away=state.evidence.recorder.turn_away,
        moment=works.moments,
        now=clocks.now,
        new_id=clocks.new_id,
        link=ways.asking.link,
        connect=works.connecting.link,
        clock=works.clock,
    )
    return Dispatch(parts)


def measure(house: House) -> None:
    """Adds what is read off the house whenever somebody looks at the metrics."""
    gauge, recorder = house.meter.gauge, house.state.evidence.recorder
    gauge("doorward_generation", "The snapshot in force", lambda: house.generations.current.generation)
    gauge("doorward_config_problems", "What of the files as they stand is not in force", lambda: len(house.workbench.problems))
    gauge("doorward_calls_in_flight", "Calls that are upstream", house.flight.count)
    gauge("doorward_requests_in_door", "Requests of agents that are read or answered", lambda: house.dispatch.gate.intake.requests)
    gauge("doorward_bytes_in_door", "Bytes that are kept for them", lambda: house.dispatch.gate.intake.bytes)
    gauge("doorward_approvals_waiting", "Calls that wait for a person's yes, or to be made", lambda: len(house.state.desk.questions()))
    gauge("doorward_callers_waiting", "Calls that are kept waiting for people", lambda: len(house.dispatch.holding))
    gauge("doorward_glass_broken", "Broken glasses", house.state.waivers.broken)
    meter, budgets = house.meter, house.state.budgets
    meter.gauges("doorward_budget_used_ratio", "Of each budget, the most that any of its keys has used", "budget", budgets.used)
    meter.counters("doorward_budget_refusals", "Calls that a budget has refused", "budget", budgets.refused)
    gauge("doorward_secrets_borrowed", "Credentials that sources made for this gateway", house.sourcing.custody.loans)
    gauge("doorward_secrets_failing", "Secrets that could not be read when they last should have been", house.sourcing.failing)
    inventory = house.sourcing.inventory(lambda: house.generations.current.document, house.broker.used)
    gauge("doorward_secrets_old", "Secrets older than the configuration allows", lambda: len(inventory.old(clocks.now())))
    for duty in (Duty.SERVING, Duty.EJECTED, Duty.UNSEEN, Duty.HELD_BACK, Duty.DRAINED):
        gauge(
            f"doorward_addresses_{duty}", f"Addresses of upstreams that are {duty.replace('_', ' ')}", partial(_on_duty, house.fleet, duty)
        )
    gauge("doorward_upstream_processes", "Processes of upstreams that run", partial(_processes, house.fleet))
    meter.counters("doorward_calls_moved", "Calls sent to a second address, for nothing reached the first", "upstream", house.fleet.moved)
    gauge("doorward_outcomes_owed", "Outcomes that wait for the log to be written again", lambda: recorder.owed)
    gauge("doorward_log_failing", "1 while the log cannot be written, and no call is made", lambda: int(recorder.failure is not None))


def _on_duty(fleet: Fleet, duty: Duty) -> int:
    return sum(address.duty is duty for upstream in fleet.all().values() for address in upstream.addresses())


def _processes(fleet: Fleet) -> int:
    return sum(address.processes for upstream in fleet.all().values() for address in upstream.addresses())


class Moments:
    """The time facts of now, in the zone of the current document."""

    __slots__ = ("_generations", "_name", "_zone")

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._name = ""
        self._zone = ZoneInfo("UTC")

    def __call__(self) -> Moment:
        name = self._generations.current.document.policies.timezone
        if name != self._name:
            self._name, self._zone = name, ZoneInfo(name)
        return Moment(clocks.now(), self._zone)


def limits_of(document: Document) -> Limits:
    """The limits of the gate that a document asks for."""
    rules = document.admission
    door = Bounds(rules.requests, rules.bytes_in_flight, rules.bytes_in_flight_per_agent)
    return Limits(Pace(rules.calls_per_minute, rules.burst), rules.concurrent, rules.in_flight, compiled(document.limits), door)


def halted(matter: Matter, fleet: Fleet) -> tuple[UpstreamId, ...]:
    """The upstreams that stand still as a whole when a matter is stopped or revoked: nothing of them may go on running."""
    match matter.kind:
        case MatterKind.ALL:
            return tuple(fleet.all())
        case MatterKind.UPSTREAM:
            return (UpstreamId(matter.name),)
        case _:
            return ()
