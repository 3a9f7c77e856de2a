"""The guard of structured personal data: told by form, check digits, and words near it (`inspection/personal`)."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice

import msgspec

from doorward.domain.findings import Finding, Part
from doorward.inspection.characters import without
from doorward.inspection.personal.every import RULES
from doorward.inspection.personal.rule import Rule
from doorward.inspection.personal.search import Hit, Search
from doorward.inspection.view import View
from doorward.inspection.walk import Leaf, Path, pointer

NAME = "pii"

Span = tuple[int, int]

MOST = 2048
"""Places of one message: twice what a message may have at all."""


class Pii:
    """Reports personal data in texts, names and numbers."""

    __slots__ = ("_search",)

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._search = Search(rules)

    def look(self, view: View) -> tuple[Finding, ...]:
        """A finding for each place; about the whole span of what is written otherwise, and the whole text where letters are hidden."""
        hits = self._search.hits(view.flat)
        plain = islice(_placed(view, hits), MOST) if hits else ()
        return (*plain, *self._otherwise(view), *self._veiled(view))

    def _otherwise(self, view: View) -> Iterator[Finding]:
        for (path, _, part), other in view.others:
            for hit in self._once(other.text):
                yield _finding(hit.rule, path, (other.start, other.end), part)

    def _veiled(self, view: View) -> Iterator[Finding]:
        for (path, text, part), places in view.hidden:
            shown = {hit.rule.name for hit in self._once(text)}
            cleared = self._once(without(text, places))
            yield from (_finding(hit.rule, path, (0, 0), part) for hit in cleared if hit.rule.name not in shown)

    def _once(self, text: str) -> list[Hit]:
        """What a text holds, each rule once."""
        found = self._search.hits(text.encode("utf-8", "replace"))
        return list({hit.rule.name: hit for hit in found}.values())


def _placed(view: View, hits: list[Hit]) -> Iterator[Finding]:
    """Findings for places in the flat text. Every quote in it bounds a text, so that counting them tells which text it is."""
    texts: list[Leaf] = []
    numbers: dict[str, list[Path]] = {}
    _collect(view.body, None, texts, numbers)
    at, quotes = 0, 0
    for hit in hits:
        quotes += view.flat.count(b'"', at, hit.start)
        at = hit.start
        if quotes % 2:
            path, _, part = texts[quotes // 2]
            begin = view.flat.rfind(b'"', 0, hit.start) + 1
            start = _characters(view.encoded[begin : hit.start])
            yield _finding(hit.rule, path, (start, start + _characters(view.encoded[hit.start : hit.end])), part)
        else:
            same = numbers.pop(view.flat[hit.start : hit.end].decode(), ())
            yield from (_finding(hit.rule, path, (0, 0), Part.VALUE) for path in same)


def _collect(value: object, path: Path, texts: list[Leaf], numbers: dict[str, list[Path]]) -> None:
    """What stands between quotes in the JSON text of a value, in its order, and the whole numbers. Fractions stand between quotes there."""
    if isinstance(value, str | Decimal):
        texts.append((path, "" if isinstance(value, Decimal) else value, Part.VALUE))
    elif isinstance(value, Mapping):
        for key, child in value.items():
            here = (path, key)
            texts.append((here, key, Part.KEY))
            _collect(child, here, texts, numbers)
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            _collect(child, (path, index), texts, numbers)
    elif isinstance(value, int) and not isinstance(value, bool):
        numbers.setdefault(str(value), []).append(path)


def _characters(encoded: bytes) -> int:
    """How many characters a piece of the inside of a JSON string says."""
    return len(encoded) if encoded.isascii() and b"\\" not in encoded else len(msgspec.json.decode(b'"' + encoded + b'"', type=str))


def _finding(rule: Rule, path: Path, span: Span, part: Part) -> Finding:
    return Finding(NAME, rule.name, rule.severity, pointer(path), *span, part)
