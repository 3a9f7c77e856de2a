"""Why a call was decided as it was: for operators, as plain values. Never shown to agents."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from doorward.domain.calls import Call
from doorward.domain.decisions import Decision, Observation
from doorward.domain.ids import PolicyId
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.delegation import links
from doorward.policy.engine import Policies
from doorward.policy.facts.fact import Derived
from doorward.policy.lanes import Lane
from doorward.policy.panel import Match
from doorward.policy.project import Unheld
from doorward.policy.question import Actor, Moment, Place, Uid, facts, user_issuer
from doorward.policy.reads import WHOLE, Tree, together


class Considered(msgspec.Struct, frozen=True):
    """One rule that could have matched, where it stands, and what came of it."""

    policy: PolicyId
    effect: str
    mode: str
    path: str
    line: int
    match: Match
    reason: str
    actor: str = ""
    """The agent of the chain that it was asked about; empty for the one that speaks."""


class Fact(msgspec.Struct, frozen=True):
    """One attribute that the rules read, and its value for this call; `is_there` is false where the call has none."""

    name: str
    value: object
    is_there: bool


class Explanation(msgspec.Struct, frozen=True):
    """A decision with all that went into it."""

    decision: Decision
    action: str
    """The name policies know the call by; empty if they know none."""
    considered: tuple[Considered, ...]
    facts: tuple[Fact, ...]
    observed: Observation | None


def explain(policies: Policies, call: Call, at: Moment, waivers: Waivers = nothing_waived) -> Explanation:
    """What decides a call at a moment, and on which facts. What the rules come to is told without waivers, the decision with them."""
    decision = policies.decide(call, at, waivers)
    lane = policies.lane(call, call.principal)
    if lane is None:
        return Explanation(decision, "", (), (), None)
    values = {**facts(call.principal, call.target, at, WHOLE), "input": call.arguments}
    considered = [*_considered(policies, lane, values), *_of_chain(policies, call, at)]
    return Explanation(
        decision, lane.action.name, tuple(considered), tuple(_facts(policies, lane, call, values)), policies.observed(call, at)
    )


def _considered(policies: Policies, lane: Lane, values: Mapping[str, object]) -> Iterator[Considered]:
    for position in sorted(lane.enforced + lane.watching):
        rule = policies.rules[position]
        match = policies.match(position, lane, values)
        yield Considered(rule.id, rule.effect, rule.mode.value, rule.source.path, rule.spot.line, match, rule.reason)


def _of_chain(policies: Policies, call: Call, at: Moment) -> Iterator[Considered]:
    """The same for everybody in the chain, asked about as if it spoke itself."""
    for link in links(call.principal):
        lane = policies.lane(call, link)
        if lane is not None:
            values = {**facts(link, call.target, at, WHOLE), "input": call.arguments}
            yield from (replace(one, actor=str(link.agent.id)) for one in _considered(policies, lane, values))


def _facts(policies: Policies, lane: Lane, call: Call, values: Mapping[str, object]) -> Iterator[Fact]:
    actor, place = Actor(call.principal.agent, call.principal.subject), Place(call.target.upstream, call.target.team)
    yield Fact("principal", _listed(actor.uids()), True)
    yield Fact("action", _listed(("Action", name) for name in {lane.action.name, lane.action.upstream, *lane.action.groups}), True)
    yield Fact("resource", _listed(place.uids()), True)
    read = together([policies.rules[position].reads for position in lane.enforced + lane.watching])
    for variable, tree, known in (
        ("principal", read.principal, _of_agent(call)),
        ("resource", read.resource, {"name": str(place.upstream), "team": str(place.team)}),
        ("context", read.context, {**values, "derived": _derived(lane, call, read.context.below("derived"))}),
    ):
        yield from _of_tree(variable, tree, known)


def _derived(lane: Lane, call: Call, read: Tree) -> dict[str, object]:
    """The derived facts that are read, as far as they can be derived."""
    found = Derived(lane.action.facts, call.arguments)
    known = {name: found.of(name) for name in (lane.action.facts if read.is_whole else read.parts)}
    return {name: fact[0] for name, fact in known.items() if not isinstance(fact, Unheld) and fact}


def _of_tree(variable: str, tree: Tree, known: Mapping[str, object]) -> Iterator[Fact]:
    if not tree:
        return
    for path in tree.paths():
        if path or variable == "context":
            value, is_there = _at(known, path)
            yield Fact(".".join((variable, *path)), value, is_there)


def _of_agent(call: Call) -> dict[str, object]:
    agent, subject = call.principal.agent, call.principal.subject
    known: dict[str, object] = {"name": str(agent.id), "owner": agent.owner, "kind": agent.kind, "team": str(agent.team)}
    return known if subject is None else {**known, "user": str(subject.id), "user.issuer": user_issuer(subject.id)}


def _at(value: Mapping[str, object], path: tuple[str, ...]) -> tuple[object, bool]:
    """The value at a path; what has attributes and stands for itself as well, such as a user, has them under its dotted name."""
    dotted = ".".join(path)
    return (value[dotted], True) if dotted in value else _below(value, path)


def _below(value: object, path: tuple[str, ...]) -> tuple[object, bool]:
    for name in path:
        if not isinstance(value, Mapping) or name not in value:
            return None, False
        value = value[name]
    return value, True


def _listed(uids: Iterable[Uid]) -> list[str]:
    return sorted(f'{kind}::"{identity}"' for kind, identity in uids)
