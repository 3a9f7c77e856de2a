"""The decision: default deny, a matching `forbid` wins, an error of any rule denies.

Policies are compiled once for a generation and never change. What they remember (parsed panels, decisions of rules that
read neither arguments nor time nor session) could be computed again at any time and would come out the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

import msgspec
from cedarpy import Schema

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Decision, Deny, Observation
from doorward.domain.ids import Digest, PolicyId, TeamId, UpstreamId
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.book import LANES, Book, Met
from doorward.policy.check import check
from doorward.policy.declared import with_facts
from doorward.policy.delegation import links, together
from doorward.policy.facts.fact import Derived, Fact, facts_text
from doorward.policy.grounds import Ground
from doorward.policy.lanes import (
    Lane,
    ask,
    context,
    derived_of,
)
from doorward.policy.memo import Memo
from doorward.policy.panel import Match
from doorward.policy.problems import Problem, Problems, Weight, cut
from doorward.policy.project import Unheld
from doorward.policy.question import Moment, Speaker, facts, moving_facts, time_facts
from doorward.policy.reads import WHOLE, Tree
from doorward.policy.reads import together as reads_together
from doorward.policy.rules import OWN, Mode, Rule, Source, parse
from doorward.policy.schema import GROUPS, TIME, SchemaEntry, Vocabulary, vocabulary
from doorward.policy.sight import UPSTREAM_WIDE, Sight
from doorward.policy.waiving import denied, eased, somewhere, waived

R = TypeVar("R", Allow, Ground)

ANSWERS = 8_192
"""Answers to questions that hold what one call alone has."""
LONGEST_QUESTION = 512
"""Characters of one whose answer is remembered: callers make them up, and all of them together must stay small."""

OWN_DISCOVERY = PolicyId(f"{OWN}discovery")
"""What allows the gateway's own principal to list and start upstreams; operators' policies are about agents."""
_NOBODY: Mapping[UpstreamId, TeamId] = MappingProxyType({})
NOT_APPROVED = "it is not in the approved catalogue"


def compile(  # noqa: A001 -- the word for what it does; nobody compiles Python here
    sources: Iterable[Source],
    entries: Iterable[SchemaEntry],
    upstreams: Iterable[UpstreamId],
    settled: frozenset[UpstreamId] | None = None,
    owners: Mapping[UpstreamId, TeamId] = _NOBODY,
    declared: Sequence[Fact] = (),
) -> "Policies | Problems":
    """The policies of some files over an approved catalogue, or everything that is wrong with them.

    `settled`: the upstreams of which nothing waits for approval, so that a name they do not have is an error, not a warning.
    `owners`: the team of each upstream; where one is not named, that of its definitions.
    `declared`: the facts that are derived of tools' arguments.
    """
    files = tuple(sources)
    known, unfit = with_facts(vocabulary(entries, upstreams, settled, owners), declared)
    rules: list[Rule] = []
    problems: list[Problem] = [*_misnamed(known), *unfit]
    for source in files:
        found, wrong = parse(source)
        rules.extend(found)
        problems.extend(wrong)
    schemas = {team: Schema.from_json_str(known.schema(team), release_gil=True) for team in {file.team for file in files}}
    problems.extend(check(rules, known, schemas))
    if any(problem.weight is Weight.ERROR for problem in problems):
        return Problems(tuple(problems))
    return Policies(tuple(rules), known, _digest(files, facts_text(declared)), tuple(problems))


def _misnamed(known: Vocabulary) -> Iterable[Problem]:
    for upstream in sorted(known.upstreams & set(GROUPS)):
        yield Problem("", 0, 0, None, f"an upstream may not be called {cut(upstream)}: policies know a group of that name")


def _digest(files: tuple[Source, ...], declared: str) -> Digest:
    """Names the set, whatever the order its files were found in: their layers, paths and texts, and the declared facts if there are any."""
    total = sha256()
    for text in (part for file in sorted((file.team, file.path, file.text) for file in files) for part in file):
        total.update(sha256(text.encode()).digest())
    if declared:
        total.update(sha256(declared.encode()).digest())
    return Digest(total.hexdigest())


class Known(msgspec.Struct, frozen=True, eq=False):
    """What is known of a principal and a target by the very objects."""

    met: Met
    rests_on: Allow | Ground
    """The decision on every call of theirs, or what each is decided on."""


class Policies:
    """The policies of one generation: decides calls, and says what a principal may see."""

    __slots__ = (
        "_answers",
        "_book",
        "_clock",
        "_derived",
        "_known",
        "_sight",
        "_watching",
        "digest",
        "reads_session",
        "rules",
        "shows_always",
        "vocabulary",
        "warnings",
    )

    def __init__(self, rules: tuple[Rule, ...], known: Vocabulary, digest: Digest, warnings: tuple[Problem, ...]) -> None:
        self.rules = rules
        self.vocabulary = known
        self.digest = digest
        self.reads_session = any("session" in rule.reads.context for rule in rules)
        """Whether any rule reads what has flowed into a context: where none does, nobody needs to say it."""
        self.warnings = warnings
        self._book = Book(rules, known)
        self._sight = Sight(self._book)
        self.shows_always = self._sight.shows_always
        """Whether this very principal may see this very target at any time, whatever is waived, as far as that is known by now."""
        time = reads_together([rule.reads for rule in rules]).context.below("time")
        self._clock = tuple(TIME.fields if time.is_whole else sorted(time.parts))
        self._watching = any(rule.mode is Mode.OBSERVE for rule in rules)
        self._known: Memo[tuple[int, int, str], Known] = Memo(LANES)
        self._answers: Memo[tuple[int, str], Decision] = Memo(ANSWERS)
        self._derived: tuple[Call, Derived] | None = None

    def settled(self, call: Call) -> Allow | None:
        """The decision on a call where it is known by now, rests on nothing but this very principal and target, and nobody watches (`watches`)."""
        known = self._known.get((id(call.principal), id(call.target), call.method))
        return known.rests_on if known is not None and isinstance(known.rests_on, Allow) else None

    def decide(self, call: Call, at: Moment, waivers: Waivers = nothing_waived) -> Decision:
        """Whether a call may go on, must be asked about, or is denied, for its agent and everybody in its chain; and by which policies."""
        principal = call.principal
        decision = self._eased(call, principal, at, waivers)
        if not principal.actors:
            return decision
        others = ((link.agent.id, self._eased(call, link, at, waivers)) for link in links(principal))
        return together([(principal.agent.id, decision), *others])

    def _eased(self, call: Call, principal: Speaker, at: Moment, waivers: Waivers) -> Decision:
        """The decision on one agent alone, after what of it is waived; that is looked at only where it is not allowed anyway."""
        decision = self._decide(call, principal, at)
        if isinstance(decision, Allow) or principal.method is AuthnMethod.OWN or not (given := waivers(principal.agent.id)):
            return decision
        lane = self.lane(call, principal)
        if lane is None:
            could = call.target.kind in UPSTREAM_WIDE and self._sight.could(principal, call.target, at, given)
            who, where = principal.agent.id, call.target.upstream
            return Allow((), would=denied(decision), waiver=somewhere(given, who, where)) if could else decision
        here = waived(given, principal.agent.id, lane.action, self._book.liftable)
        if here.exception is None:
            return eased(decision, decision, here)
        values = self._values(call, principal, lane, at, lane.panel.reads.context)
        return eased(decision, ask(lane.panel, lane, values, here.lifted), here)

    def _decide(self, call: Call, principal: Speaker, at: Moment) -> Decision:
        """The decision on one agent alone."""
        known = self._known.get((id(principal), id(call.target), call.method))
        if known is not None:
            return known.rests_on if isinstance(known.rests_on, Allow) else self._grounded(call, known.rests_on, at)
        if principal.method is AuthnMethod.OWN:
            return _own(call.target)
        lane = self.lane(call, principal)
        if lane is None:
            return self._unnamed(principal, call.target, at)
        if lane.panel.reads.context.is_whole:
            return ask(lane.panel, lane, self._values(call, principal, lane, at, WHOLE))
        if lane.is_constant:
            decision = self._constant(call, principal, lane, at)
            # Whatever else always comes goes the whole way each time: something of a denial may be waived, and a watched call is told of.
            return self._kept(call, principal, decision) if isinstance(decision, Allow) and not self.watches(call) else decision
        ground = self._kept(call, principal, self._book.ground(lane, principal, call.target, at))
        return self._grounded(call, ground, at)

    def _kept(self, call: Call, principal: Speaker, rests_on: R) -> R:
        """What the calls of a principal and a target are decided on, found by the very objects from now on."""
        if principal is call.principal and not principal.actors and call.target.kind is not Kind.RESOURCE:
            self._known.put((id(principal), id(call.target), call.method), Known(Met(principal, call.target), rests_on))
        return rests_on

    def _constant(self, call: Call, principal: Speaker, lane: Lane, at: Moment) -> Decision:
        """The decision of rules that read nothing of a call: the same for all callers whom they cannot tell apart."""
        key = lane.apart.of(principal)
        decision = lane.decisions.get(key)
        if decision is None:
            decision = lane.decisions.put(key, ask(lane.panel, lane, facts(principal, call.target, at, lane.panel.reads.context)))
        return decision

    def _grounded(self, call: Call, ground: Ground, at: Moment) -> Decision:
        """The decision of rules that read what one call alone has: the same for the same question, to the byte."""
        lane, moving = ground.lane, ground.lane.parts.moving
        if ground.arguments is None:
            values = self._with_call(call, lane, moving_facts(at, moving), moving)
            written = ground.question(values)
        else:
            values = {"input": call.arguments}
            written = ground.question_of(call.arguments)
        if written is None:
            return ask(lane.panel, lane, ground.standing | values)
        if len(written) > LONGEST_QUESTION or not lane.parts.is_repeated:
            return ground.allow(written) or ask(lane.panel, lane, ground.standing | values)
        key = (ground.number, written)
        known = self._answers.get(key)
        if known is None:
            known = self._answers.put(key, ground.allow(written) or ask(lane.panel, lane, ground.standing | values))
        return known

    def _values(self, call: Call, principal: Speaker, lane: Lane, at: Moment, read: Tree) -> dict[str, object]:
        """Everything that a context of a call can hold. What is derived of its arguments is the same for everybody who is asked about."""
        return self._with_call(call, lane, facts(principal, call.target, at, read), read)

    def _with_call(self, call: Call, lane: Lane, values: dict[str, object], read: Tree) -> dict[str, object]:
        values["input"] = call.arguments
        if "derived" in read:
            # Taken once: whoever else asks meanwhile asks about another call.
            if (held := self._derived) is None or held[0] is not call:
                held = self._derived = (call, derived_of(lane.action, values))
            values["derived"] = held[1]
        return values

    def watches(self, call: Call) -> bool:
        """Whether rules with `@mode("observe")` can match a call, so that it is worth asking what they would do."""
        one = self._book.slice(call.target, call.method) if self._watching else None
        return one is not None and bool(one.watching)

    def liftable(self, policy: PolicyId) -> Rule | None:
        """The enforced `forbid` of this id if a team may lift it by an exception (`Rule.liftable_by`, bound to `Rule.text_digest`)."""
        return self._book.liftable.get(policy)

    def observed(self, call: Call, at: Moment) -> Observation | None:
        """What the rules with `@mode("observe")` would do to a call; None if none of them can match it."""
        speakers: list[Speaker] = [call.principal, *links(call.principal)]
        found = [(one, self._observed(call, one, at)) for one in speakers]
        seen = [observed for _, observed in found if observed is not None]
        if not seen or len(found) == 1:
            return seen[0] if seen else None
        would = together([(one.agent.id, observed.would if observed else self._decide(call, one, at)) for one, observed in found])
        return Observation(tuple(dict.fromkeys(policy for observed in seen for policy in observed.policies)), would)

    def _observed(self, call: Call, principal: Speaker, at: Moment) -> Observation | None:
        lane = None if principal.method is AuthnMethod.OWN else self.lane(call, principal)
        if lane is None or not lane.watching:
            return None
        together = self._book.panel(tuple(sorted({*lane.enforced, *lane.watching} - lane.passed_over)))
        values = self._values(call, principal, lane, at, together.reads.context)
        matched = [position for position in lane.watching if self.match(position, lane, values) is Match.MATCHED]
        return Observation(tuple(self.rules[position].id for position in matched), ask(together, lane, values))

    def match(self, position: int, lane: Lane, values: Mapping[str, object]) -> Match:
        """What comes of one rule alone; a rule that reads what cannot be held fails."""
        if position in lane.passed_over:
            return Match.DID_NOT_MATCH
        alone = self._book.panel((position,))
        if not alone.reads.context:
            return alone.match(lane.request, lane.entities)
        written = context(lane.action, alone.reads.context, values)
        if isinstance(written, Unheld):
            return Match.FAILED
        return alone.match({**lane.request, "context": written}, lane.entities)

    def could_allow(self, principal: Principal, target: Target, at: Moment, waivers: Waivers = nothing_waived) -> bool:
        """Whether a principal, and everybody in its chain, may see a target: whether `decide` could allow or ask for some arguments.

        A no is certain. A yes may still be no for every argument, where that is more than partial evaluation can see.
        """
        return self._sight.could_allow(principal, target, at, waivers)

    def clock(self, at: Moment) -> tuple[object, ...]:
        """What any rule could read of the time of a moment: two moments that are the same in this show the same."""
        if not self._clock:
            return ()
        facts = time_facts(at)
        return tuple(facts[name] for name in self._clock)

    def lane(self, call: Call, principal: Speaker) -> Lane | None:
        """Everything that can decide a call for one agent, ready to be asked; None if the call is of no action."""
        one = self._book.slice(call.target, call.method)
        return None if one is None else self._book.lane(one, principal, call.target)

    def _unnamed(self, principal: Speaker, target: Target, at: Moment) -> Decision:
        """The decision on what has no policies of its own: an upstream's lists and instructions may be had by who sees anything of it."""
        if target.kind not in UPSTREAM_WIDE:
            return Deny((), NOT_APPROVED)
        return Allow(()) if self._sight.could(principal, target, at) else Deny((), "no policy permits anything of this upstream")


def observe(decision: Decision) -> Allow:
    """What `posture: observe` makes of a decision: the call passes, and the receipt says what would have become of it."""
    return decision if isinstance(decision, Allow) else Allow((), would=denied(decision))


def _own(target: Target) -> Decision:
    """The decision on the gateway's own principal, which needs no policy to discover and can do nothing else."""
    return Allow((OWN_DISCOVERY,)) if target.kind is Kind.UPSTREAM else Deny((), "the gateway itself only discovers")
