"""The rules of a generation by action and by principal: what can match one principal on one action, parsed once and kept ready."""

from collections.abc import Mapping
from itertools import count

import msgspec

from doorward.domain.catalog import Target
from doorward.domain.ids import PolicyId
from doorward.policy.grounds import Ground, Halves, grounded, halved
from doorward.policy.lanes import Lane, Slice, admitted, apart, parsed_entities, parted, request, sliced
from doorward.policy.memo import Memo
from doorward.policy.panel import Panel, panel
from doorward.policy.question import Actor, Moment, Place, Speaker, facts
from doorward.policy.rules import Rule
from doorward.policy.schema import COMPLETE, Vocabulary, action_name
from doorward.policy.waiving import liftable

LANES = 8_192
"""Pairs of principal and action that are kept ready; each holds a few kilobytes."""
PANELS = 1_024
"""Sets of rules that are kept parsed."""
GROUNDS = 8_192
"""What stays of the questions in a lane, once for each network address, proof and chain seen, as far as they are read."""


class Book:
    """The rules and the vocabulary of a generation, which never change, and what has been worked out of them."""

    __slots__ = (
        "_admissions",
        "_grounds",
        "_halves",
        "_lanes",
        "_numbers",
        "_of_target",
        "_panels",
        "_slices",
        "liftable",
        "of_upstream",
        "rules",
    )

    def __init__(self, rules: tuple[Rule, ...], known: Vocabulary) -> None:
        self.rules = rules
        self.liftable: Mapping[PolicyId, Rule] = liftable(rules)
        self._slices = sliced(rules, known)
        # The slices hold these targets, so that their ids are nobody else's.
        self._of_target = {id(one.action.target): one for one in self._slices.values() if one.action.target is not None}
        self.of_upstream: Mapping[str, list[Slice]] = {upstream: [] for upstream in known.upstreams}
        for one in self._slices.values():
            self.of_upstream[one.action.upstream].append(one)
        self._lanes: Memo[tuple[object, ...], Lane] = Memo(LANES)
        self._admissions: Memo[tuple[object, ...], tuple[tuple[int, ...], tuple[int, ...]]] = Memo(LANES)
        self._panels: Memo[tuple[int, ...], Panel] = Memo(PANELS)
        self._halves: Memo[tuple[int, ...], Halves] = Memo(PANELS)
        self._grounds: Memo[tuple[object, ...], Ground] = Memo(GROUNDS)
        self._numbers = count()

    def slice(self, target: Target, method: str) -> Slice | None:
        """The rules that can match a call of this method on this target; None if it is of no action."""
        if method != COMPLETE and (known := self._of_target.get(id(target))) is not None:
            return known
        name = action_name(target, method)
        one = None if name is None else self._slices.get(name)
        if one is None or one.action.target is None or one.action.target is target:
            return one
        return one if _same(one.action.target, target) else None

    def lane(self, one: Slice, principal: Speaker, target: Target) -> Lane:
        """Everything of a slice that can decide on a principal, ready to be asked."""
        key = one.key(principal, target)
        lane = self._lanes.get(key)
        return lane if lane is not None else self._lanes.put(key, self.new_lane(one, principal, target))

    def new_lane(self, one: Slice, principal: Speaker, target: Target) -> Lane:
        """The same, not kept."""
        actor, place = Actor(principal.agent, principal.subject), Place(target.upstream, target.team)
        enforced, asked = self.admitted(one, actor, place)
        panel = self.panel(asked)
        read = panel.reads.context
        return Lane(
            number=next(self._numbers),
            action=one.action,
            enforced=enforced,
            passed_over=frozenset(enforced).difference(asked),
            watching=admitted(self.rules, one.watching, actor, place),
            panel=panel,
            entities=parsed_entities(actor, place, one.action),
            request=request(actor, place, one.action),
            parts=parted(read),
            apart=apart(read),
        )

    def ground(self, lane: Lane, principal: Speaker, target: Target, at: Moment) -> Ground:
        """What stays of the questions in a lane for whoever is like a principal to its rules."""
        key = (lane.number, *lane.apart.of(principal))
        ground = self._grounds.get(key)
        return ground if ground is not None else self._grounds.put(key, self._new_ground(lane, principal, target, at))

    def _new_ground(self, lane: Lane, principal: Speaker, target: Target, at: Moment) -> Ground:
        asked = tuple(position for position in lane.enforced if position not in lane.passed_over)
        halves = self._halves.get(asked) or self._halves.put(asked, halved(self.rules, asked))
        return grounded(next(self._numbers), lane, self.rules, halves, facts(principal, target, at, lane.parts.still))

    def admitted(self, one: Slice, actor: Actor, place: Place) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The enforced rules that can match a principal on an action by their scopes, and of these by what of their conditions stands."""
        key = (one.kin, actor, place, one.action.name if one.standing is not None and one.standing.reads_action else "")
        known = self._admissions.get(key)
        if known is not None:
            return known
        enforced = asked = admitted(self.rules, one.of(actor), actor, place)
        if one.standing is not None and not one.standing.positions.isdisjoint(enforced):
            asked = one.standing.narrowed(enforced, request(actor, place, one.action), parsed_entities(actor, place, one.action))
        return self._admissions.put(key, (enforced, asked))

    def panel(self, positions: tuple[int, ...]) -> Panel:
        """Some rules, parsed together."""
        known = self._panels.get(positions)
        return known if known is not None else self._panels.put(positions, panel([self.rules[position] for position in positions]))


class Met(msgspec.Struct, frozen=True):
    """A principal and a target that have met: kept, so that their ids are nobody else's for as long as something is found by them."""

    principal: Speaker
    target: Target


def _same(approved: Target, target: Target) -> bool:
    """Whether a target is what its rules were selected for; one of another generation is decided by none."""
    return (approved.team, approved.parents, approved.reversibility) == (target.team, target.parents, target.reversibility)
