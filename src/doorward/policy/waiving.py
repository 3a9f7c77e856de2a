"""What waivers make of a decision: an exception permits and lifts the `forbid`s that it names, a broken glass passes whatever policy denies.

INVARIANT: a waiver makes no decision harder, and an exception lifts nothing that it does not name, that nobody may lift, or that has
another text by now. Nothing of a waiver is remembered here, so that nothing outlives it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import AgentId, PolicyId, UpstreamId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.policy.rules import Mode, Rule
from doorward.policy.schema import Action

Lifted = frozenset[PolicyId]
"""The `forbid`s that exceptions lift in a question; None in its place stands for no exception at all."""


class Waived(msgspec.Struct, frozen=True):
    """What of one agent is waived for one action."""

    exception: WaiverId | None
    """What permits it: the first exception."""
    lifts: Mapping[PolicyId, WaiverId]
    """The `forbid`s that are lifted, each by its exception."""
    glass: WaiverId | None

    @property
    def lifted(self) -> Lifted | None:
        """What a panel is asked with."""
        return None if self.exception is None else frozenset(self.lifts)


UNWAIVED = Waived(None, {}, None)


def liftable(rules: Iterable[Rule]) -> Mapping[PolicyId, Rule]:
    """Of some rules, the `forbid`s that an exception can lift."""
    return {rule.id: rule for rule in rules if rule.liftable_by is not None and rule.mode is Mode.ENFORCE}


def waived(given: Iterable[Waiver], agent: AgentId, action: Action, rules: Mapping[PolicyId, Rule]) -> Waived:
    """What some waivers are to an agent and an action, where these rules can be lifted."""
    here = [one for one in given if one.agent == agent and _covers(one, action)]
    exceptions = [one for one in here if one.kind is WaiverKind.EXCEPTION]
    lifts: dict[PolicyId, WaiverId] = {}
    for one in exceptions:
        same = (policy for policy, text in one.lifts.items() if policy in rules and rules[policy].text_digest == text)
        lifts = {**dict.fromkeys(same, one.id), **lifts}
    exception = next((one.id for one in exceptions), None)
    return Waived(exception, lifts, next((one.id for one in here if one.kind is WaiverKind.BREAK_GLASS), None))


def somewhere(given: Sequence[Waiver], agent: AgentId, upstream: UpstreamId) -> WaiverId | None:
    """The waivers of an agent that are for anything of an upstream."""
    return named(one.id for one in given if one.agent == agent and one.action.partition("/")[0] in ("", upstream))


def eased(decision: Deny | Ask, excepted: Decision, here: Waived) -> Decision:
    """A decision after waivers. `excepted`: what the rules decide where the exceptions permit and lift; a denial where there are none."""
    outcome: Decision = decision
    if not isinstance(excepted, Deny) and (isinstance(decision, Deny) or excepted.policies != decision.policies):
        lifts = [here.lifts[policy] for policy in decision.policies if policy in here.lifts]
        outcome = replace(excepted, would=denied(decision), waiver=named(lifts or [here.exception]))
    if here.glass is None or isinstance(outcome, Allow):
        return outcome
    return Allow((), would=denied(decision), waiver=here.glass)


def denied(decision: Deny | Ask) -> Deny:
    """What stood in the way of a call that passes all the same."""
    match decision:
        case Deny():
            return decision
        case Ask(policies, reason=reason):
            return Deny(policies, f"{' and '.join(sorted(decision.approvers))} would be asked: {reason}", is_question=True)


def named(waivers: Iterable[WaiverId | None]) -> WaiverId | None:
    """Waivers as a decision names them: each once, with commas between them; None if there are none."""
    several = dict.fromkeys(waiver for waiver in waivers if waiver is not None)
    return WaiverId(",".join(several)) if several else None


def _covers(waiver: Waiver, action: Action) -> bool:
    if not waiver.action:
        return waiver.kind is WaiverKind.BREAK_GLASS
    return waiver.action in (action.name, action.upstream)
