"""Declassification: calls that by a named rule carry little of a confidential context, for they have no room for more. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf

from doorward.config.flow import Declassification
from doorward.domain.flow import Label


def lowered(label: Label, rules: Sequence[tuple[str, Declassification]], arguments: Mapping[str, object]) -> tuple[Label, tuple[str, ...]]:
    """What a call may carry of a context with this label, and the names of the rules that say so."""
    said: list[str] = []
    for name, rule in rules:
        again = _by(label, rule) if _carries_little(arguments, rule) else label
        if again != label:
            label = again
            said.append(name)
    return label, tuple(said)


def _by(label: Label, rule: Declassification) -> Label:
    most = rule.confidentiality
    kept = label.categories - set(rule.categories) if rule.categories else frozenset[str]()
    return Label(label.integrity, most if label.confidentiality.is_beyond(most) else label.confidentiality, kept)


def _carries_little(arguments: Mapping[str, object], rule: Declassification) -> bool:
    """Whether there is nothing but short texts, numbers and the like in the arguments that the rule names."""
    return arguments.keys() <= set(rule.arguments) and all(_characters(one) <= rule.characters for one in arguments.values())


def _characters(value: object) -> float:
    """What a value can carry; what has members has no bound."""
    match value:
        case None | bool():
            return 0
        case str():
            return len(value)
        case int() | float() | Decimal():
            return len(str(value))
        case _:
            return inf
