"""All rules that ship, and which of them a document asks for."""

from collections.abc import Container

from doorward.inspection.personal import americas, contact, elsewhere, europe, money
from doorward.inspection.personal.rule import Rule

RULES: tuple[Rule, ...] = (*money.RULES, *americas.RULES, *europe.RULES, *elsewhere.RULES, *contact.RULES)
"""Where several describe the same place alike, the first is told."""

NAMES = frozenset(rule.name for rule in RULES)
COUNTRIES = frozenset(rule.country for rule in RULES if rule.country)


def chosen(off: Container[str], countries: Container[str] | None) -> tuple[Rule, ...]:
    """The rules that are asked: none that is `off`, and of the rules of countries those of these; None: of all."""
    return tuple(rule for rule in RULES if rule.name not in off and (not rule.country or countries is None or rule.country in countries))
