"""The guard of injections: orders to a model, in what an upstream says and, as a weak sign, in what an agent sends.

It reads what stands there, and what stands there in another writing (base64, look-alike letters and the like).
"""

from collections.abc import Iterator, Mapping, Sequence

from doorward.domain.findings import Finding, Severity
from doorward.inspection.gate import Gate
from doorward.inspection.injection.grammar import Reading
from doorward.inspection.injection.reader import Order, orders
from doorward.inspection.injection.rules import GRAVEST, ORDERS
from doorward.inspection.normal import SPACED, Other, unveiled
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Leaf, pointer

NAME = "injection"

PROMPT = "prompts/get"

SHORTEST = 5
"""Characters of a text that can be an order."""

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Injection:
    """Reports orders to a model, each with the sentence that it stands in."""

    __slots__ = ()

    name = NAME
    rules: Mapping[str, Severity] = GRAVEST

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """Of messages of all sorts the same."""
        return (ORDERS,)

    def look(self, view: View) -> tuple[Finding, ...]:
        """What stands there plainly first, then what stands there in another writing."""
        plain = view.leaves if view.is_worth_walking(ORDERS) else ()
        found = [finding for leaf in plain if len(leaf[1]) >= SHORTEST for finding in _plain(leaf)]
        found += [finding for leaf, other in (*view.others, *unveiled(view.hidden)) for finding in _other(leaf, other)]
        if view.carrier is Carrier.REQUEST:
            # Whoever asks a tool about injections has to write one down.
            found = [_weakened(finding) for finding in found]
        elif view.call.method == PROMPT:
            # A prompt tells a model what to do, and says so; what is flagrant in one is flagrant anywhere.
            found = [finding if finding.severity is Severity.HIGH else _weakened(finding) for finding in found]
        return tuple(dict.fromkeys(found))


def _plain(leaf: Leaf) -> Iterator[Finding]:
    path, text, part = leaf
    for order in orders(text):
        yield Finding(NAME, order.rule, order.severity, pointer(path), order.start, order.end, part)


def _other(leaf: Leaf, other: Other) -> Iterator[Finding]:
    """One finding about the place where the other writing stands."""
    path, _, part = leaf
    found = orders(other.text, Reading.RUN_TOGETHER if other.writing == SPACED else Reading.PARTED)
    if found:
        gravest = max(found, key=_rank)
        yield Finding(NAME, gravest.rule, gravest.severity, pointer(path), other.start, other.end, part)


def _rank(order: Order) -> int:
    return _RANKS[order.severity]


def _weakened(finding: Finding) -> Finding:
    return Finding(finding.guard, finding.rule, Severity.LOW, finding.pointer, finding.start, finding.end, finding.part)
