"""The smallest flip: what little would have to be otherwise for a call to be decided otherwise.

Changes are drawn from the literals and scopes of the rules that can match, tried one by one and then two by two, and each one
told has been decided again: a flip that is told flips. That there is none is only said of what was tried.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import Digest, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind, Waivers, nothing_waived
from doorward.policy.change import Change, Realm
from doorward.policy.changes import changes
from doorward.policy.engine import Policies
from doorward.policy.problems import cut
from doorward.policy.question import Moment
from doorward.policy.rules import Mode, Rule
from doorward.policy.schema import Action, Vocabulary, action_name
from doorward.policy.scope import covered
from doorward.policy.suppose import Supposition
from doorward.policy.underive import said

DECISIONS = 2_000
"""Questions asked of policy for one answer."""
SECONDS = 1.0
"""How long an operator waits for it at most."""
MOST = 5
"""Flips that are told."""


class Flip(msgspec.Struct, frozen=True):
    """A change, or two together, and what the call would be decided then."""

    changes: tuple[Change, ...]
    decision: Decision
    supposed: Supposition

    @property
    def sentence(self) -> str:
        """In words: `amount ≤ 500.00 instead of 750.00 → allow by small-payments`."""
        return f"{' and '.join(change.sentence for change in self.changes)} → {_told(self.decision)}"

    @property
    def realm(self) -> Realm:
        """The furthest from the caller that anything of it reaches."""
        return max((change.realm for change in self.changes), key=lambda realm: realm.distance)


class Flips(msgspec.Struct, frozen=True):
    """What was found, the nearest to the caller first; how much was tried, and whether that was all there is to try."""

    found: tuple[Flip, ...]
    tried: int
    is_whole: bool


NONE = Flips((), 0, True)


class _Trials:
    """Decides suppositions about one call, by the rules that can match its action; counts, and stops in time."""

    def __init__(self, rules: Sequence[Rule], one: Vocabulary, waivers: Waivers, is_over: Callable[[], bool]) -> None:
        # Policies of their own, so that what is only supposed fills no memory of those in force.
        self._policies: dict[object, Policies] = {}
        self._rules, self._one, self._waivers, self._is_over = rules, one, waivers, is_over
        self.tried = 0
        self.is_whole = True

    def decide(self, supposed: Supposition) -> Decision:
        self.tried += 1
        key = supposed.without, supposed.said
        policies = self._policies.get(key)
        if policies is None:
            rules = tuple(rule for rule in self._rules if rule.id not in supposed.without)
            policies = self._policies[key] = Policies(rules, _saying(self._one, supposed), Digest(""), ())
        return policies.decide(supposed.call, supposed.at, self._waiving(supposed) if supposed.excepted else self._waivers)

    def _waiving(self, supposed: Supposition) -> Waivers:
        """What is waived, with an exception that lifts what is supposed to be lifted."""
        agent = supposed.call.principal.agent.id
        lifts = {rule.id: rule.text_digest for rule in self._rules if rule.id in supposed.excepted}
        given = Waiver(WaiverId("supposed"), WaiverKind.EXCEPTION, agent, next(iter(self._one.actions)), lifts, "", "", 0, 0)
        return lambda who: (*self._waivers(who), given) if who == agent else self._waivers(who)

    def goes_on(self) -> bool:
        """Whether one more may be tried."""
        self.is_whole = self.is_whole and self.tried < DECISIONS and not self._is_over()
        return self.is_whole


def flips(policies: Policies, call: Call, at: Moment, is_over: Callable[[], bool], waivers: Waivers = nothing_waived) -> Flips:
    """The smallest changes after which policy would not say the same of a call. `is_over`: whether it is time to stop.

    Of `policies` nothing is read but what never changes, so that it may run in a thread of its own.
    """
    action = policies.vocabulary.actions.get(action_name(call.target, call.method) or "")
    if action is None:
        return NONE
    one = _alone(action, policies.vocabulary)
    rules = [rule for rule in policies.rules if rule.mode is Mode.ENFORCE and covered(rule, one)]
    trials = _Trials(rules, one, waivers, is_over)
    start = Supposition(call, at)
    base = trials.decide(start)
    wanted = changes(rules, base.policies, start, action)
    found = [*_approved(base, start), *_singles(trials, start, base, wanted)]
    if not any(flip.realm in (Realm.ARGUMENTS, Realm.CONTEXT) for flip in found):
        found += _pairs(trials, start, base, wanted, found)
    found.sort(key=lambda flip: (flip.realm.distance, len(flip.changes)))
    return Flips(tuple(found[:MOST]), trials.tried, trials.is_whole)


def _alone(action: Action, known: Vocabulary) -> Vocabulary:
    """The vocabulary with one action in it."""
    members = {name: inside & {action.name} for name, inside in known.members.items()}
    return replace(known, actions={action.name: action}, members=members)


def _saying(one: Vocabulary, supposed: Supposition) -> Vocabulary:
    """The vocabulary with the facts that are taken as given."""
    if not supposed.said:
        return one
    return replace(one, actions={name: replace(action, facts=said(action.facts, supposed.said)) for name, action in one.actions.items()})


def _approved(base: Decision, start: Supposition) -> Iterator[Flip]:
    """The yes that a call waits for."""
    if isinstance(base, Ask):
        told = " and ".join(
            f"{need.people} of {cut(need.team)}" if need.people > 1 else f"somebody of {cut(need.team)}" for need in base.needs
        )
        change = Change(Realm.APPROVAL, f"once {told} said yes to exactly this call", "approval", lambda supposed: supposed)
        yield Flip((change,), Allow(base.policies), start)


def _singles(trials: _Trials, start: Supposition, base: Decision, wanted: Sequence[Change]) -> Iterator[Flip]:
    told = [start]
    for change in wanted:
        if not trials.goes_on():
            return
        supposed = change.make(start)
        if supposed is None or supposed in told:
            continue
        if is_flipped(base, decision := trials.decide(supposed)):
            told.append(supposed)
            yield Flip((change,), decision, supposed)


def _pairs(trials: _Trials, start: Supposition, base: Decision, wanted: Sequence[Change], singles: Sequence[Flip]) -> list[Flip]:
    """Two changes together, of which neither flips alone; as many as are told."""
    alone = {flip.changes[0].sentence for flip in singles}
    open_ones = [change for change in wanted if change.sentence not in alone]
    found: list[Flip] = []
    for one, other in _couples(open_ones):
        if len(found) >= MOST or not trials.goes_on():
            break
        if one.what == other.what:
            continue
        between = one.make(start)
        supposed = None if between is None else other.make(between)
        if supposed is not None and is_flipped(base, decision := trials.decide(supposed)):
            found.append(Flip((one, other), decision, supposed))
    return found


def _couples(several: Sequence[Change]) -> Iterator[tuple[Change, Change]]:
    """Two at a time: first those that one policy asks for, then all others, each as near to the caller as can be."""
    for is_of_one in (True, False):
        for number, other in enumerate(several):
            yield from ((one, other) for one in several[:number] if bool(one.rules & other.rules) is is_of_one)


def is_flipped(base: Decision, decision: Decision) -> bool:
    """Whether one decision is on the other side of another: through instead of denied, or the reverse; through instead of asked."""
    match base:
        case Deny():
            return not isinstance(decision, Deny)
        case Ask():
            return isinstance(decision, Allow)
        case Allow():
            return not isinstance(decision, Allow)


def _told(decision: Decision) -> str:
    by = f" by {', '.join(decision.policies)}" if decision.policies else ""
    match decision:
        case Allow():
            return f"allow{by}"
        case Ask(needs=needs):
            return f"ask {' and '.join(cut(need.team) for need in needs)}{by}"
        case Deny():
            return f"deny{by}" if by else "deny, as nothing permits it"
