"""The search for personal data: one pass of a sieve says which rules are worth a search of their own, and in which pieces; linear."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
import re2

from doorward.domain.findings import Severity
from doorward.inspection.gate import Gate, Opening, Pattern
from doorward.inspection.personal.rule import Rule
from doorward.inspection.places import Hit, Span
from doorward.wire.sieve import Sieve

_MEMORY_BYTES = 64 * 2**20
"""What the sieve's automaton may take at most; it takes a few of these."""

PIECE_BYTES = 8 * 1024
"""Of a text, in which the sieve is asked by itself: a rule looks only where its form, and its words, may stand."""
REACH_BYTES = 1024
"""More than what has a form takes, and than stands between it and its words."""

_BOUNDED = re.compile(r"\\.|\[(?:\\.|[^\]])*\]")
_ENDLESS = re.compile(r"[*+]|\{\d+,\}")

_BEFORE, _AFTER = 64, 24
"""Bytes around what was found in which a word counts as near; before it, the name of the field counts, too."""

_NAME_BYTES = 64

_JOINTS = frozenset({b"-", b".", b"_", b"+"})
_OF_UUID = re2.compile(rb"-[0-9A-Fa-f]{4}")

_RANKS = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2}


class _Ready(msgspec.Struct, frozen=True):
    """A rule, compiled; `word` is the index of words that stand before or near it among all words, below 0 where it asks for none."""

    rule: Rule
    form: Any
    group: int
    """Of the form, what is found: all of it, or what is not passed over."""
    inner: Any
    word: int
    near: Any
    """Finds the words that stand near; None where none need."""
    is_endless: bool
    """What has the form may be of any length, so that it is looked for in the whole text."""


_Found = tuple[Rule, int, int]


class Search:
    """Looks for what some rules describe. What is compiled is compiled at the first look."""

    __slots__ = ("_ready", "_rules", "gate")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._ready: _Compiled | None = None
        self.gate = Gate(self._compiled, openings=lambda: self._compiled().openings)
        """Open where a rule may find something; its patterns are the rules."""

    def hits(self, flat: bytes, told: Sequence[int] | None = None) -> Sequence[Hit]:
        """What stands in a flat JSON text, in its order, each place once. `told`: what `gate` says of it, where that is known."""
        if told is not None and not told:
            return ()
        asked = _asked(self._compiled(), flat, told)
        if not asked:
            return ()
        places = _apart([place for one, span in asked for place in _found(one, flat, span)])
        return [Hit(rule.name, rule.severity, start, end) for rule, start, end in places]

    def _compiled(self) -> "_Compiled":
        if self._ready is None:
            self._ready = _compiled(self._rules)
        return self._ready


class _Compiled(msgspec.Struct, frozen=True):
    """Some rules in their order, and the sieves that say which are asked.

    The shape of a rule is its form, or what is meant of it where words stand before that: together with words, forms make an automaton
    of many more states. Many a text has the shape of a rule that asks for words, too, and hardly any has the words.
    """

    each: tuple[_Ready, ...]
    wordless: tuple[int, ...]
    """The rules that ask for no words."""
    wordy: tuple[int, ...]
    first: Sieve
    """Of the shapes of the wordless, and behind them one of all others."""
    words: Sieve
    shapes: Sieve
    """Of the shapes of the wordy."""
    openings: tuple[Opening, ...]
    """A shape of the wordless, or one of the wordy and a word."""

    def may(self, text: bytes) -> Sequence[int]:
        """The rules whose shape may stand in a text, and whose words, too."""
        fired = self.first.may(text)
        if not fired:
            return fired
        found = [self.wordless[number] for number in fired if number < len(self.wordless)]
        if fired[-1] < len(self.wordless):
            return found
        words = self.words.may(text)
        if not words:
            return found
        shaped = (self.wordy[number] for number in self.shapes.may(text))
        return sorted([*found, *(index for index in shaped if self.each[index].word in words)])


@cache
def _compiled(rules: tuple[Rule, ...]) -> _Compiled:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    each = dict.fromkeys(words for rule in rules if (words := rule.words or rule.leads))
    numbers = {words: place for place, words in enumerate(each)}
    ready = tuple(_ready(rule, numbers.get(rule.words or rule.leads, -1), options) for rule in rules)
    shapes = [rule.least or _bounded(rule.inner if rule.leads else rule.form) for rule in rules]
    wordless, wordy = (tuple(index for index, one in enumerate(ready) if (one.word < 0) is bare) for bare in (True, False))
    either, bare, named = (
        "|".join(f"(?:{pattern})" for pattern in patterns)
        for patterns in ([shapes[index] for index in wordy], [shapes[index] for index in wordless], each)
    )
    openings = (
        *([Opening((Pattern(bare),))] if bare else ()),
        *([Opening((Pattern(either), Pattern(named)))] if either else ()),
    )

    def sieve(patterns: Iterable[str]) -> Sieve:
        return Sieve([pattern.encode() for pattern in patterns], options)

    first = sieve([*(shapes[index] for index in wordless), *([either] if wordy else ())])
    return _Compiled(ready, wordless, wordy, first, sieve(each), sieve(shapes[index] for index in wordy), openings)


