"""The guard of what is not seen: control and invisible characters, escape sequences, overridden directions, text hidden in tags."""

from collections.abc import Sequence

from doorward.domain.findings import Finding
from doorward.inspection.characters import SEVERITIES, Span
from doorward.inspection.gate import Gate
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Leaf, pointer

NAME = "unicode"


class Unicode:
    """Reports each text with such characters once for each rule."""

    __slots__ = ()

    name = NAME
    rules = SEVERITIES

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """None: it reports what is hidden."""
        return ()

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding with its place where a rule is broken once in a text, about the whole text where more often."""
        return tuple(finding for leaf, places in view.hidden for finding in _found(leaf, places))


def _found(leaf: Leaf, places: tuple[Span, ...]) -> list[Finding]:
    path, _, part = leaf
    by_rule: dict[str, list[tuple[int, int]]] = {}
    for start, end, rule in places:
        by_rule.setdefault(rule, []).append((start, end))
    found = []
    for rule, spots in by_rule.items():
        start, end = spots[0] if len(spots) == 1 else (0, 0)
        found.append(Finding(NAME, rule, SEVERITIES[rule], pointer(path), start, end, part))
    return found
