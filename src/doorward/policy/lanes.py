"""A lane: one principal on one action, ready to be asked.

The rules that cannot match it are out, the others are parsed, the entities are built; what is left for a call is its context.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import msgspec
from cedarpy import Entities, PolicySet, pst
from msgspec.structs import replace

from doorward.domain.catalog import Target
from doorward.domain.decisions import Decision, Deny
from doorward.domain.ids import PolicyId
from doorward.policy.cedar import Request
from doorward.policy.could import UNKNOWN
from doorward.policy.facts.fact import Derived
from doorward.policy.memo import Memo
from doorward.policy.panel import Panel
from doorward.policy.problems import cut
from doorward.policy.project import Unheld, project_record
from doorward.policy.question import Actor, Place, Speaker, Uid, entities, reads_proof
from doorward.policy.reads import Tree, together
from doorward.policy.rules import Mode, Rule
from doorward.policy.schema import Action, Vocabulary
from doorward.policy.scope import admits, by_principal, slices
from doorward.policy.standing import Standing, standing

FACTS = 64
"""Decisions remembered for one lane: one for each network address, proof and chain seen, as far as they are read."""

_UNHELD = Unheld((), "it is text that is not Unicode")


class Slice(msgspec.Struct, frozen=True):
    """The rules that can match one action, as positions in the set, and what the enforced ones read of the context."""

    number: int
    action: Action
    enforced: tuple[int, ...]
    watching: tuple[int, ...]
    """Those with `@mode("observe")`."""
    reads: Tree
    apart: "Apart"
    standing: Standing | None
    """What of the conditions of the enforced ones stands before a call."""
    by_principal: Mapping[Uid | None, Sequence[int]]
    """The enforced ones by whom their scopes name."""
    kin: int
    """The number of the first slice with the same enforced rules; what is worked out of these alone is the same."""

    def key(self, principal: Speaker, target: Target) -> tuple[object, ...]:
        """Everything about principal and target that rules on the action can read, but for network, method and the like (`apart`)."""
        agent = principal.agent
        place = (target.team, target.reversibility) if self.action.target is None else None
        return self.number, agent.id, agent.owner, agent.team, agent.kind, principal.subject, place

    def of(self, actor: Actor) -> list[int]:
        """The enforced rules whose scopes can hold for a principal, in their order."""
        return sorted(chain.from_iterable(self.by_principal.get(uid, ()) for uid in (None, *actor.uids())))


class Apart(msgspec.Struct, frozen=True):
    """What tells two principals of one agent and subject apart for some rules: part of the key of whatever is remembered of them."""

    method: bool
    network: bool
    proof: bool
    actors: bool

    def of(self, principal: Speaker) -> tuple[object, ...]:
        """The part of a key."""
        return (
            principal.method if self.method else None,
            principal.network if self.network else None,
            principal.proof if self.proof else None,
            principal.actors if self.actors else None,
        )


def apart(read: Tree) -> Apart:
    """What tells principals apart for rules that read this of the context."""
    return Apart("authn" in read, "network" in read, reads_proof(read), "actors" in read)


CALLED = ("input", "derived", "session", "time")
"""What of a context is another one with each call; everything else of it is told by principal and target."""

_INSTANTS = frozenset({"now", "unix"})
"""What of a moment never comes again."""


class Parts(msgspec.Struct, frozen=True):
    """What rules read of a context, apart: what stays as it is from call to call, and what does not."""

    still: Tree
    moving: Tree
    is_repeated: bool
    """Whether a question can come again, to the byte, and may be answered from memory: what has flowed in never is."""


def parted(read: Tree) -> Parts:
    """The parts of what is read."""
    still = Tree(False, {name: tree for name, tree in read.parts.items() if name not in CALLED})
    moving = Tree(False, {name: tree for name, tree in read.parts.items() if name in CALLED})
    time = read.below("time")
    return Parts(still, moving, "session" not in moving and not any(name in time for name in _INSTANTS))


class Lane(msgspec.Struct, frozen=True):
    """What can match one principal on one action."""

    number: int
    """Of all lanes of a generation, this one."""
    action: Action
    enforced: tuple[int, ...]
    passed_over: frozenset[int]
    """Of these, those that cannot match for what of their conditions stands."""
    watching: tuple[int, ...]
    panel: Panel
    """The enforced rules but for those."""
    entities: Entities
    request: Request
    """Principal, action and resource."""
    parts: Parts
    apart: Apart
    decisions: Memo[tuple[object, ...], Decision] = msgspec.field(default_factory=lambda: Memo(FACTS))

    @property
    def is_constant(self) -> bool:
        """Whether no enforced rule reads arguments, time or session, so that its decisions may be remembered."""
        return not self.parts.moving and not self.panel.reads.context.is_whole


def sliced(rules: Sequence[Rule], known: Vocabulary) -> Mapping[str, Slice]:
    """The slice of every action."""
    found = slices(rules, known)
    first: dict[tuple[int, ...], Slice] = {}
    made = {}
    for number, action in enumerate(known.actions.values()):
        positions = found.get(action.name, ())
        enforced = tuple(position for position in positions if rules[position].mode is Mode.ENFORCE)
        watching = tuple(position for position in positions if rules[position].mode is Mode.OBSERVE)
        kin = first.get(enforced)
        if kin is None:
            read = together([rules[position].reads for position in enforced]).context
            whose, still = by_principal(rules, enforced), standing(rules, enforced)
            kin = first[enforced] = Slice(number, action, enforced, watching, read, apart(read), still, whose, number)
        made[action.name] = replace(kin, number=number, action=action, watching=watching)
    return made


def admitted(rules: Sequence[Rule], positions: Sequence[int], actor: Actor, place: Place) -> tuple[int, ...]:
    """Of some rules, those whose layer and scope hold for a principal and an upstream."""
    agent, upstream = ("Agent", str(actor.agent.id)), ("Upstream", str(place.upstream))
    above, around = actor.uids(), place.uids()
    return tuple(
        position
        for position in positions
        if rules[position].team in ("", place.team)
        and admits(rules[position].cedar.principal, agent, above)
        and admits(rules[position].cedar.resource, upstream, around)
    )


def parsed_entities(actor: Actor, place: Place, action: Action) -> Entities:
    """The entities of every question in a lane."""
    return Entities.from_json_str(entities(actor, place, action.name, action.groups | {action.upstream}))


def request(actor: Actor, place: Place, action: Action) -> Request:
    """Principal, action and resource for a decision."""
    return {
        "principal": {"type": "Agent", "id": str(actor.agent.id)},
        "action": {"type": "Action", "id": action.name},
        "resource": {"type": "Upstream", "id": str(place.upstream)},
    }


def written_request(actor: Actor, place: Place, action: Action) -> Request:
    """The same in Cedar's syntax, as partial evaluation wants it."""
    return {
        "principal": _printed("Agent", actor.agent.id),
        "action": _printed("Action", action.name),
        "resource": _printed("Upstream", place.upstream),
    }


