"""Texts and JSON as a person must see them: whole, in order, with every character that hides, reorders or imitates nothing made visible.

INVARIANT: what is shown of a JSON value is JSON of exactly that value, so that it can be edited and sent back.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from html import escape
from typing import Final, NewType

import msgspec

from doorward.catalog.text import is_visible
from doorward.wire.canonical import canonical

_STACK: Final = 2
"""Marks that one letter may carry; more of them paint over the lines around."""
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-f]{4}|.)")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_ALIGNED: Final = 400
"""Lines of either side that are compared with care; where more differ, what was there stands before what is there now."""
_AROUND: Final = 3


Html = NewType("Html", str)
"""Goes onto a page as it is: made here alone, of pieces that are escaped."""


class Sign(StrEnum):
    """What became of a line."""

    SAME = " "
    GONE = "-"
    NEW = "+"
    LEFT_OUT = "…"


class Line(msgspec.Struct, frozen=True):
    """One line of a difference."""

    sign: Sign
    text: Html


def pretty(value: object) -> str:
    """A JSON value over several lines, in the order it is in; unseen characters as `\\u…`."""
    return "\n".join(_lines(value, "", ""))


def marked(text: str) -> Html:
    """What `pretty` gives as HTML: `\\u…` stands out, and no text changes the direction of what surrounds it."""
    parts: list[str] = []
    at = 0
    for found in _STRING.finditer(text):
        parts.append(escape(text[at : found.start()]))
        parts.append(f"<bdi>{_escapes(found[0])}</bdi>")
        at = found.end()
    return Html("".join((*parts, escape(text[at:]))))


def spotted(text: str) -> Html:
    """A plain text from outside as HTML, on its own, its unseen characters as `U+…`."""
    unseen = _unseen(text)
    if not unseen:
        return Html(f"<bdi>{escape(text)}</bdi>")
    shown = {ord(letter): f"<mark>U+{ord(letter):04X}</mark>" for letter in unseen}
    return Html(f"<bdi>{escape(text).translate(shown)}</bdi>")


def difference(before: str, after: str) -> tuple[Line, ...]:
    """What another `pretty` text changes: each changed line, with some around."""
    old, new = before.split("\n"), after.split("\n")
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = list(_middle(old[head : len(old) - tail], new[head : len(new) - tail]))
    lines = [*((Sign.SAME, text) for text in old[:head]), *middle, *((Sign.SAME, text) for text in old[len(old) - tail :])]
    return tuple(_shortened(lines))


def _lines(value: object, indent: str, lead: str) -> Iterator[str]:
    """The lines of a value; `lead` stands before its first."""
    inner = indent + "  "
    match value:
        case dict() if value:
            yield f"{indent}{lead}{{"
            for index, (key, item) in enumerate(value.items()):
                yield from _closed(_lines(item, inner, f"{_leaf(key)}: "), index < len(value) - 1)
            yield f"{indent}}}"
        case list() if value:
            yield f"{indent}{lead}["
            for index, item in enumerate(value):
                yield from _closed(_lines(item, inner, ""), index < len(value) - 1)
            yield f"{indent}]"
        case _:
            yield f"{indent}{lead}{_leaf(value)}"


def _closed(lines: Iterator[str], has_more: bool) -> Iterator[str]:
    """Lines of an item, the last with a comma where another item follows."""
    held = next(lines)
    for line in lines:
        yield held
        held = line
    yield held + "," if has_more else held


def _leaf(value: object) -> str:
    text = canonical(value).decode()
    unseen = _unseen(text)
    return text.translate({ord(letter): _escaped(letter) for letter in unseen}) if unseen else text


def _escaped(letter: str) -> str:
    raw = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{raw[at]:02x}{raw[at + 1]:02x}" for at in range(0, len(raw), 2))


def _unseen(text: str) -> frozenset[str]:
    """The characters of a text that a person would not see as what they are."""
    if text.isascii() and text.isprintable():
        return frozenset()
    letters = frozenset(text) - {" "}
    unseen = {letter for letter in letters if not is_visible(letter)}
    marks = {letter for letter in letters if unicodedata.category(letter).startswith("M")}
    return frozenset(unseen | (_piled(text, marks) if marks else set()))


def _piled(text: str, marks: set[str]) -> set[str]:
    """Marks that sit on nothing, or on others: all of that kind, wherever else they stand."""
    found: set[str] = set()
    height = _STACK
    for letter in text:
        if letter not in marks:
            height = 0 if letter.isalnum() else _STACK
            continue
        height += 1
        if height > _STACK:
            found.add(letter)
    return found


def _escapes(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _ESCAPE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        shown = escape(found[0])
        parts.append(f"<mark>{shown}</mark>" if found[0][1] == "u" else shown)
        at = found.end()
    return "".join((*parts, escape(text[at:])))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _middle(old: list[str], new: list[str]) -> Iterator[tuple[Sign, str]]:
    if len(old) > _ALIGNED or len(new) > _ALIGNED:
        yield from ((Sign.GONE, text) for text in old)
        yield from ((Sign.NEW, text) for text in new)
        return
    for kind, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from ((Sign.SAME, text) for text in old[a:b])
        else:
            yield from ((Sign.GONE, text) for text in old[a:b])
            yield from ((Sign.NEW, text) for text in new[c:d])


def _shortened(lines: list[tuple[Sign, str]]) -> Iterator[Line]:
    """Every changed line, and those that are the same only where one near by has changed."""
    near = {at for index, (sign, _) in enumerate(lines) if sign is not Sign.SAME for at in range(index - _AROUND, index + _AROUND + 1)}
    is_left_out = False
    for index, (sign, text) in enumerate(lines):
        if index in near:
            yield Line(sign, marked(text))
            is_left_out = False
        elif not is_left_out:
            yield Line(Sign.LEFT_OUT, Html(""))
            is_left_out = True
