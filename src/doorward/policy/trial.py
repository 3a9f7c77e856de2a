"""A trial: a call with what is to become of it, and whether that is what policy says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import PolicyId
from doorward.policy.engine import Policies
from doorward.policy.explain import Explanation, Fact, explain
from doorward.policy.panel import Match
from doorward.policy.question import Moment
from doorward.policy.rules import Origin, Rule


class Expected(msgspec.Struct, frozen=True):
    """What is said of a decision; None where nothing is said."""

    effect: str | None = None
    by: frozenset[str] | None = None
    approvers: frozenset[str] | None = None
    needs: Mapping[str, int] | None = None
    reason: str | None = None
    visible: bool | None = None


class Trial(msgspec.Struct, frozen=True):
    """One test, and where it stands."""

    name: str
    path: str
    line: int
    call: Call
    at: Moment
    expected: Expected


class Verdict(msgspec.Struct, frozen=True):
    """What came of a trial; without faults it is as expected."""

    trial: Trial
    faults: tuple[str, ...]
    decision: Decision
    facts: tuple[Fact, ...]
    """What the policies read of the call."""
    used: frozenset[PolicyId]
    """The policies that decided, or would if they were enforced."""

    @property
    def is_met(self) -> bool:
        """Whether all is as expected."""
        return not self.faults


def tried(policies: Policies, trial: Trial) -> Verdict:
    """What policy says of a trial's call."""
    told = explain(policies, trial.call, trial.at)
    is_seen = policies.could_allow(trial.call.principal, trial.call.target, trial.at)
    return Verdict(trial, tuple(_faults(trial.expected, told.decision, is_seen)), told.decision, told.facts, _used(told))


def _used(told: Explanation) -> frozenset[PolicyId]:
    """The policies that made a decision; of a question also those that permit what it is about."""
    used = {*told.decision.policies, *(told.observed.policies if told.observed is not None else ())}
    if isinstance(told.decision, Ask):
        used |= {one.policy for one in told.considered if (one.effect, one.match) == ("permit", Match.MATCHED)}
    return frozenset(used)


def idle(policies: Iterable[Policies], verdicts: Sequence[Verdict]) -> tuple[Rule, ...]:
    """The operators' policies that decided in no trial, each once, in the order of their files."""
    used = frozenset[PolicyId]().union(*(verdict.used for verdict in verdicts))
    rules = {rule.id: rule for one in policies for rule in one.rules if rule.source.origin is Origin.OPERATOR}
    return tuple(rule for rule in rules.values() if rule.id not in used)


def effect(decision: Decision) -> str:
    """A decision in one word."""
    match decision:
        case Allow():
            return "allow"
        case Ask():
            return "ask"
        case Deny():
            return "deny"


def told(decision: Decision) -> str:
    """A decision with who made it, and why."""
    by = f" by {', '.join(decision.policies)}" if decision.policies else ""
    why = "" if isinstance(decision, Allow) else f" ({decision.reason})"
    return f"{effect(decision)}{by}{why}"


def _faults(expected: Expected, decision: Decision, is_seen: bool) -> Iterator[str]:
    if expected.visible not in (None, is_seen):
        yield f"expected to be {'shown in' if expected.visible else 'hidden from'} lists, but it is {'shown' if is_seen else 'hidden'}"
    if expected.effect not in (None, effect(decision)):
        yield f"expected {expected.effect}, got {told(decision)}"
        return
    if expected.by not in (None, frozenset(decision.policies)):
        yield f"expected {expected.effect} by {_names(expected.by or ())}, got {told(decision)}"
    if expected.reason is not None and expected.reason not in _reason(decision):
        yield f"expected a reason with {expected.reason!r} in it, got {told(decision)}"
    yield from _of_needs(expected, decision)


def _of_needs(expected: Expected, decision: Decision) -> Iterator[str]:
    needs = {need.team: need.people for need in decision.needs} if isinstance(decision, Ask) else {}
    asked = _counted(needs)
    if expected.approvers is not None and expected.approvers != needs.keys():
        yield f"expected {_names(expected.approvers)} to be asked, got {asked}"
    if expected.needs not in (None, needs):
        yield f"expected {_counted(expected.needs or {})} to be asked, got {asked}"


def _counted(needs: Mapping[str, int]) -> str:
    return ", ".join(f"{people} of {team}" for team, people in sorted(needs.items())) or "nobody"


def _reason(decision: Decision) -> str:
    return "" if isinstance(decision, Allow) else decision.reason


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nobody"
