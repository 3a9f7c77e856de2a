"""All rules that ship, and which of them a document asks for."""

from collections.abc import Sequence

from doorward.domain.errors import DoorwardError
from doorward.inspection.personal import americas, contact, elsewhere, europe, money
from doorward.inspection.personal.rule import Rule

RULES: tuple[Rule, ...] = (*money.RULES, *americas.RULES, *europe.RULES, *elsewhere.RULES, *contact.RULES)
"""Where several describe the same place alike, the first is told."""

NAMES = frozenset(rule.name for rule in RULES)
COUNTRIES = frozenset(rule.country for rule in RULES if rule.country)


class RuleError(DoorwardError):
    """Rules or countries that there are none of."""


def chosen(off: Sequence[str], countries: Sequence[str] | None) -> tuple[Rule, ...]:
    """The rules that are asked: none that is `off`, and of the rules of countries those of these; None: of all. Raises `RuleError`."""
    _check("off", off, NAMES)
    _check("countries", countries or (), COUNTRIES)
    return tuple(rule for rule in RULES if rule.name not in off and (not rule.country or countries is None or rule.country in countries))


def _check(field: str, named: Sequence[str], known: frozenset[str]) -> None:
    strange = sorted(set(named) - known)
    if strange:
        raise RuleError(f"inspection.personal.{field}: expected some of {', '.join(sorted(known))}; got {strange[0]!r}")