def _ready(rule: Rule, word: int, options: re2.Options) -> _Ready:
    form = _bounded(f"{rule.over}|({rule.form})" if rule.over else rule.form)
    compiled = re2.compile(form.encode(), options)
    inner = re2.compile(_bounded(rule.inner).encode(), options) if rule.inner else None
    near = re2.compile(rule.words.encode(), options) if rule.words else None
    return _Ready(rule, compiled, compiled.groups, inner, word, near, _ENDLESS.search(_BOUNDED.sub("", form)) is not None)


def _asked(ready: _Compiled, flat: bytes, told: Sequence[int] | None) -> Sequence[tuple[_Ready, Span]]:
    """Which rules are asked, and within which bounds: pieces in a row in which one may find something are one.

    What begins before such a row ends before it, so that a search from there on finds what one of the whole text would.
    """
    if len(flat) <= PIECE_BYTES:
        return [(ready.each[index], (0, len(flat))) for index in (ready.may(flat) if told is None else told)]
    rows: dict[int, list[Span]] = {}
    for first in range(0, len(flat), PIECE_BYTES):
        for index in ready.may(flat[max(0, first - REACH_BYTES) : first + PIECE_BYTES + REACH_BYTES]):
            row = rows.setdefault(index, [])
            begun = row.pop()[0] if row and row[-1][1] == first else first
            row.append((begun, first + PIECE_BYTES))
    asked = []
    for index, row in sorted(rows.items()):
        one = ready.each[index]
        asked += [(one, span) for span in ([(0, len(flat))] if one.is_endless else row)]
    return asked


def _bounded(form: str) -> str:
    """A form that begins and ends at the bounds of a word."""
    if form.startswith(("\\+", "\\(", "::")):
        return rf"(?:{form})\b"
    return rf"\b(?:{form})" if form.endswith((")?", "\\)")) else rf"\b(?:{form})\b"


def _found(ready: _Ready, flat: bytes, span: Span) -> Iterator[_Found]:
    """What begins within these bounds."""
    first, last = span
    for match in ready.form.finditer(flat, first, last + REACH_BYTES):
        if match.start() >= last:
            return
        start, end = match.span(ready.group) if ready.inner is None else _inner(ready.inner, flat, match.span())
        if start < 0:
            continue
        text = flat[start:end].decode("utf-8", "replace")
        end = _held(ready.rule, text, start, end)
        if end > start and _stands_alone(flat, start, end) and (ready.near is None or _is_near(ready.near, flat, start, end)):
            yield ready.rule, start, end


def _inner(form: Any, flat: bytes, span: tuple[int, int]) -> tuple[int, int]:
    match = form.search(flat, *span)
    return (-1, -1) if match is None else match.span()


def _held(rule: Rule, text: str, start: int, end: int) -> int:
    """Where what has the form ends, if it holds; its start, if it does not."""
    if rule.part is not None:
        return start + len(text[: rule.part(text)].encode())
    return end if rule.holds(text) else start


def _stands_alone(flat: bytes, start: int, end: int) -> bool:
    """Whether it is no piece of a longer number or name, such as of a version, a UUID or a path."""
    before, after = flat[max(0, start - 2) : start], flat[end : end + 5]
    if (
        before[-1:].isalnum()
        or (before[-1:] == b":" and b":" in flat[start:end])
        or (before[-1:] in _JOINTS and before[:1].isalnum() and len(before) > 1)
    ):
        return False
    match after[:1]:
        case b"_" | b"@":
            return False
        case b"-":
            return _OF_UUID.match(after) is None and not after[1:2].isdigit()
        case b".":
            return not after[1:2].isalnum()
        case _:
            return True


def _is_near(near: Any, flat: bytes, start: int, end: int) -> bool:
    before = flat[max(0, start - _BEFORE - _NAME_BYTES) : start].split(b'"')
    inside = before[-1][-_BEFORE:]
    name = b""
    if inside.strip(b" [") == b":" and len(before) > 1:
        name = before[-2]  # of a number
    elif len(before) > 2 and before[-2].strip(b" [") == b":":
        name = before[-3]
    return near.search(name + b" " + _same_member(inside)) is not None or near.search(flat[end : end + _AFTER].split(b'"')[0]) is not None


def _same_member(inside: bytes) -> bytes:
    """What stands before it, from the last bound of a JSON text within the text on."""
    cut = max(inside.rfind(b",  "), inside.rfind(b"{"), inside.rfind(b"}"))
    return inside[cut + 1 :]


def _apart(places: list[_Found]) -> list[_Found]:
    """Of those that overlap, the graver, then the longer, then the one of which words stand near; the first of equals."""
    kept: list[_Found] = []
    for place in sorted(places, key=lambda place: place[1]):
        if not kept or place[1] >= kept[-1][2]:
            kept.append(place)
        elif _weight(place) > _weight(kept[-1]):
            kept[-1] = place
    return kept


def _weight(place: _Found) -> tuple[int, int, bool]:
    rule, start, end = place
    return _RANKS[rule.severity], end - start, bool(rule.words)
