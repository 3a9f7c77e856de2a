"""Guards tried without a gateway: what a message would meet under a document, offline. Nothing is sent, kept or recorded."""

import asyncio
from collections.abc import Mapping
from inspect import getdoc
from pathlib import Path

import msgspec
from msgspec.structs import replace

from doorward.app.examination import Against, accepted
from doorward.app.plugging import Plugging
from doorward.app.probing import Probe
from doorward.app.screening import Nobody, Screening
from doorward.call.asked import Plain, Track
from doorward.call.inbound import Notices
from doorward.call.looks import BLOCKING, Looks
from doorward.call.resolve import Caller, make_call
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.calls import Answer, Call, Fault, Notice, Reply
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Direction, Finding, Severity
from doorward.domain.ids import AgentId, CallId, Generation, TeamId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Refused
from doorward.identity.supposed import supposed
from doorward.inspection.chain import Inspection
from doorward.inspection.described import Described
from doorward.inspection.guards.schema import NAME as SCHEMA
from doorward.inspection.plugins.panel import Panel
from doorward.inspection.view import Carrier
from doorward.policy.dispose import Row
from doorward.policy.problems import Problems
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.screen import Screen
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import ReloadError, read


class TrialError(DoorwardError):
    """A message that cannot be tried; `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


class Listed(msgspec.Struct, frozen=True):
    """One guard as it is listed."""

    name: str
    kind: str
    """`built-in`, or the entry point that it comes of, with its mode."""
    about: str
    rules: Mapping[str, Severity]
    """As far as it says which it has."""
    requests: Row
    responses: Row
    """What is done by default about its findings, by severity."""
    ruled: tuple[int, ...]
    """Places of the rules that could fit its findings."""


class Met(msgspec.Struct, frozen=True):
    """What a message meets."""

    findings: tuple[Finding, ...]
    """Each with what is done about it."""
    rules: tuple[int | None, ...]
    """Which rule of the document says so, for each; None for the default table."""
    passed: Mapping[str, object] | Fault | None
    """What is passed on; None where nothing is."""
    labels: tuple[Mapping[str, str], ...] = ()
    refused: str = ""
    """What the caller would be told, where it is refused."""
    notes: tuple[str, ...] = msgspec.field(default=())


class Trying:
    """The guards of a document, ready to be tried; raises `TrialError` for what a gateway would not start with."""

    def __init__(self, config: Path, against: Against) -> None:
        try:
            held = read(config)
        except ReloadError as error:
            raise TrialError(*error.problems) from error
        pins, self.notes = accepted(held, against)
        root = config.resolve().parent
        screens = Screening(Nobody(), plugged=Plugging(root, lambda name, rule, why: self.failures.append(f"{name}/{rule}: {why}")))
        self.failures: list[str] = []
        made = build(Materials(held.loaded.document, held.loaded.digest, held.sources, {}, pins, screens), Generation(1), Rigour.LENIENT)
        if isinstance(made, Problems):
            raise TrialError(*map(str, made.items))
        self.snapshot: Snapshot = made

    def listed(self) -> tuple[Listed, ...]:
        """Every guard, in the order in which they are asked."""
        screen, guards = self.snapshot.screen, self.snapshot.document.inspection.guards
        own = [
            self._listed(guard.name, "built-in", _about(guard), guard.rules)
            for guard in screen.inspection.guards
            if isinstance(guard, Described)
        ]
        others = [
            self._listed(seat.name, f"{guards[seat.name].use}, {guards[seat.name].mode}", seat.about, seat.rules)
            for seat in screen.panel.seats
        ]
        return (*own, *others)

    def _listed(self, name: str, kind: str, about: str, rules: Mapping[str, Severity]) -> Listed:
        what = self.snapshot.screen.dispositions
        places = {rule.place for direction in Direction for rule in what.about(name, direction)}
        return Listed(
            name=name,
            kind=kind,
            about=about,
            rules=rules,
            requests=what.row(name, Direction.REQUEST),
            responses=what.row(name, Direction.RESPONSE),
            ruled=tuple(sorted(places)),
        )

    def met(self, probe: Probe, only: str = "") -> Met:
        """What a message meets at all guards, or at one; raises `TrialError` where there is no such guard."""
        target, is_known = self._target(probe)
        screen = self.snapshot.screen
        if only:
            screen = _one(screen, only)
        notes: tuple[str, ...] = ()
        if not is_known:
            # Without its schema every call of a tool would be one that cannot be checked.
            screen = replace(screen, inspection=_but(screen.inspection, SCHEMA))
            notes = (f"no tool {probe.tool!r} of {probe.upstream!r} is accepted: nothing is said of schemas",) if probe.tool else ()
        agent = Agent(AgentId(probe.agent), "nobody", TeamId(probe.team), "client")
        caller = Caller(supposed(agent, AuthnMethod.AGENT_KEY, "local"), probe.method)
        arguments = probe.body if probe.carrier is Carrier.REQUEST and not isinstance(probe.body, Fault) else {}
        call = make_call(CallId("trial"), caller, target, arguments, {})
        return asyncio.run(self._met(probe, call, screen, notes))

    async def _met(self, probe: Probe, call: Call, screen: Screen, notes: tuple[str, ...]) -> Met:
        track = Track(_asked(call, replace(self.snapshot, screen=screen)), 0.0)
        refused, reply = "", None
        try:
            reply = await _looked(Looks(), track, call, probe)
        except Refused as error:
            refused = f"{error.reason.value}: {error.public}"
        direction = Direction.REQUEST if probe.carrier is Carrier.REQUEST else Direction.RESPONSE
        rules = [screen.dispositions.rule(finding, direction, call) for finding in track.findings]
        places = tuple(None if rule is None else rule.place for rule in rules)
        failures, self.failures = tuple(self.failures), []
        passed = None if reply is None else reply.body
        return Met(track.findings, places, passed, () if reply is None else reply.labels, refused, (*self.notes, *notes, *failures))

    def _target(self, probe: Probe) -> tuple[Target, bool]:
        """What is called, and whether it is known."""
        kind = Kind.TOOL if probe.method == "tools/call" else Kind.PROMPT if probe.method == "prompts/get" else Kind.RESOURCE
        found = self.snapshot.index.pinned
        for target, _ in found:
            if (target.upstream, target.kind, target.name) == (probe.upstream, kind, probe.tool):
                return target, True
        made = Target(UpstreamId(probe.upstream), kind, probe.tool, None, TeamId(""), frozenset(), Reversibility.IRREVERSIBLE)
        return made, kind is not Kind.TOOL


async def _looked(looks: Looks, track: Track, call: Call, probe: Probe) -> Reply:
    """What is passed on; raises `Refused`."""
    match probe.carrier, probe.body:
        case Carrier.REQUEST, _:
            sent, _ = await looks.request(track, call, BLOCKING)
            return Reply(sent.arguments)
        case Carrier.NOTICE, Mapping() as params:
            return Reply((await looks.notice(track, call, Notice(probe.method, params))).params)
        case _:
            return (await looks.response(track, call, Answer(probe.body, 0)))[0]


def _asked(call: Call, snapshot: Snapshot) -> Plain:
    async def never(call: Call, lease: Lease, notices: Notices) -> Answer:
        raise AssertionError("what is tried is not sent")

    return Plain(call.id, call.principal, call.method, call.target.name, snapshot, lambda: call, never)


def _one(screen: Screen, name: str) -> Screen:
    """A screen with one guard alone."""
    own = [guard for guard in screen.inspection.guards if isinstance(guard, Described) and guard.name == name]
    others = tuple(seat for seat in screen.panel.seats if seat.name == name)
    if not own and not others:
        names = [guard.name for guard in screen.inspection.guards if isinstance(guard, Described)]
        known = ", ".join([*names, *(seat.name for seat in screen.panel.seats)])
        raise TrialError(f"there is no guard {name!r}; there are {known}")
    return replace(screen, inspection=screen.inspection.over(own), panel=Panel(others))


def _but(inspection: Inspection, name: str) -> Inspection:
    return inspection.over([guard for guard in inspection.guards if not (isinstance(guard, Described) and guard.name == name)])


def _about(guard: object) -> str:
    """What a guard that ships looks for, in a sentence."""
    told = getattr(guard, "about", None)
    return told if isinstance(told, str) else (getdoc(type(guard)) or "").partition("\n")[0]
