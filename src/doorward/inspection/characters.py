"""Characters that are not seen: where they stand in a text without a reason that its script or an emoji gives (UAX 9, UAX 31, UTS 51).

Let be are: tab and line breaks; joiners between letters of scripts that join and between emoji; one variation selector after a
character that has variants; direction marks in texts with right-to-left letters; the tag sequences of the three flags that have one.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping

import re2

from doorward.domain.findings import Severity
from doorward.wire.sieve import Probe

Span = tuple[int, int, str]
"""Start, end, rule."""

CONTROL = "control_character"
ANSI = "ansi_escape"
BIDI = "bidi_control"
INVISIBLE = "invisible_character"
TAG = "tag_character"
SELECTOR = "variation_selector"

SEVERITIES: Mapping[str, Severity] = {
    CONTROL: Severity.MEDIUM,
    ANSI: Severity.MEDIUM,
    BIDI: Severity.MEDIUM,
    INVISIBLE: Severity.MEDIUM,
    # These two spell whole sentences that only a model reads; no honest text holds them.
    TAG: Severity.HIGH,
    SELECTOR: Severity.HIGH,
}

MOST_SPANS = 20_000
"""Places in one text that are told apart; from there on the rest of the text is one place."""

MOST_JUDGED = 100_000
"""Characters in one text that are judged one by one; behind them the rest of the text is one place, whatever is there."""

_RANGES: tuple[tuple[int, int, str], ...] = (
    (0x00, 0x08, CONTROL),
    (0x0B, 0x0C, CONTROL),
    (0x0E, 0x1A, CONTROL),
    (0x1B, 0x1B, ANSI),
    (0x1C, 0x1F, CONTROL),
    (0x7F, 0x9A, CONTROL),
    (0x9B, 0x9B, ANSI),
    (0x9C, 0x9F, CONTROL),
    (0xAD, 0xAD, INVISIBLE),
    (0x34F, 0x34F, INVISIBLE),
    (0x61C, 0x61C, BIDI),
    (0x115F, 0x1160, INVISIBLE),
    (0x17B4, 0x17B5, INVISIBLE),
    (0x180B, 0x180D, SELECTOR),
    (0x180E, 0x180E, INVISIBLE),
    (0x180F, 0x180F, SELECTOR),
    (0x200B, 0x200D, INVISIBLE),
    (0x200E, 0x200F, BIDI),
    (0x202A, 0x202E, BIDI),
    (0x2060, 0x2065, INVISIBLE),
    (0x2066, 0x2069, BIDI),
    (0x206A, 0x206F, INVISIBLE),
    (0x3164, 0x3164, INVISIBLE),
    (0xFDD0, 0xFDEF, INVISIBLE),
    (0xFE00, 0xFE0F, SELECTOR),
    (0xFEFF, 0xFEFF, INVISIBLE),
    (0xFFA0, 0xFFA0, INVISIBLE),
    (0xFFF0, 0xFFFB, INVISIBLE),
    (0xFFFE, 0xFFFF, INVISIBLE),
    (0x1BCA0, 0x1BCA3, INVISIBLE),
    (0x1D173, 0x1D17A, INVISIBLE),
    (0xE0000, 0xE00FF, TAG),
    (0xE0100, 0xE01EF, SELECTOR),
    (0xE01F0, 0xE0FFF, TAG),
)
_FIRSTS = tuple(first for first, _, _ in _RANGES)
_UNSEEN = frozenset(chr(code) for first, last, _ in _RANGES for code in range(first, last + 1))
_UNSEEN_IN_JSON = re2.compile(r"\\[ubf]|[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last, _ in _RANGES) + "]")
"""As they are, or as our JSON texts write control characters."""
_UNSEEN_IN_UTF8 = Probe(re2.compile(("[" + "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last, _ in _RANGES) + "]").encode()))
_SHORT = 256
"""Characters of a text of which each is looked up in less time than it takes to encode them all."""
_UNSEEN_ANYWHERE = re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last, _ in _RANGES) + "]")
_RIGHT_TO_LEFT = re2.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}\p{Adlam}\p{Mandaic}\p{Samaritan}]")

_FLAG = "\U0001f3f4"
_FLAGS = tuple("".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f" for region in ("gbeng", "gbsct", "gbwls"))
_JOINERS = "\u200c\u200d"
_OVERRIDES = "\u202d\u202e"
_STYLES = "\ufe0e\ufe0f"
_KEYCAP = "\u20e3"

_STRING_BODY = 512
"""Characters looked through for the end of an escape sequence that holds a text."""
_PARAMETERS = 64


def is_plain_json(encoded: bytes) -> bool:
    """Whether none of these characters is in any string of a JSON text as we print it, reason or not; false where one may be."""
    if encoded.isascii() and b"\\" not in encoded and b"\x7f" not in encoded:
        return True
    return _UNSEEN_IN_JSON.search(encoded) is None


def is_plain(text: str) -> bool:
    """Whether none of these characters is in a text, reason or not."""
    if text.isascii() and text.isprintable():
        return True
    return _UNSEEN.isdisjoint(text) if len(text) <= _SHORT else not _UNSEEN_IN_UTF8.may(text.encode("utf-8", "surrogatepass"))


def spans(text: str) -> tuple[Span, ...]:
    """Every place where such a character stands without a reason: in order, apart from one another."""
    return () if is_plain(text) else tuple(_Judge(text).spans())


def cleaned(text: str) -> str:
    """The text without them."""
    return without(text, spans(text))


def without(text: str, places: Iterable[Span]) -> str:
    """The text without some places, which are in order and apart."""
    kept, at = [], 0
    for start, end, _ in places:
        kept.append(text[at:start])
        at = end
    return "".join([*kept, text[at:]])


class _Judge:
    """Tells the characters of one text that have a reason from those that have none."""

    __slots__ = ("_fitting", "_has_right_to_left", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._fitting: dict[tuple[str, str, str], bool] = {}
        self._has_right_to_left = _RIGHT_TO_LEFT.search(text) is not None

    def spans(self) -> list[Span]:
        """Every place without a reason."""
        found: list[Span] = []
        done = 0
        for judged, place in enumerate(_UNSEEN_ANYWHERE.finditer(self._text)):
            at = place.start()
            if at < done:
                continue
            done, rule = self._judged(at)
            if rule:
                _append(found, at, done, rule)
            if done < len(self._text) and (len(found) > MOST_SPANS or judged >= MOST_JUDGED):
                _append(found, done, len(self._text), found[-1][2] if found else INVISIBLE)
                break
        return found

    def _judged(self, at: int) -> tuple[int, str]:
        """Where the thing that begins at `at` ends, and the rule that it breaks, or nothing."""
        rule = _RANGES[bisect_right(_FIRSTS, ord(self._text[at])) - 1][2]
        match rule:
            case "ansi_escape":
                return self._escape_end(at), rule
            case "tag_character":
                length = self._flag_length(at)
                return at + max(length, 1), "" if length else rule
            case "invisible_character" | "variation_selector":
                return at + 1, "" if self._fits(at, rule) else rule
            case "bidi_control":
                has_reason = self._has_right_to_left and self._text[at] not in _OVERRIDES
                return at + 1, "" if has_reason else rule
            case _:
                return at + 1, rule

    def _before(self, at: int) -> str:
        return self._text[at - 1] if at else ""

    def _after(self, at: int) -> str:
        return self._text[at + 1 : at + 2]

    def _fits(self, at: int, rule: str) -> bool:
        """Whether a joiner or selector fits between its neighbours; remembered, for emoji come in crowds."""
        key = (self._before(at), self._text[at], self._after(at))
        fits = self._fitting.get(key)
        if fits is None:
            fits = self._fitting[key] = self._joins(at) if rule == INVISIBLE else self._selects(at)
        return fits

    def _joins(self, at: int) -> bool:
        """A joiner between two letters that may join, or two emoji (of which the first may have a selector or a skin tone)."""
        return self._text[at] in _JOINERS and _may_join(self._before(at)) and _may_join(self._after(at))

    def _selects(self, at: int) -> bool:
        """A selector right after a character that has variants: an emoji or sign, a keycap's base, an ideograph, a Mongolian letter."""
        selector, base = self._text[at], self._before(at)
        if not base or _is_unseen(base):
            return False
        if selector in _STYLES:
            is_keycap = base in "#*0123456789" and self._after(at) == _KEYCAP
            return is_keycap or _is_sign(base)
        if ord(selector) < 0x1900:
            return 0x1800 <= ord(base) < 0x18B0
        return _is_ideograph(base) or (selector == "\ufe00" and _is_sign(base))

    def _flag_length(self, at: int) -> int:
        if self._before(at) != _FLAG:
            return 0
        return next((len(tags) for tags in _FLAGS if self._text.startswith(tags, at)), 0)

    def _escape_end(self, at: int) -> int:
        """Where a control sequence (ECMA-48 §5.4, §8.3) ends; one that is broken off is just its introducer."""
        text = self._text
        body = at + 1 if text[at] == "\x9b" else at + 2
        introducer = "[" if text[at] == "\x9b" else text[at + 1 : at + 2]
        if introducer == "[":
            end = body
            while end < min(len(text), body + _PARAMETERS) and "\x20" <= text[end] <= "\x3f":
                end += 1
            return end + 1 if "\x40" <= text[end : end + 1] <= "\x7e" else body
        if introducer and introducer in "]PX^_":
            ends = (text.find(mark, body, body + _STRING_BODY) + len(mark) for mark in ("\x07", "\x1b\\", "\x9c"))
            return min((end for end in ends if end > body), default=body)
        return body if "\x20" <= introducer <= "\x7e" else at + 1


def _append(found: list[Span], start: int, end: int, rule: str) -> None:
    """Adds a place, to the last one if it goes on there."""
    if found and found[-1][1] == start and found[-1][2] == rule:
        start = found.pop()[0]
    found.append((start, end, rule))


def _is_unseen(letter: str) -> bool:
    return letter in _UNSEEN


def _may_join(letter: str) -> bool:
    """Letters and marks of the scripts from Hebrew to Georgian and Indic that use joiners; emoji with what may follow them."""
    if not letter:
        return False
    return 0x590 <= ord(letter) < 0x10A0 or letter == "\ufe0f" or 0x1F3FB <= ord(letter) <= 0x1F3FF or _is_sign(letter)


def _is_sign(letter: str) -> bool:
    """Signs and symbols beyond ASCII, of which emoji are some; `ℹ` is a letter and one of them."""
    return ord(letter) >= 0xA9 and (unicodedata.category(letter)[0] in "SP" or letter == "\u2139" or letter in "\u24c2\u3297\u3299")


def _is_ideograph(letter: str) -> bool:
    return unicodedata.category(letter) == "Lo" and (0x2E80 <= ord(letter) <= 0xFAFF or 0x20000 <= ord(letter) <= 0x3FFFF)
