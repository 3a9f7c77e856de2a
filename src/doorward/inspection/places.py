"""From places in a message's flat JSON text to findings: every quote in it bounds a text, so that counting them tells which one it is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Protocol

import msgspec

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.characters import without
from doorward.inspection.view import View
from doorward.inspection.walk import Leaf, Path, escape, pointer, steps

MOST = 768
"""Findings of one guard about one message: above, places of a rule are told as one that holds them all."""

Span = tuple[int, int]


class Hit(msgspec.Struct, frozen=True):
    """Something that a rule looks for, as byte offsets into a flat JSON text; in one text or one number."""

    rule: str
    severity: Severity
    start: int
    end: int


class Seeker(Protocol):
    """Looks for something in flat JSON texts (`View.flat`)."""

    def hits(self, flat: bytes, told: Sequence[int] | None = None) -> Sequence[Hit]:
        """What stands in one, in its order, no two in the same place. `told`: what its gate, if it has one, was found to say of the text."""
        ...


def found(guard: str, seeker: Seeker, view: View, fired: Sequence[int] | None = None) -> tuple[Finding, ...]:
    """What a seeker finds in a message; about the whole span of what is written otherwise, the whole text where letters are hidden.

    `fired`: what its gate is known to say of the message.
    """
    hits = seeker.hits(view.flat, fired)
    told = list(_placed(guard, view, hits)) if hits else []
    for (path, _, part), other in view.others:
        told += (_finding(guard, hit, path, (other.start, other.end), part) for hit in _once(seeker, other.text))
    for (path, text, part), places in view.hidden:
        shown = {hit.rule for hit in _once(seeker, text)}
        cleared = _once(seeker, without(text, places))
        told += (_finding(guard, hit, path, (0, 0), part) for hit in cleared if hit.rule not in shown)
    return gathered(told)


def gathered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings; where there are too many, those of a rule in one part of the message as one about all that holds them."""
    if len(findings) <= MOST:
        return tuple(findings)
    sorts = sorted(findings, key=_sort)
    return tuple(_together(list(same)) for _, same in groupby(sorts, key=_sort))


def _sort(finding: Finding) -> tuple[str, tuple[str, ...]]:
    """By rule and, say, block of content."""
    return finding.rule, steps(finding.pointer)[:2]


def _together(same: list[Finding]) -> Finding:
    first = same[0]
    if len(same) == 1:
        return first
    ways = [steps(one.pointer)[: -1 if one.part is Part.KEY else None] for one in same]
    shared = min(ways, key=len)
    length = next((at for at in range(len(shared), 0, -1) if all(way[:at] == shared[:at] for way in ways)), 0)
    whole = "".join(map(escape, shared[:length]))
    return Finding(first.guard, first.rule, max((one.severity for one in same), key=_RANKS.__getitem__), whole)


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def _once(seeker: Seeker, text: str) -> Iterable[Hit]:
    """What a text holds, each rule once."""
    return {hit.rule: hit for hit in seeker.hits(text.encode("utf-8", "replace"))}.values()


def _placed(guard: str, view: View, hits: Sequence[Hit]) -> Iterator[Finding]:
    texts: list[Leaf] = []
    numbers: dict[str, list[Path]] = {}
    _collect(view.body, None, texts, numbers)
    at, quotes = 0, 0
    read, start = 0, 0
    for hit in hits:
        quotes += view.flat.count(b'"', at, hit.start)
        at = hit.start
        if quotes % 2:
            path, _, part = texts[quotes // 2]
            begin = view.flat.rfind(b'"', read, hit.start) + 1
            # From the last one in the same text on, so that each is read once however many there are.
            start = _characters(view.encoded[begin : hit.start]) if begin else start + _characters(view.encoded[read : hit.start])
            read = hit.start
            yield _finding(guard, hit, path, (start, start + _characters(view.encoded[hit.start : hit.end])), part)
        else:
            same = numbers.pop(view.flat[hit.start : hit.end].decode(), ())
            yield from (_finding(guard, hit, path, (0, 0), Part.VALUE) for path in same)


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


def _finding(guard: str, hit: Hit, path: Path, span: Span, part: Part) -> Finding:
    return Finding(guard, hit.rule, hit.severity, pointer(path), *span, part)
