"""The guard of secrets of others: tokens, keys and passwords in what an agent sends or sees, by the formats that vendors document."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from types import MappingProxyType

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.gate import Gate
from doorward.inspection.normal import unveiled
from doorward.inspection.normal.other import LEET, Other
from doorward.inspection.secrets.rule import Rule
from doorward.inspection.secrets.search import Search
from doorward.inspection.secrets.table import RULES
from doorward.inspection.view import Carrier, View
from doorward.inspection.walk import Leaf, pointer

NAME = "secrets"

_APART, _MEMBER = "\x00", "\x01"
"""Between two texts; between the name and the value of a member."""


class OtherSecrets:
    """Reports secrets that vendors' formats or their names tell, each with its place."""

    __slots__ = ("_search",)

    name = NAME
    rules: Mapping[str, Severity] = MappingProxyType({rule.name: rule.severity for rule in RULES})

    def __init__(self, off: Iterable[str] = (), allow: Iterable[str] = ()) -> None:
        """`off`: rules that are not asked; `allow`: RE2 patterns of texts that are no secrets."""
        self._search = Search(frozenset(off), tuple(allow))

    def gates(self, carrier: Carrier) -> Sequence[Gate]:
        """Of messages of all sorts the same."""
        return self._search.forms, self._search.placed

    def look(self, view: View) -> tuple[Finding, ...]:
        """One finding for each secret; of one in another writing (base64 …) over all of what stands in it.

        Digits read as letters are not looked at: a secret is no word.
        """
        rules = self._search.told(view.flat, view.may(self._search.forms), view.may(self._search.placed))
        plain = self._found(view.leaves, rules) if rules else ()
        read = chain(view.others, unveiled(view.hidden))
        return (*plain, *(found for leaf, other in read if other.writing != LEET for found in self._decoded(leaf, other)))

    def _found(self, leaves: tuple[Leaf, ...], rules: tuple[Rule, ...]) -> Iterator[Finding]:
        text, starts = _joined(leaves)
        for match in self._search.matches(rules, text):
            index = bisect_right(starts, match.start) - 1
            path, whole, part = leaves[index]
            start, end = match.start - starts[index], match.end - starts[index]
            if end <= len(whole):
                yield Finding(NAME, match.rule, match.severity, pointer(path), start, end, part)

    def _decoded(self, leaf: Leaf, other: Other) -> Iterator[Finding]:
        path, text, part = leaf
        rules = self._search.opened(other.text.encode(errors="replace"))
        for match in self._search.matches(rules, other.text) if rules else ():
            # What stands there in plain is found in its own place already, and less is lost so.
            if other.text[match.start : match.end] not in text:
                yield Finding(NAME, match.rule, match.severity, pointer(path), other.start, other.end, part)


def _joined(leaves: tuple[Leaf, ...]) -> tuple[str, list[int]]:
    """All texts as one, and where each of them begins in it."""
    marks = [_MEMBER if _is_member(name, leaf) else _APART for name, leaf in pairwise(leaves)]
    pieces = [text + mark for (_, text, _), mark in zip(leaves, [*marks, _APART], strict=True)]
    return "".join(pieces), list(accumulate(map(len, pieces), initial=0))[:-1]


def _is_member(name: Leaf, value: Leaf) -> bool:
    """Whether the second is what the first names, or the first of several."""
    if name[2] is not Part.KEY or value[2] is not Part.VALUE or value[0] is None:
        return False
    return value[0] is name[0] or value[0][0] is name[0]
