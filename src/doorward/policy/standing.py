"""What of a rule's conditions stands before a call: its leading parts that read who acts and where, and nothing of the context.

INVARIANT: a rule that is left out here could not have matched, nor failed: Cedar reads conditions from left to right and stops at the
first that does not hold. A part that fails keeps its rule in.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

import msgspec
from cedarpy import Entities, PolicySet, pst

from doorward.policy.cedar import judge
from doorward.policy.reads import conditions
from doorward.policy.rules import Rule

_FAILED = re.compile(r"policy `policy(\d+)`: ")


class Standing(msgspec.Struct, frozen=True, eq=False):
    """Those parts of some rules, without the scopes, as policies of their own that are named by the rules' positions in the set."""

    positions: frozenset[int]
    cedar: PolicySet
    reads_action: bool

    def narrowed(self, among: Sequence[int], request: dict[str, object], entities: Entities) -> tuple[int, ...]:
        """Of rules at these positions, those that can still match a principal, action and resource."""
        found = judge(request, self.cedar, entities).diagnostics
        failed = {int(match[1]) for error in found.errors if (match := _FAILED.search(error)) is not None}
        if len(failed) < len(found.errors):
            return tuple(among)
        holding = failed | {int(name.removeprefix("policy")) for name in found.reason}
        return tuple(position for position in among if position not in self.positions or position in holding)


def standing(rules: Sequence[Rule], positions: Sequence[int]) -> Standing | None:
    """What stands of the rules at these positions; None where nothing of them does."""
    parts = {position: _part(position, rules[position]) for position in positions if rules[position].reads.context}
    policies = {part.id: part for part in parts.values() if part.clauses}
    if not policies:
        return None
    held = frozenset(position for position, part in parts.items() if part.clauses)
    reads_action = any(conditions(part).action for part in policies.values())
    return Standing(held, PolicySet.from_pst(pst.PolicySet({}, policies, ())), reads_action)


def _part(position: int, rule: Rule) -> pst.Template:
    anything = pst.ScopeAny()
    return pst.Template(f"policy{position}", "permit", anything, anything, anything, tuple(_settled(rule.cedar)), {})


def _settled(cedar: pst.Template) -> Iterator[pst.Clause]:
    """The clauses before the first that reads the context, and of that one the leading parts that do not."""
    for clause in cedar.clauses:
        if _is_settled(cedar, clause):
            yield clause
            continue
        if isinstance(clause, pst.When):
            yield from takewhile(lambda part: _is_settled(cedar, part), map(pst.When, _conjuncts(clause.expr)))
        return


def _is_settled(cedar: pst.Template, clause: pst.Clause) -> bool:
    return not conditions(replace(cedar, clauses=(clause,))).context


def _conjuncts(expression: pst.Expr) -> Iterator[pst.Expr]:
    match expression:
        case pst.BinaryOp(op="and", left=left, right=right):
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case _:
            yield expression
