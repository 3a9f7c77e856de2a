"""Admin API: what exceptions and broken glasses have in common: what they may name, how they are given, ended and shown."""

from collections.abc import Callable, Mapping

import msgspec
from pydantic import Field

from doorward.approval.waivers import Kept, WaiverError, ended, granted
from doorward.audit.recorder import Recorder
from doorward.control.orders import narrow, widen
from doorward.control.routes import Ask, ControlError, Done, Shape
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.receipts import Scalar
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.identity.records import AgentRecord, State
from doorward.identity.registry import Registry
from doorward.runtime.generations import Generations

ACTION = "As policies name it: `github/create_issue`, or the upstream, `github`, for everything it has"


class WaiverView(Shape):
    """An exception, or a broken glass, that holds now; times are Unix seconds."""

    id: str
    agent: str
    action: str = Field(description=f"{ACTION}; empty, of a broken glass alone, for everything")
    lifts: tuple[str, ...] = Field(description="The policies that an exception lifts")
    reason: str
    by: str
    begins: float
    ends: float
    notes: tuple[str, ...] = Field(description="Why it is of no use now, or not of all the use that was meant: what it names is gone")


class Given(Shape):
    """It holds from now on, until its end (Unix seconds)."""

    id: str
    ends: float
    warnings: tuple[str, ...] = ()


class Terms(msgspec.Struct, frozen=True):
    """What is to be waived, and for how long; checked by whoever says so."""

    kind: WaiverKind
    agent: str
    action: str
    lifts: Mapping[PolicyId, Digest]
    reason: str
    ends: float


class Ground(msgspec.Struct, frozen=True):
    """What both stand on."""

    kept: Kept
    registry: Registry
    generations: Generations
    recorder: Recorder
    now: Callable[[], float]
    new_id: Callable[[], str]

    def check_agent(self, name: str) -> AgentRecord | None:
        """The agent that is meant, or None for the anonymous one, which nobody owns; 404 and 409 for one that does not act any more."""
        record = self.registry.agent(AgentId(name))
        if record is None and not self._is_anonymous(name):
            raise ControlError(404, "unknown_agent", f"there is no agent {name[:64]!r}")
        gone = None if record is None else _gone(record, self.now())
        if gone is not None:
            raise ControlError(409, "refused", gone)
        return record

    def check_action(self, action: str) -> None:
        """404 for what no policy could name now."""
        upstream, slash, _ = action.partition("/")
        snapshot = self.generations.current
        if upstream not in snapshot.document.upstreams:
            known = ", ".join(snapshot.document.upstreams) or "none"
            raise ControlError(404, "unknown_upstream", f"there is no upstream {upstream[:64]!r}, there are: {known}")
        if slash and action not in snapshot.policies.vocabulary.actions:
            raise ControlError(404, "unknown_action", f"nothing that is accepted of {upstream} is called {action[:200]!r} in policies")

    async def give(self, ask: Ask, terms: Terms, **more: Scalar) -> Given:
        """Gives it once the log has been told: what is not recorded does not hold. 409 where there are too many."""
        operator = ask.operator
        waiver = Waiver(
            id=WaiverId(self.new_id()),
            kind=terms.kind,
            agent=AgentId(terms.agent),
            action=terms.action,
            lifts=terms.lifts,
            reason=terms.reason,
            by=operator.name,
            begins=self.now(),
            ends=terms.ends,
            names=tuple(sorted((operator.names | {operator.shown}) - {""})),
        )
        try:
            self.kept.check(waiver)
            await widen(self.recorder, granted(waiver, **more), lambda: self.kept.grant(waiver))
        except WaiverError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Given(id=waiver.id, ends=waiver.ends, warnings=self.notes(waiver))

    async def end(self, ask: Ask, waiver: Waiver) -> Done:
        """Ends it: true in memory before anything is written."""
        by = ask.operator.name
        try:
            warnings = await narrow(self.recorder, ended(waiver, by), lambda: self.kept.end(waiver.id, by))
        except WaiverError as error:
            raise ControlError(409, "refused", str(error)) from error
        return Done(warnings=warnings)

    def known(self, kind: WaiverKind, reference: str) -> Waiver:
        """The one of this id that holds now; 404 where there is none."""
        found = self.kept.find(WaiverId(reference))
        if found is None or found.kind is not kind:
            what = "exception" if kind is WaiverKind.EXCEPTION else "broken glass"
            raise ControlError(404, "unknown_waiver", f"no {what} that holds now is called {reference[:64]!r}")
        return found

    def all(self, kind: WaiverKind) -> tuple[WaiverView, ...]:
        """Those that hold now, oldest first."""
        return tuple(self._view(waiver) for waiver in self.kept.all() if waiver.kind is kind)

    def notes(self, waiver: Waiver) -> tuple[str, ...]:
        """Why one is of no use now, or not of all the use that was meant."""
        return (*self._agent_notes(waiver), *self._action_notes(waiver), *self._lift_notes(waiver))

    def _agent_notes(self, waiver: Waiver) -> tuple[str, ...]:
        record = self.registry.agent(waiver.agent)
        if record is None:
            return () if self._is_anonymous(waiver.agent) else (f"there is no agent {waiver.agent!r} any more",)
        gone = _gone(record, self.now())
        if gone is None and record.state is State.SUSPENDED:
            return (f"agent {waiver.agent!r} is suspended",)
        return () if gone is None else (gone,)

    def _action_notes(self, waiver: Waiver) -> tuple[str, ...]:
        if not waiver.action:
            return ()
        try:
            self.check_action(waiver.action)
        except ControlError as error:
            return (error.message,)
        return ()

    def _lift_notes(self, waiver: Waiver) -> tuple[str, ...]:
        policies = self.generations.current.policies
        found: list[str] = []
        for policy, digest in sorted(waiver.lifts.items()):
            rule = policies.liftable(policy)
            if rule is None:
                found.append(f"there is no policy {policy!r} any more that could be lifted")
            elif rule.text_digest != digest:
                found.append(f"policy {policy!r} has another text than when it was lifted, so it is not lifted any more")
        return tuple(found)

    def _is_anonymous(self, name: str) -> bool:
        anonymous = self.generations.current.document.identity.anonymous
        return anonymous is not None and anonymous.agent == name

    def _view(self, waiver: Waiver) -> WaiverView:
        return WaiverView(
            id=waiver.id,
            agent=waiver.agent,
            action=waiver.action,
            lifts=tuple(sorted(waiver.lifts)),
            reason=waiver.reason,
            by=waiver.by,
            begins=waiver.begins,
            ends=waiver.ends,
            notes=self.notes(waiver),
        )


def _gone(record: AgentRecord, now: float) -> str | None:
    """Why an agent will not act again; None for one that may."""
    if record.state is State.REVOKED:
        return f"agent {record.agent.id!r} is revoked"
    return f"agent {record.agent.id!r} has ended" if record.expires_at <= now else None
