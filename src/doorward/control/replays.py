"""Admin API: the recorded calls of a span under a candidate: which decisions would change, and of which nobody can say."""

import asyncio
from collections.abc import Callable

import msgspec
from pydantic import Field

from doorward.audit.auditor import Auditor
from doorward.audit.recorder import Recorder
from doorward.control.candidates import CANDIDATE_BYTES, FILES, File, registered, sources
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.control.spans import Moment, micros
from doorward.domain.receipts import Event, Scalar
from doorward.identity.registry import Registry
from doorward.policy.difference import over
from doorward.policy.engine import Policies
from doorward.policy.problems import Problems
from doorward.runtime.build import Rigour, compiled
from doorward.runtime.generations import Generations
from doorward.runtime.replay.causes import SENTENCES
from doorward.runtime.replay.restored import present
from doorward.runtime.replay.run import BOUNDS, Bounds, Replay, Replayed, Span
from doorward.runtime.replay.tally import Change, Count, Unknown
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Workbench


class Candidate(Shape):
    """Policies to try on the calls of a span: the files take the place of the layers they belong to, other layers stay as they are."""

    files: tuple[File, ...] = Field(min_length=1, max_length=FILES)
    since: Moment = Field("7d", description="RFC 3339, or how long ago: `90s`, `15m`, `24h`, `7d`")
    until: Moment | None = None
    agent: str | None = None
    upstream: str | None = None


class VerdictView(Shape):
    """What policy says of a call, and which policies."""

    effect: str = Field(description="`allow`, `ask` or `deny`")
    policies: tuple[str, ...]


class ChangeView(Shape):
    """Calls of one agent to one thing that were decided so, and would be decided otherwise; `example` is the newest."""

    agent: str
    upstream: str
    kind: str
    name: str
    before: VerdictView
    after: VerdictView
    calls: int
    first: str
    last: str
    example: str


class UnknownView(Shape):
    """Calls of one agent to one thing of which nobody can say how they would be decided, and why not."""

    agent: str
    upstream: str
    kind: str
    name: str
    before: str
    cause: str
    why: str
    calls: int
    first: str
    last: str
    example: str


class UndecidedView(Shape):
    """Calls that policy did not decide: refused for another reason."""

    reason: str
    calls: int


class ReplayView(Shape):
    """What a replay came to.

    `calls` is `same` + `changed` + `unknown` + `undecided`. `is_whole`: every call that was asked for was looked at, not the newest
    alone. Calls in more groups than are told apart are counted in the last ones, `more_changes` and `more_unknowns`.
    """

    candidate: str
    generation: int
    calls: int
    same: int
    changed: int
    unknown: int
    undecided: int
    is_whole: bool
    changes: tuple[ChangeView, ...]
    more_changes: int
    unknowns: tuple[UnknownView, ...]
    more_unknowns: int
    not_decided_by_policy: tuple[UndecidedView, ...]
    warnings: tuple[str, ...]


class Replays(msgspec.Struct, frozen=True):
    """The replay of recorded calls."""

    generations: Generations
    workbench: Workbench
    registry: Registry
    recorder: Recorder
    auditor: Auditor
    clocks: tuple[Callable[[], float], Callable[[], float]]
    """Unix seconds, and monotonic ones."""
    bounds: Bounds = BOUNDS
    _turn: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)

    def routes(self) -> tuple[Route, ...]:
        """Its row of the route table."""
        summary = "Decide recorded calls by other policies"
        return (
            Route("POST", "/v1/policies/replay", Role.AUDITOR, summary, self.replay, Candidate, ReplayView, body_bytes=CANDIDATE_BYTES),
        )

    async def replay(self, ask: Ask) -> ReplayView:
        """Which decisions would change; 409 where the candidate does not hold, or another replay runs. That it runs is told to the log before."""
        wanted, snapshot = ask.body, self.generations.current
        assert isinstance(wanted, Candidate)
        if self._turn.locked():
            raise ControlError(409, "busy", "another replay is running; wait for its end")
        async with self._turn:
            policies = await self._compiled(wanted, snapshot)
            now, monotonic = self.clocks
            span = Span(micros(wanted.since, now()), micros(wanted.until, now()), wanted.agent, wanted.upstream)
            # It reads what calls carried, as who looks at their contents does.
            await self.recorder.note(Event("policies_replayed", ask.operator.name, _told(policies, span)))
            there = present(snapshot, registered(self.registry, snapshot.document), self.recorder.pseudonym)
            done = await Replay(self.auditor, monotonic).run(policies, there, span, self.bounds, ask.gone)
        return _view(done, policies, snapshot)

    async def _compiled(self, wanted: Candidate, snapshot: Snapshot) -> Policies:
        whole = over(self.workbench.sources, sources(wanted.files))
        found = await asyncio.to_thread(compiled, whole, snapshot.document, snapshot.index, Rigour.STRICT)
        if isinstance(found, Problems):
            raise ControlError(409, "not_valid", "the candidate does not hold", tuple(map(str, found.items)))
        return found


def _told(policies: Policies, span: Span) -> dict[str, Scalar]:
    found = {"candidate": policies.digest, "since": span.since, "until": span.until, "agent": span.agent, "upstream": span.upstream}
    return {name: value for name, value in found.items() if value is not None}


def _view(done: Replayed, policies: Policies, snapshot: Snapshot) -> ReplayView:
    tally = done.tally
    return ReplayView(
        candidate=policies.digest,
        generation=snapshot.generation,
        calls=tally.calls,
        same=tally.same,
        changed=tally.changed,
        unknown=tally.unknown,
        undecided=sum(tally.undecided.values()),
        is_whole=done.is_whole,
        changes=tuple(sorted((change_view(*one) for one in tally.changes.items()), key=_most_first)),
        more_changes=tally.more_changes.calls,
        unknowns=tuple(sorted((_unknown(*one) for one in tally.unknowns.items()), key=_most_first)),
        more_unknowns=tally.more_unknowns.calls,
        not_decided_by_policy=tuple(UndecidedView(reason=reason, calls=calls) for reason, calls in sorted(tally.undecided.items())),
        warnings=tuple(map(str, policies.warnings)),
    )


def _most_first(one: ChangeView | UnknownView) -> tuple[object, ...]:
    return one.agent, one.upstream, one.kind, one.name, -one.calls


def change_view(change: Change, count: Count) -> ChangeView:
    """A group of decisions that would change."""
    return ChangeView(
        agent=change.agent,
        upstream=change.upstream,
        kind=change.kind,
        name=change.name,
        before=VerdictView(effect=change.before.effect, policies=change.before.policies),
        after=VerdictView(effect=change.after.effect, policies=change.after.policies),
        calls=count.calls,
        first=count.first,
        last=count.last,
        example=count.example,
    )


def _unknown(unknown: Unknown, count: Count) -> UnknownView:
    return UnknownView(
        agent=unknown.agent,
        upstream=unknown.upstream,
        kind=unknown.kind,
        name=unknown.name,
        before=unknown.before,
        cause=unknown.cause,
        why=SENTENCES[unknown.cause],
        calls=count.calls,
        first=count.first,
        last=count.last,
        example=count.example,
    )
