"""Whether a question can be answered with yes for any arguments, from what Cedar's partial evaluation leaves of its rules.

INVARIANT: a no here is a no from `decide`, whatever the arguments; a yes promises nothing. Partial evaluation is an
experimental part of Cedar: nothing but what lists show rests on it.
"""

from collections.abc import Mapping, Sequence

from cedarpy import Entities, is_authorized_partial

from doorward.domain.ids import PolicyId
from doorward.policy.panel import Panel
from doorward.policy.rules import Rule

UNKNOWN = {name: {"__extn": {"fn": "unknown", "arg": name}} for name in ("input", "derived", "session")}
"""What stands in the context for arguments that are not there yet, for what is derived of them, and for what flows in until then."""

_Outcomes = tuple[bool, bool]
"""Whether an expression can come out true, and whether it can come out false."""
_EITHER = (True, True)


def could_allow(panel: Panel, request: Mapping[str, object], entities: Entities, lifted: frozenset[PolicyId] | None = None) -> bool:
    """Whether arguments are thinkable for which these rules allow, or ask. `request` names its entities in Cedar's syntax.

    A rule that fails whatever the arguments makes every call a denial, so the answer is no. `lifted`: as for `Panel.decide`.
    """
    result = is_authorized_partial(dict(request), panel.cedar, entities)
    if result.diagnostics.errors:
        return False
    outcomes = [_of_policy(result.residuals.get(f"policy{position}")) for position in range(len(panel.rules))]
    return _open(panel.rules, outcomes, lifted)


def _open(rules: Sequence[Rule], outcomes: Sequence[_Outcomes], lifted: frozenset[PolicyId] | None) -> bool:
    permitted = lifted is not None
    for rule, (can_match, can_fall) in zip(rules, outcomes, strict=True):
        if rule.effect == "permit":
            permitted = permitted or can_match
        elif rule.need is None and not can_fall and not (lifted and rule.id in lifted):
            return False
    return permitted


def _of_policy(residual: object) -> _Outcomes:
    match residual:
        case {"conditions": [*conditions]}:
            outcomes = (True, False)
            for condition in conditions:
                outcomes = _and(outcomes, _of_condition(condition))
            return outcomes
    return _EITHER


def _of_condition(condition: object) -> _Outcomes:
    match condition:
        case {"kind": "when", "body": body}:
            return _of(body)
    return _EITHER


def _of(expression: object) -> _Outcomes:
    """The outcomes of an expression in Cedar's JSON; of all but the connectives, both."""
    match expression:
        case {"Value": bool(value)}:
            return (value, not value)
        case {"&&": {"left": left, "right": right}}:
            return _and(_of(left), _of(right))
        case {"||": {"left": left, "right": right}}:
            return _not(_and(_not(_of(left)), _not(_of(right))))
        case {"!": {"arg": inner}}:
            return _not(_of(inner))
        case {"if-then-else": {"if": condition, "then": then, "else": otherwise}}:
            return _if(_of(condition), _of(then), _of(otherwise))
    return _EITHER


def _and(left: _Outcomes, right: _Outcomes) -> _Outcomes:
    return left[0] and right[0], left[1] or (left[0] and right[1])


def _not(inner: _Outcomes) -> _Outcomes:
    return inner[1], inner[0]


def _if(condition: _Outcomes, then: _Outcomes, otherwise: _Outcomes) -> _Outcomes:
    true = (condition[0] and then[0]) or (condition[1] and otherwise[0])
    false = (condition[0] and then[1]) or (condition[1] and otherwise[1])
    return true, false
