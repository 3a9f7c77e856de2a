"""Asks the rules: one gate over a message, then the rules whose gates opened, over all of its texts at once.

The texts are joined with marks that no rule takes for part of a secret, so that an object's member reads as `key`, mark, `value`.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import islice

import msgspec
import re2

from doorward.domain.errors import DoorwardError
from doorward.domain.findings import Severity
from doorward.inspection.gate import Gate, sieve
from doorward.inspection.secrets.generic import GENERIC
from doorward.inspection.secrets.keyed import KEYED, is_harmless, joint_gate
from doorward.inspection.secrets.places import PLACES
from doorward.inspection.secrets.rule import Rule
from doorward.inspection.secrets.table import FORMATS, RULES

MOST_MATCHES = 2048
"""Of one rule in one message: twice the findings with which a message is withheld as a whole."""

_Pattern = tuple["re2._Regexp", int, int]  # noqa: SLF001 -- the binding has no other name for it
"""A rule's pattern, and which of its groups are the secret and the name (0: none)."""

_WEIGHTS = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2}


class UnknownRuleError(DoorwardError):
    """A rule that is to be off and that there is not."""


class Match(msgspec.Struct, frozen=True):
    """A secret in a text: by which rule, how sure, from where to where."""

    rule: str
    severity: Severity
    start: int
    end: int


class Search:
    """The rules of this program but those that are off. All is compiled when it is first needed, once a process."""

    __slots__ = ("_allow", "_formats", "_keyed", "_placed", "forms", "placed")

    def __init__(self, off: frozenset[str], allow: tuple[str, ...]) -> None:
        """Raises `UnknownRuleError` where something is to be off that there is not."""
        unknown = off.difference(rule.name for rule in RULES)
        if unknown:
            raise UnknownRuleError(f"expected names of rules for secrets, there is no {', '.join(map(repr, sorted(unknown)))}")
        self._allow = tuple(re2.compile(pattern) for pattern in allow)
        self._formats, self._placed, self._keyed = (
            tuple(rule for rule in rules if rule.name not in off) for rules in (FORMATS, (*PLACES, *GENERIC), KEYED)
        )
        # What is met of one rule multiplies what is met of others into states of an automaton: so there are two, and the names of
        # vendors are one gate. Nothing but base64 takes half the time so. In short texts, where states are few, both are asked at once.
        joint = (joint_gate(self._keyed),) if self._keyed else ()
        self.forms, self.placed = _gate(_of(self._formats)), _gate((*_of(self._placed), *joint))
        """Open where one of the forms may stand; where something stands at a place for secrets."""

    def opened(self, flat: bytes) -> tuple[Rule, ...]:
        """The rules that may match in a text, or in those of a message with this JSON text; hardly ever any."""
        return self.told(flat, self.forms.may(flat), self.placed.may(flat))

    def told(self, flat: bytes, formats: Sequence[int], places: Sequence[int]) -> tuple[Rule, ...]:
        """The same, where it is known what `forms` and `placed` say of the text."""
        if not formats and not places:
            return ()
        named = sieve(_of(self._keyed)).may(flat) if places and places[-1] == len(self._placed) else ()
        return (
            *(self._formats[index] for index in formats),
            *(self._keyed[index] for index in named),
            *(self._placed[index] for index in places if index < len(self._placed)),
        )

    def matches(self, rules: Iterable[Rule], text: str) -> list[Match]:
        """What these rules find in a text, in its order, none within another; so many that it is withheld, where a rule stopped early."""
        found = [list(islice(self._met(rule, text), MOST_MATCHES)) for rule in rules]
        if any(len(matches) == MOST_MATCHES for matches in found):
            return max(found, key=len)
        return _apart(match for matches in found for match in matches)

    def _met(self, rule: Rule, text: str) -> Iterator[Match]:
        pattern, of_secret, of_key = _compiled(rule.pattern)
        for met in pattern.finditer(text):
            start, end = met.span(of_secret)
            if text[end : end + 1] in rule.more or (of_key and is_harmless(met.group(of_key))):
                continue
            secret = text[start:end]
            severity = rule.judge(secret, rule.severity)
            if severity is not None and not any(allowed.search(secret) for allowed in self._allow):
                yield Match(rule.name, severity, start, end)


def _of(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    return tuple(rule.gate for rule in rules)


@cache
def _compiled(pattern: str) -> "_Pattern":
    read = re2.compile(pattern)
    return read, read.groupindex["secret"], read.groupindex.get("key", 0)


def _gate(patterns: tuple[str, ...]) -> Gate:
    return Gate(lambda: sieve(patterns), patterns)


def _apart(found: Iterable[Match]) -> list[Match]:
    """Of those that overlap, the surest; of these the first, and the longest."""
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (match.start, _WEIGHTS[match.severity], -match.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
        elif _WEIGHTS[match.severity] < _WEIGHTS[kept[-1].severity]:
            kept[-1] = match
    return kept
