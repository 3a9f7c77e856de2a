"""The decision: default deny, a matching `forbid` wins, an error of any rule denies.

Policies are compiled once for a generation and never change. What they remember (parsed panels, decisions of rules that
read neither arguments nor time nor session) could be computed again at any time and would come out the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType

from cedarpy import Schema

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Decision, Deny, Observation
from doorward.domain.ids import Digest, PolicyId, TeamId, UpstreamId
from doorward.domain.waivers import Waiver, Waivers, nothing_waived
from doorward.policy.check import check
from doorward.policy.could import could_allow
from doorward.policy.declared import with_facts
from doorward.policy.delegation import links, together
from doorward.policy.facts.fact import Derived, Fact, facts_text
from doorward.policy.lanes import (
    Lane,
    Slice,
    admitted,
    apart,
    ask,
    context,
    context_before,
    derived_of,
    not_known,
    parsed_entities,
    request,
    sliced,
    written_request,
)
from doorward.policy.memo import Memo
from doorward.policy.panel import Match, Panel, panel
from doorward.policy.problems import Problem, Problems, Weight, cut
from doorward.policy.project import Unheld
from doorward.policy.question import Actor, Moment, Place, Speaker, facts, time_facts
from doorward.policy.reads import Tree
from doorward.policy.rules import OWN, Rule, Source, parse
from doorward.policy.schema import GROUPS, SchemaEntry, Vocabulary, action_name, vocabulary
from doorward.policy.waiving import UNWAIVED, Lifted, denied, eased, liftable, somewhere, waived

LANES = 8_192
"""Pairs of principal and action that are kept ready; each holds a few kilobytes."""
PANELS = 1_024
"""Sets of rules that are kept parsed."""
ANSWERS = 32_768
"""Answers of `could_allow` that are remembered: 64 principals with a list of 500 tools each."""
URIS = 4_096
"""The same for single resources, which have a memory of their own: callers make URIs up, and must push nothing else out."""
LONGEST_URI = 256
"""Characters of a URI whose answer is remembered; one that is longer is worked out each time."""

UPSTREAM_WIDE = (Kind.UPSTREAM, Kind.INSTRUCTIONS)
"""What has no policies of its own: it may be had by whoever may see anything of the upstream."""

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


class Policies:
    """The policies of one generation: decides calls, and says what a principal may see."""

    __slots__ = (
        "_admissions",
        "_derived",
        "_instant",
        "_lanes",
        "_liftable",
        "_of_upstream",
        "_panels",
        "_shared",
        "_slices",
        "_uris",
        "_views",
        "digest",
        "reads_session",
        "rules",
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
        self._liftable = liftable(rules)
        self._slices = sliced(rules, known)
        self._of_upstream: Mapping[str, list[Slice]] = {upstream: [] for upstream in known.upstreams}
        for one in self._slices.values():
            self._of_upstream[one.action.upstream].append(one)
        self._lanes: Memo[tuple[object, ...], Lane] = Memo(LANES)
        self._admissions: Memo[tuple[object, ...], tuple[tuple[int, ...], tuple[int, ...]]] = Memo(LANES)
        self._panels: Memo[tuple[int, ...], Panel] = Memo(PANELS)
        self._views: Memo[tuple[object, ...], bool] = Memo(ANSWERS)
        self._shared: Memo[tuple[object, ...], bool] = Memo(ANSWERS)
        self._uris: Memo[tuple[object, ...], bool] = Memo(URIS)
        self._instant: tuple[Moment, dict[str, object]] | None = None
        self._derived: tuple[Call, Derived] | None = None

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
            could = call.target.kind in UPSTREAM_WIDE and self._could(principal, call.target, at, given)
            who, where = principal.agent.id, call.target.upstream
            return Allow((), would=denied(decision), waiver=somewhere(given, who, where)) if could else decision
        here = waived(given, principal.agent.id, lane.action, self._liftable)
        if here.exception is None:
            return eased(decision, decision, here)
        values = self._values(call, principal, lane, at, lane.panel.reads.context)
        return eased(decision, ask(lane.panel, lane, values, here.lifted), here)

    def _decide(self, call: Call, principal: Speaker, at: Moment) -> Decision:
        """The decision on one agent alone."""
        if principal.method is AuthnMethod.OWN:
            return _own(call.target)
        lane = self.lane(call, principal)
        if lane is None:
            return self._unnamed(principal, call.target, at)
        read = lane.panel.reads.context
        if not lane.is_constant:
            return ask(lane.panel, lane, self._values(call, principal, lane, at, read))
        key = lane.apart.of(principal)
        decision = lane.decisions.get(key)
        if decision is None:
            decision = lane.decisions.put(key, ask(lane.panel, lane, facts(principal, call.target, at, read)))
        return decision

    def _values(self, call: Call, principal: Speaker, lane: Lane, at: Moment, read: Tree) -> dict[str, object]:
        """Everything that a context of a call can hold. What is derived of its arguments is the same for everybody who is asked about."""
        values = facts(principal, call.target, at, read)
        values["input"] = call.arguments
        if "derived" in read:
            # Taken once: whoever else asks meanwhile asks about another call.
            if (held := self._derived) is None or held[0] is not call:
                held = self._derived = (call, derived_of(lane.action, values))
            values["derived"] = held[1]
        return values

    def watches(self, call: Call) -> bool:
        """Whether rules with `@mode("observe")` can match a call, so that it is worth asking what they would do."""
        one = self._slice(call.target, call.method)
        return one is not None and bool(one.watching)

    def liftable(self, policy: PolicyId) -> Rule | None:
        """The enforced `forbid` of this id if a team may lift it by an exception (`Rule.liftable_by`, bound to `Rule.text_digest`)."""
        return self._liftable.get(policy)

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
        together = self._panel(tuple(sorted({*lane.enforced, *lane.watching} - lane.passed_over)))
        values = self._values(call, principal, lane, at, together.reads.context)
        matched = [position for position in lane.watching if self.match(position, lane, values) is Match.MATCHED]
        return Observation(tuple(self.rules[position].id for position in matched), ask(together, lane, values))

    def match(self, position: int, lane: Lane, values: Mapping[str, object]) -> Match:
        """What comes of one rule alone; a rule that reads what cannot be held fails."""
        if position in lane.passed_over:
            return Match.DID_NOT_MATCH
        alone = self._panel((position,))
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
        if not self._could_eased(principal, target, at, waivers):
            return False
        return not principal.actors or all(self._could_eased(link, target, at, waivers) for link in links(principal))

    def _could_eased(self, principal: Speaker, target: Target, at: Moment, waivers: Waivers) -> bool:
        if self._could(principal, target, at):
            return True
        given = waivers(principal.agent.id)
        return bool(given) and self._could(principal, target, at, given)

    def _could(self, principal: Speaker, target: Target, at: Moment, given: Sequence[Waiver] = ()) -> bool:
        if principal.method is AuthnMethod.OWN:
            return target.kind is Kind.UPSTREAM
        if target.kind in UPSTREAM_WIDE:
            of_upstream = self._of_upstream.get(target.upstream, ())
            return any(self._sees(one, principal, one.action.target or target, at, given) for one in of_upstream)
        one = self._slice(target, "")
        return one is not None and self._sees(one, principal, target, at, given)

    def lane(self, call: Call, principal: Speaker) -> Lane | None:
        """Everything that can decide a call for one agent, ready to be asked; None if the call is of no action."""
        one = self._slice(call.target, call.method)
        if one is None:
            return None
        key = one.key(principal, call.target)
        lane = self._lanes.get(key)
        return lane if lane is not None else self._lanes.put(key, self._new_lane(one, principal, call.target))

    def _new_lane(self, one: Slice, principal: Speaker, target: Target) -> Lane:
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        enforced, asked = self._admitted(one, actor, place)
        panel = self._panel(asked)
        read = panel.reads.context
        return Lane(
            action=one.action,
            enforced=enforced,
            passed_over=frozenset(enforced).difference(asked),
            watching=admitted(self.rules, one.watching, actor, place),
            panel=panel,
            entities=parsed_entities(actor, place, one.action),
            request=request(actor, place, one.action),
            is_constant=not panel.reads.is_of_call and "time" not in read,
            apart=apart(read),
        )

    def _admitted(self, one: Slice, actor: Actor, place: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The enforced rules that can match a principal on an action by their scopes, and of these by what of their conditions stands."""
        key = (one.kin, actor, place, one.action.name if one.standing is not None and one.standing.reads_action else "")
        known = self._admissions.get(key)
        if known is not None:
            return known
        enforced = asked = admitted(self.rules, one.of(actor), actor, place)
        if one.standing is not None and not one.standing.positions.isdisjoint(enforced):
            asked = one.standing.narrowed(enforced, request(actor, place, one.action), parsed_entities(actor, place, one.action))
        return self._admissions.put(key, (enforced, asked))

    def _panel(self, positions: tuple[int, ...]) -> Panel:
        known = self._panels.get(positions)
        return known if known is not None else self._panels.put(positions, panel([self.rules[position] for position in positions]))

    def _slice(self, target: Target, method: str) -> Slice | None:
        name = action_name(target, method)
        one = None if name is None else self._slices.get(name)
        if one is None or one.action.target is None or one.action.target is target:
            return one
        return one if _same(one.action.target, target) else None

    def _unnamed(self, principal: Speaker, target: Target, at: Moment) -> Decision:
        """The decision on what has no policies of its own: an upstream's lists and instructions may be had by who sees anything of it."""
        if target.kind not in UPSTREAM_WIDE:
            return Deny((), NOT_APPROVED)
        return Allow(()) if self._could(principal, target, at) else Deny((), "no policy permits anything of this upstream")

    def _sees(self, one: Slice, principal: Speaker, target: Target, at: Moment, given: Sequence[Waiver] = ()) -> bool:
        """Whether a principal may see an action, with these waivers; what is remembered are answers to rules and never waivers."""
        here = waived(given, principal.agent.id, one.action, self._liftable) if given else UNWAIVED
        if here.glass is not None:
            return True
        lifted = here.lifted
        if not one.enforced or (given and lifted is None):
            return lifted is not None
        return self._remembered(one, principal, target, at, lifted)

    def _remembered(self, one: Slice, principal: Speaker, target: Target, at: Moment, lifted: Lifted | None) -> bool:
        """Whether a principal may see an action; remembered by everything that its rules could read, and what is lifted of them."""
        time = self._time(at) if "time" in one.reads else {}
        clock = tuple(time[name] for name in time if name in one.reads.below("time"))
        uri = target.name if target.kind is Kind.RESOURCE and ("input" in one.reads or "derived" in one.reads) else None
        if uri is not None and len(uri) > LONGEST_URI:
            return self._could_see(one, principal, target, at, lifted)
        views = self._views if uri is None else self._uris
        key = (*one.key(principal, target), *one.apart.of(principal), clock, uri, lifted)
        known = views.get(key)
        return known if known is not None else views.put(key, self._could_see(one, principal, target, at, lifted))

    def _could_see(self, one: Slice, principal: Speaker, target: Target, at: Moment, lifted: Lifted | None) -> bool:
        """The answer worked out; shared between actions whose rules can tell them apart by nothing they read."""
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        _, enforced = self._admitted(one, actor, place)
        panel = self._panel(enforced)
        read = panel.reads
        # What flows in until a call comes is not known, whatever has by now: lists are kept by clients, and shared.
        values = facts(principal, target, replace(at, session=None), read.context)
        is_single = target.kind is Kind.RESOURCE and read.is_of_arguments
        if is_single:
            values["input"] = {"uri": target.name}
        written = context_before(one.action, read.context, values)
        if isinstance(written, Unheld) or (lifted is None and not len(panel.permits)):
            return False
        if is_single:
            return self._answer(one, principal, target, values, written, lifted)
        # The scopes hold, so only what the conditions read can make a difference.
        action = one.action.name if read.action else ""
        key = (enforced, actor if read.principal else None, place if read.resource else None, action, written, lifted)
        known = self._shared.get(key)
        return known if known is not None else self._shared.put(key, self._answer(one, principal, target, values, written, lifted))

    def _answer(
        self, one: Slice, principal: Speaker, target: Target, values: dict[str, object], written: str, lifted: Lifted | None
    ) -> bool:
        """Whether rules can say yes, with whatever is read of a call and not known yet."""
        lane = self._new_lane(one, principal, target)
        if not not_known(lane.panel.reads.context, values):
            return not isinstance(ask(lane.panel, lane, values, lifted), Deny)
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        asked = {**written_request(actor, place, one.action), "context": written}
        return could_allow(lane.panel, asked, lane.entities, lifted)

    def _time(self, at: Moment) -> dict[str, object]:
        """The time facts of a moment; a list asks for the same ones hundreds of times."""
        if (held := self._instant) is None or held[0] is not at:
            held = self._instant = (at, time_facts(at))
        return held[1]


def observe(decision: Decision) -> Allow:
    """What `posture: observe` makes of a decision: the call passes, and the receipt says what would have become of it."""
    return decision if isinstance(decision, Allow) else Allow((), would=denied(decision))


def _own(target: Target) -> Decision:
    """The decision on the gateway's own principal, which needs no policy to discover and can do nothing else."""
    return Allow((OWN_DISCOVERY,)) if target.kind is Kind.UPSTREAM else Deny((), "the gateway itself only discovers")


def _same(approved: Target, target: Target) -> bool:
    """Whether a target is what its rules were selected for; one of another generation is decided by none."""
    return (approved.team, approved.parents, approved.reversibility) == (target.team, target.parents, target.reversibility)
