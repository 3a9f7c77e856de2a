"""The guard of structured personal data: told by form, check digits, and words near it (`inspection/personal`)."""

from collections.abc import Mapping, Sequence

from doorward.domain.findings import Finding, Severity
from doorward.inspection.gate import Gate
from doorward.inspection.personal.every import RULES
from doorward.inspection.personal.rule import Rule
from doorward.inspection.personal.search import Search
from doorward.inspection.places import found
from doorward.inspection.view import Carrier, View

NAME = "pii"


class Pii:
    """Reports personal data in texts, names and numbers."""

    __slots__ = ("_search", "rules")

    name = NAME
    about = "Structured personal data, by form, check digits and words near it"

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._search = Search(rules)
        self.rules: Mapping[str, Severity] = {rule.name: rule.severity for rule in rules}

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """Of messages of all sorts the same."""
        return (self._search.gate,)

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding for each place."""
        return found(NAME, self._search, view, view.told(self._search.gate))
