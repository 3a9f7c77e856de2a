"""Policies tried and looked over without a gateway, against what was accepted or what the files of tests bring. Writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from doorward.app.examination import Against, accepted
from doorward.app.screening import detached
from doorward.call.resolve import Caller, make_call
from doorward.catalog.pins import Pins
from doorward.config.check import trial_files
from doorward.config.load import load_policies
from doorward.config.model import Document
from doorward.config.problems import ConfigError, Step
from doorward.config.trials import TrialAgent, TrialCase, Trials, read_trials
from doorward.domain.actors import Actor, Agent, AuthnMethod, Principal, Proof, Subject
from doorward.domain.catalog import Kind, Pin, Target
from doorward.domain.ids import AgentId, CallId, Generation, SubjectId, TeamId, UpstreamId
from doorward.identity.supposed import supposed
from doorward.policy.engine import Policies
from doorward.policy.lint import lint
from doorward.policy.problems import Problems, meant
from doorward.policy.question import LOCAL, Moment
from doorward.policy.remarks import Remark, Surroundings
from doorward.policy.rules import Rule
from doorward.policy.schema import COMPLETE
from doorward.policy.trial import Expected, Trial, Verdict, idle, tried
from doorward.runtime.build import Materials, Rigour, build
from doorward.runtime.contexts_said import said
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Read, ReloadError, read
from doorward.wire.canonical import define

NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)
"""The moment of a test that names none, in the zone of the policies: a Wednesday at noon."""


class Rehearsal(msgspec.Struct, frozen=True):
    """What came of all tests."""

    problems: tuple[str, ...]
    """What is broken in document, policies or test files; where there is any, nothing was tried."""
    verdicts: tuple[Verdict, ...] = ()
    idle: tuple[Rule, ...] = ()
    """The policies that decided in no test."""
    notes: tuple[str, ...] = ()
    policies: int = 0


def rehearse(config: Path, paths: Sequence[Path], against: Against) -> Rehearsal:
    """The tests in these files, or in those that the document names, at its policies."""
    try:
        held = read(config, load_policies)
    except ReloadError as error:
        return Rehearsal(error.problems)
    files = tuple(paths) or trial_files(held.loaded.document.policies, config.parent)
    if not files:
        patterns = ", ".join(held.loaded.document.policies.tests)
        return Rehearsal((f"{config}: there are no tests: no file matches {patterns} in {held.loaded.root}",))
    pins, notes = accepted(held, against)
    problems: list[str] = []
    stages: list[_Stage] = []
    for path in files:
        try:
            stages.append(_stage(held, pins, read_trials(path)))
        except (ConfigError, ReloadError) as error:
            problems.extend(error.lines if isinstance(error, ConfigError) else error.problems)
    if problems:
        return Rehearsal(tuple(dict.fromkeys(problems)), notes=notes)
    verdicts = tuple(tried(stage.policies, trial) for stage in stages for trial in stage.trials)
    every = [stage.policies for stage in stages]
    warnings = dict.fromkeys(str(warning) for one in every for warning in one.warnings)
    return Rehearsal((), verdicts, idle(every, verdicts), (*notes, *warnings), len(every[0].rules))


class Linted(msgspec.Struct, frozen=True):
    """What lint has to say of the policies of a document."""

    problems: tuple[str, ...]
    """For which nothing could be looked over."""
    remarks: tuple[Remark, ...] = ()
    notes: tuple[str, ...] = ()


def look_over(config: Path, against: Against) -> Linted:
    """The policies of a document under lint, over what was accepted and what the files of tests bring."""
    try:
        held = read(config, load_policies)
        pins, notes = accepted(held, against)
        files = [read_trials(path) for path in trial_files(held.loaded.document.policies, config.parent)]
        snapshot = _snapshot(held, pins.having([pin for trials in files for pin in _brought(trials, held)]))
    except ReloadError as error:
        return Linted(error.problems)
    except ConfigError as error:
        return Linted(error.lines)
    return Linted((), lint(snapshot.policies, _surroundings(held.loaded.document)), notes)


def _surroundings(document: Document) -> Surroundings:
    """Who vouches for people, and who speaks for teams."""
    listen, anonymous = document.control.listen, document.identity.anonymous
    groups = () if listen is None else tuple(listen.groups.values())
    answering = [teams for hook in document.approvals.webhooks.values() for teams in hook.approvers.values()]
    named = frozenset(team for teams in (*(group.teams for group in groups), *answering) for team in teams)
    speakers = None if listen is None and not answering else named
    return Surroundings(frozenset(document.identity.issuers), speakers, "" if anonymous is None else anonymous.agent)


class _Stage(msgspec.Struct, frozen=True):
    """The tests of one file, and the policies over the catalogue that it stands on."""

    policies: Policies
    trials: tuple[Trial, ...]


def _stage(held: Read, pins: Pins, trials: Trials) -> _Stage:
    """Raises ConfigError for what is wrong with the file, and ReloadError for what is wrong with the policies over its tools."""
    snapshot = _snapshot(held, pins.having(_brought(trials, held)))
    cast = _Cast(trials, snapshot)
    return _Stage(snapshot.policies, tuple(cast.trial(position, case) for position, case in enumerate(trials.file.tests)))


def _snapshot(held: Read, pins: Pins) -> Snapshot:
    """What a gateway would start with; raises ReloadError where it would not."""
    loaded = held.loaded
    made = build(Materials(loaded.document, loaded.digest, held.sources, {}, pins, detached()), Generation(1), Rigour.LENIENT)
    if isinstance(made, Problems):
        raise ReloadError(tuple(str(item) for item in made.items))
    return made


def _brought(trials: Trials, held: Read) -> Iterator[Pin]:
    """What a file brings, as if it had been accepted."""
    for name, schema in trials.file.tools.items():
        yield _pin(trials, held, Kind.TOOL, ("tools", name), {"inputSchema": schema})
    for name, prompt in trials.file.prompts.items():
        named = dict.fromkeys((*prompt.arguments, *prompt.required))
        arguments = [{"name": one, "required": one in prompt.required} for one in named]
        yield _pin(trials, held, Kind.PROMPT, ("prompts", name), {"arguments": arguments})


def _pin(trials: Trials, held: Read, kind: Kind, at: tuple[str, str], body: Mapping[str, object]) -> Pin:
    upstream, name = _split(trials, at[1], at)
    if upstream not in held.loaded.document.upstreams:
        raise trials.error(f"there is no upstream {upstream[:60]!r}{meant(upstream, held.loaded.document.upstreams)}", *at)
    made = define(UpstreamId(upstream), kind, name, {"name": name, **body})
    return Pin(made.upstream, kind, name, made.digest, made.canonical, str(trials.path), "")


def _split(trials: Trials, text: str, at: tuple[Step, ...]) -> tuple[str, str]:
    upstream, slash, name = text.partition("/")
    if not slash or not name:
        raise trials.error(f"expected upstream/name, got {text[:60]!r}", *at)
    return upstream, name


class _Cast(msgspec.Struct, frozen=True):
    """Makes the tests of a file into trials; raises ConfigError for what does not exist."""

    trials: Trials
    snapshot: Snapshot

    def trial(self, position: int, case: TrialCase) -> Trial:
        """One test as a trial."""
        at = ("tests", position)
        principal = self._principal(case)
        target, method = self._target(case, at)
        arguments = {"uri": case.resource} if case.resource is not None else self.trials.arguments(position)
        call = make_call(CallId("trial"), Caller(principal, method), target, arguments, {})
        expected = Expected(
            effect=case.expect,
            by=None if case.by is None else frozenset(case.by),
            approvers=None if case.approvers is None else frozenset(case.approvers),
            needs=case.needs,
            reason=case.reason,
            visible=case.visible,
        )
        return Trial(case.name, str(self.trials.path), self.trials.line(*at), call, self._moment(case, at), expected)

    def _principal(self, case: TrialCase) -> Principal:
        """The agent as it would be identified: with a token where anything is said that only a token says."""
        token = bool(case.issuer or case.user is not None or case.actors)
        return supposed(
            self._agent(case.agent),
            case.authn or (AuthnMethod.ACCESS_TOKEN if token else AuthnMethod.AGENT_KEY),
            case.network or LOCAL,
            None if case.user is None else Subject(SubjectId(case.user), frozenset(case.groups)),
            tuple(Actor(one.id, case.issuer, one) for one in map(self._agent, case.actors)),
            Proof(frozenset(case.scopes), case.issuer, case.client, certificate="supposed" if case.certificate else "", bound=case.bound),
        )

    def _agent(self, said: str | TrialAgent) -> Agent:
        agent = self.trials.file.agents[said] if isinstance(said, str) else said
        return Agent(AgentId(agent.id or str(said)), agent.owner, TeamId(agent.team), agent.kind)

    def _target(self, case: TrialCase, at: tuple[Step, ...]) -> tuple[Target, str]:
        """What is called, and by which method."""
        if case.resource is not None:
            assert case.upstream is not None
            found = self.snapshot.index.resolve(UpstreamId(case.upstream), Kind.RESOURCE, case.resource)
            if found is None:
                raise self.trials.error(f"there is no upstream {case.upstream[:60]!r}, or the URI is too long", *at, "upstream")
            return found.target, "resources/read"
        if case.completion is not None:
            return self._completed(case.completion, at), COMPLETE
        field, kind, method = ("call", Kind.TOOL, "tools/call") if case.call is not None else ("prompt", Kind.PROMPT, "prompts/get")
        return self._accepted(case.call or case.prompt or "", kind, (*at, field)), method

    def _accepted(self, text: str, kind: Kind, at: tuple[Step, ...]) -> Target:
        upstream, name = _split(self.trials, text, at)
        known = {one.name: one for one, _ in self.snapshot.index.pinned if (one.upstream, one.kind) == (upstream, kind)}
        if name not in known:
            raise self.trials.error(f"nothing accepted is {kind} {text[:100]!r}{meant(name, known)}; or let the file bring it", *at)
        return known[name]

    def _completed(self, upstream: str, at: tuple[Step, ...]) -> Target:
        """The upstream whose completion is asked; which prompt or template it is about, the arguments say."""
        found = self.snapshot.index.resolve(UpstreamId(upstream), Kind.RESOURCE, "completion:")
        if found is None:
            raise self.trials.error(f"there is no upstream {upstream[:60]!r}", *at, "completion")
        return found.target

    def _moment(self, case: TrialCase, at: tuple[Step, ...]) -> Moment:
        zone, session = ZoneInfo(self.snapshot.document.policies.timezone), said(case.session)
        if case.at is None:
            return Moment(NOON.replace(tzinfo=zone).timestamp(), zone, session)
        moment = _rfc3339(case.at)
        if moment is None:
            raise self.trials.error(f"expected a moment such as 2026-01-07T12:00:00Z, got {case.at[:60]!r}", *at, "at")
        return Moment(moment.astimezone(UTC).timestamp(), zone, session)


def _rfc3339(text: str) -> datetime | None:
    """A moment with its offset; None for what is none, or has none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is None else found