_PRINCIPAL = ("permit(principal == ", ", action, resource);")


def _printed(kind: str, identity: str) -> str:
    """An entity as Cedar prints it: it takes no other spelling of a name with quotes or line breaks in it."""
    uid = pst.EntityUid(pst.EntityType(kind), str(identity))
    policy = pst.Template("p", "permit", pst.ScopeEq(uid), pst.ScopeAny(), pst.ScopeAny(), (), {})
    before, after = _PRINCIPAL
    return str(PolicySet.from_pst(pst.PolicySet({}, {"p": policy}, ()))).removeprefix(before).removesuffix(after)


def context(action: Action, read: Tree, values: Mapping[str, object]) -> str | Unheld:
    """The context in Cedar's JSON as far as it is read, or the first place of it that Cedar cannot hold."""
    found = held(action, read, values)
    return found if isinstance(found, Unheld) else _written(found)


def held(action: Action, read: Tree, values: Mapping[str, object]) -> dict[str, object] | Unheld:
    """The same as plain values."""
    if "derived" in read:
        known = values.get("derived")
        derived = (known if isinstance(known, Derived) else derived_of(action, values)).read(read.below("derived"))
        if isinstance(derived, Unheld):
            return derived
        values = {**values, "derived": derived}
    return project_record(values, action.context, read)


def derived_of(action: Action, values: Mapping[str, object]) -> Derived:
    """The facts of a call, of which none is worked out before it is read."""
    arguments = values.get("input")
    return Derived(action.facts, arguments if isinstance(arguments, Mapping) else {})


def context_before(action: Action, read: Tree, values: Mapping[str, object]) -> str | Unheld:
    """The same before a call, with what is not known yet."""
    names, unknown = action.context.fields if read.is_whole else read.parts, not_known(read, values)
    found = held(action, Tree(False, {name: read.below(name) for name in names if name not in unknown}), values)
    return found if isinstance(found, Unheld) else _written(found | {name: UNKNOWN[name] for name in unknown})


def not_known(read: Tree, values: Mapping[str, object]) -> frozenset[str]:
    """What is read that these values do not have, as there is no call yet."""
    there = {*values, "derived"} if "input" in values else {*values}
    return frozenset(name for name in UNKNOWN if name in read and name not in there)


def _written(held: object) -> str | Unheld:
    try:
        return msgspec.json.encode(held).decode()
    except UnicodeEncodeError:
        return _UNHELD


def ask(panel: Panel, lane: Lane, values: Mapping[str, object], lifted: frozenset[PolicyId] | None = None) -> Decision:
    """What some rules make of a question in a lane, given all that its context can hold, and what an exception lifts."""
    asked = lane.request
    if panel.reads.context:
        written = context(lane.action, panel.reads.context, values)
        if isinstance(written, Unheld):
            return unheld(panel, lane.action, written)
        asked = {**asked, "context": written}
    return panel.decide(asked, lane.entities, lifted)


def unheld(panel: Panel, action: Action, place: Unheld) -> Deny:
    """The denial of a call that holds what policy reads and cannot hold (RULINGS 4)."""
    readers = panel.readers(place.path) or tuple(rule.id for rule in panel.rules)
    is_public = all(rule.is_public for rule in panel.rules if rule.id in readers)
    reason = f"{cut('.'.join(('context', *place.path)))} cannot be decided on: {place.reason}"
    return Deny(readers, reason, _told(action, place) if is_public else None)


def _told(action: Action, place: Unheld) -> str | None:
    """What the caller is told, so that it can mend its argument: which one it is, and what is wrong with it."""
    match place.path:
        case ("input", *steps):
            found = tuple(steps)
        case ("derived", name, *_) if name in action.facts:
            found = action.facts[name].of
        case _:
            return None
    return f"Policy cannot decide on the argument {cut('/' + '/'.join(found))}: {place.reason}." if found else None
