"""Reads a text for orders to a model: which rules its words keep to, how near to one another, and what is to be taken out."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from doorward.domain.findings import Severity
from doorward.inspection.injection.grammar import Reading
from doorward.inspection.injection.rules import met, windows
from doorward.inspection.injection.words import ROLE, TAG

LIKELY = 3
"""Points from which on signs that stand together are a likely injection."""
FLAGRANT = 6
LEAST = 2
"""Points from which on several signs are reported; one alone is not, unless it is likely."""

NEAR_BYTES = 400
"""Signs that lie no farther apart are one order."""

MOST_ORDERS = 32
"""In one text; the last of more is as grave as the gravest of the rest, and goes on to the text's end."""

_SENTENCE = 320
"""Characters looked through for where a sentence begins and ends."""
_PARAGRAPH = 1600
"""Characters looked through for the end of a flagrant order: what it orders comes behind it."""
_TAIL = 160
"""So few characters behind a flagrant order belong to it, whatever parts them from it."""


class Order(msgspec.Struct, frozen=True):
    """What a model is told, from where to where (characters), and the rule that says most about it."""

    rule: str
    severity: Severity
    start: int
    end: int


class _Sign(msgspec.Struct, frozen=True):
    start: int
    end: int
    points: int
    rule: str


def orders(text: str, reading: Reading = Reading.PARTED) -> tuple[Order, ...]:
    """What of a text is an order to a model: in order, apart from one another."""
    encoded = text.encode("utf-8", "replace")
    signs = sorted(_signs(encoded, reading), key=lambda sign: (sign.start, sign.end))
    grave = [crowd for crowd in _crowds(signs) if _is_told(_by_rule(crowd))]
    return tuple(_apart(list(_orders(text, encoded, grave))))


def _signs(encoded: bytes, reading: Reading) -> Iterator[_Sign]:
    for first, last in windows(encoded, reading):
        # A part that begins within a line does not begin one.
        begun = b"." if first and encoded[first - 1 : first] != b"\n" else b"\n"
        part, before = begun + encoded[first:last], first - 1
        for rule, finder in met(part, reading):
            places = _joined(place.span() for place in finder.finditer(part))
            yield from (_Sign(max(0, before + start), before + end, rule.points, rule.name) for start, end in places)


def _joined(places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Places of one rule, of which those that are one crowd anyway are one: so there are few, however often it is broken."""
    first, last = next(places, (-1, -1))
    for start, end in places:
        if start > last + NEAR_BYTES:
            yield first, last
            first = start
        last = end
    if first >= 0:
        yield first, last


def _crowds(signs: Sequence[_Sign]) -> Iterator[list[_Sign]]:
    crowd: list[_Sign] = []
    reach = 0
    for sign in signs:
        if crowd and sign.start > reach + NEAR_BYTES:
            yield crowd
            crowd = []
        crowd.append(sign)
        reach = max(reach, sign.end) if len(crowd) > 1 else sign.end
    if crowd:
        yield crowd


def _is_told(by_rule: Mapping[str, int]) -> bool:
    """Whether it is likely, or several signs speak for it."""
    points = sum(by_rule.values())
    return points >= LIKELY or (points >= LEAST and len(by_rule) > 1)


def _by_rule(crowd: Sequence[_Sign]) -> dict[str, int]:
    """Points by rule: of each the gravest sign counts, once."""
    by_rule: dict[str, int] = {}
    for sign in crowd:
        by_rule[sign.rule] = max(by_rule.get(sign.rule, 0), sign.points)
    return by_rule


def _orders(text: str, encoded: bytes, crowds: Sequence[Sequence[_Sign]]) -> Iterator[Order]:
    done = at = 0
    for number, crowd in enumerate(_few(crowds)):
        first, last = crowd[0].start, max(sign.end for sign in crowd)
        start = at + _characters(encoded[done:first])
        end = start + _characters(encoded[first:last])
        done, at = first, start
        by_rule = _by_rule(crowd)
        points = sum(by_rule.values())
        rule = max(by_rule, key=by_rule.__getitem__)
        if number == MOST_ORDERS - 1:
            end = len(text)
        elif points >= FLAGRANT:
            end = _paragraph_end(text, start, end, TAG in by_rule)
        else:
            end = _line_end(text, end) if ROLE in by_rule else _sentence_end(text, end)
        yield Order(rule, _severity(points), _sentence_start(text, start), end)


def _few(crowds: Sequence[Sequence[_Sign]]) -> Sequence[Sequence[_Sign]]:
    """As many as are told apart; the last is all of the rest."""
    if len(crowds) < MOST_ORDERS:
        return crowds
    return [*crowds[: MOST_ORDERS - 1], [sign for crowd in crowds[MOST_ORDERS - 1 :] for sign in crowd]]


def _characters(encoded: bytes) -> int:
    """How many begin in a part of UTF-8."""
    return len(encoded) if encoded.isascii() else sum(1 for byte in encoded if byte & 0xC0 != 0x80)


def _severity(points: int) -> Severity:
    if points >= FLAGRANT:
        return Severity.HIGH
    return Severity.MEDIUM if points >= LIKELY else Severity.LOW


def _sentence_start(text: str, at: int) -> int:
    """Behind the end of the sentence before, of which a tag may be the beginning."""
    low = max(0, at - _SENTENCE)
    ends = (
        text.rfind(mark, low, at) + len(mark)
        for mark in (". ", "! ", "? ", "\n", "\\n", "。", "！", "？")
        if text.rfind(mark, low, at) >= 0
    )
    return max(ends, default=low if low == 0 else at)


def _sentence_end(text: str, at: int) -> int:
    if text[at - 1 : at] in (".", "!", "?", "\n"):
        return at
    high = min(len(text), at + _SENTENCE)
    found = [text.find(mark, at, high) for mark in (". ", "! ", "? ", ".\n", "!\n", "?\n", "\n", "\\n", "。", "！", "？")]
    ends = [place + (0 if text[place] in "\n\\" else 1) for place in found if place >= 0]
    return min(ends, default=high if high == len(text) else at)


def _line_end(text: str, at: int) -> int:
    """Of a turn that nobody took, as far as a line goes."""
    high = min(len(text), at + _PARAGRAPH)
    ended = text.find("\n", at, high)
    return high if ended < 0 else ended


def _paragraph_end(text: str, start: int, end: int, has_tag: bool) -> int:
    """Of a tagged order the end of its tag, of others the end of its paragraph."""
    if has_tag:
        closed = text.find("</", start, end + 4 * _PARAGRAPH)
        if closed >= 0 and (ended := text.find(">", closed, closed + 64)) >= 0:
            return max(end, ended + 1)
    if len(text) - end <= _TAIL:
        return len(text)
    high = min(len(text), end + _PARAGRAPH)
    found = [text.find(mark, end, high) for mark in ("\n\n", "\\n\\n", "\n  \n", "\n--", "\n==")]
    return min((place for place in found if place >= 0), default=_sentence_end(text, end) if high < len(text) else high)


def _apart(found: list[Order]) -> Iterator[Order]:
    """Orders whose places overlap are one, as grave as the gravest."""
    last: Order | None = None
    for order in found:
        if last is not None and order.start < last.end:
            grave = last if _RANKS[last.severity] >= _RANKS[order.severity] else order
            last = Order(grave.rule, grave.severity, min(last.start, order.start), max(last.end, order.end))
            continue
        if last is not None:
            yield last
        last = order
    if last is not None:
        yield last


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
