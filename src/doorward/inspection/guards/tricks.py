"""The guard of tricks in arguments: shell, SQL, paths, templates and the like, where nothing of the sort is to be expected.

It cannot know what a server makes of an argument, so it says what a text looks like: low in prose and long texts, else as sure as the
form is. Where an argument is for such texts (`command`, `sql`, `content`), nothing is said of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from doorward.domain.calls import Call
from doorward.domain.findings import Finding, Severity
from doorward.inspection.gate import Gate
from doorward.inspection.tricks import rules
from doorward.inspection.tricks.expected import described, families
from doorward.inspection.tricks.readings import is_terse, readings
from doorward.inspection.tricks.rules import Rule
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Leaf, Path, pointer

NAME = "tricks"
RULES: Mapping[str, Severity] = MappingProxyType({rule.name: rule.severity for rule in rules.RULES})
MOST = 64
"""Findings of one message: of more, the gravest."""

Define = Callable[[Call], Mapping[str, object] | None]
"""The whole accepted definition of a call's target; None where it is not known any more."""


class Tricks:
    """Reports what looks like a trick in requests, each rule once for a text, about the whole of it."""

    __slots__ = ("_define",)

    name = NAME
    rules = RULES

    def __init__(self, define: Define) -> None:
        self._define = define

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """Of requests alone."""
        return (rules.GATE,) if carrier is Carrier.REQUEST else ()

    def look(self, view: View) -> tuple[Finding, ...]:
        """Findings in the order of the texts, gravest first of one text."""
        if view.carrier is not Carrier.REQUEST or not view.may(rules.GATE):
            return ()
        schema = (self._define(view.call) or {}).get("inputSchema")
        found = [finding for leaf in view.leaves for finding in self._of(leaf, view.call, schema)]
        if len(found) <= MOST:
            return tuple(found)
        # What policy does is decided by the gravest: none of these goes unsaid for many lesser ones.
        return tuple(sorted(found, key=_rank)[:MOST])

    def _of(self, leaf: Leaf, call: Call, schema: object) -> Iterator[Finding]:
        path, text, part = leaf
        terse = is_terse(text)
        broken = _broken(text) if terse else _surely_broken(text)
        if not broken:
            return
        names = _names(path)
        expected = families(call.target.name, names, described(schema, names))
        for rule in sorted(broken, key=lambda rule: rule.severity is not Severity.HIGH):
            if rule.family not in expected:
                yield Finding(NAME, rule.name, rule.severity if terse else Severity.LOW, pointer(path), 0, 0, part)


_RANKS = {severity: rank for rank, severity in enumerate((Severity.HIGH, Severity.MEDIUM, Severity.LOW))}


def _rank(finding: Finding) -> int:
    return _RANKS[finding.severity]


def _broken(text: str) -> tuple[Rule, ...]:
    """The rules whose forms a short text has, in any reading."""
    if len(text) < 2:
        return ()
    suspicious = [reading for reading in readings(text) if rules.any_form().search(reading) is not None]
    if not suspicious:
        return ()
    return tuple(rule for rule, form in rules.forms() if any(form.search(reading) is not None for reading in suspicious))


def _surely_broken(text: str) -> tuple[Rule, ...]:
    """The rules of which a long text or prose has unmistakable forms, as it is."""
    if rules.any_sure_form().search(text) is None:
        return ()
    return tuple(rule for rule, form in rules.forms() if rule.severity is Severity.HIGH and form.search(text) is not None)


def _names(path: Path) -> tuple[str, ...]:
    """The names on the way to a text, from the arguments' own on; of what else travels along, its own name alone."""
    names: list[str] = []
    while path is not None:
        path, step = path
        if isinstance(step, str):
            names.append(step)
    return tuple(reversed(names[:-1])) if names[-1:] == ["arguments"] else tuple(names[:1])
