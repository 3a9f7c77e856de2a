"""Scopes: which policies can match which action, upstream and principal, known without evaluating anything.

INVARIANT: a policy that is left out here could not have matched; leaving one in costs time only, for Cedar checks the
scope again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cedarpy import pst

from doorward.policy.question import Uid
from doorward.policy.rules import Rule
from doorward.policy.schema import Vocabulary


def admits(constraint: pst.PrincipalOrResourceConstraint, own: Uid, within: frozenset[Uid]) -> bool:
    """Whether a principal or resource constraint holds for the entity `own`, which stands in `within` (itself included)."""
    match constraint:
        case pst.ScopeAny():
            return True
        case pst.ScopeEq(entity=pst.EntityUid() as entity):
            return _uid(entity) == own
        case pst.ScopeIn(entity=pst.EntityUid() as entity):
            return _uid(entity) in within
        case pst.ScopeIs(entity_type=wanted):
            return str(wanted) == own[0]
        case pst.ScopeIsIn(entity_type=wanted, entity=pst.EntityUid() as entity):
            return str(wanted) == own[0] and _uid(entity) in within
    return True  # a slot, which no rule has: evaluated rather than dropped


def covered(rule: Rule, known: Vocabulary) -> frozenset[str]:
    """The names of the actions that a rule can match."""
    names: frozenset[str] = frozenset()
    match rule.cedar.action:
        case pst.ActionEq(entity=entity):
            names = frozenset({entity.id} & known.actions.keys())
        case pst.ActionIn(entities=entities):
            names = names.union(*(known.members.get(entity.id, frozenset()) for entity in entities))
        case _:
            names = frozenset(known.actions)
    if (upstream := _only_upstream(rule)) is not None:
        names &= known.members[upstream] if upstream in known.upstreams else frozenset()
    return frozenset(name for name in names if known.is_of(known.actions[name], rule.team)) if rule.team else names


def slices(rules: Sequence[Rule], known: Vocabulary) -> Mapping[str, tuple[int, ...]]:
    """For each action the positions of the rules that can match it."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for position, rule in enumerate(rules):
        for name in covered(rule, known):
            found[name].append(position)
    return {name: tuple(positions) for name, positions in found.items()}


def by_principal(rules: Sequence[Rule], positions: Sequence[int]) -> Mapping[Uid | None, Sequence[int]]:
    """Some rules by whom their scope names; None: those that name nobody."""
    found: defaultdict[Uid | None, list[int]] = defaultdict(list)
    for position in positions:
        match rules[position].cedar.principal:
            case (
                pst.ScopeEq(entity=pst.EntityUid() as entity)
                | pst.ScopeIn(entity=pst.EntityUid() as entity)
                | pst.ScopeIsIn(entity=pst.EntityUid() as entity)
            ):
                found[_uid(entity)].append(position)
            case _:
                found[None].append(position)
    return dict(found)


def _only_upstream(rule: Rule) -> str | None:
    """The one upstream that a rule's resource can be, or a text that is none; None: any. In which teams it stands, a call says."""
    match rule.cedar.resource:
        case pst.ScopeEq(entity=pst.EntityUid() as entity):
            return entity.id if str(entity.type) == "Upstream" else ""
        case pst.ScopeIn(entity=pst.EntityUid() as entity) | pst.ScopeIsIn(entity=pst.EntityUid() as entity):
            return entity.id if str(entity.type) == "Upstream" else None
    return None


def _uid(entity: pst.EntityUid) -> Uid:
    return str(entity.type), entity.id
