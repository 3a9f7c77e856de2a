"""The guards of what is an operator's own: words of dictionaries, and parts of documents."""

from collections.abc import Mapping, Sequence

from doorward.domain.findings import Finding, Severity
from doorward.inspection.places import Seeker, found, gathered
from doorward.inspection.view import View

DICTIONARY, DOCUMENTS = "dictionary", "documents"


class Own:
    """Reports what some seekers find."""

    __slots__ = ("_seekers", "about", "name", "rules")

    def __init__(self, name: str, about: str, seekers: Sequence[Seeker], rules: Mapping[str, Severity]) -> None:
        self.name, self.about, self.rules = name, about, rules
        self._seekers = tuple(seekers)

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding for each place, seeker by seeker."""
        return gathered([finding for seeker in self._seekers for finding in found(self.name, seeker, view)])
