"""What tells that another writing may stand in a text: one search each, over UTF-8, that hardly any benign text answers to.

Codes are told by the shape that ASCII takes in them, tricks with letters by words that orders are given with.
"""

import codecs
from collections.abc import Sequence
from functools import cache

import msgspec
import re2

from doorward.inspection.gate import Gate, Opening, Pattern, Reads
from doorward.inspection.normal import codes, lookalikes
from doorward.inspection.normal.codes import Read
from doorward.inspection.normal.other import (
    BASE64,
    BINARY,
    ENTITIES,
    ESCAPES,
    HEX,
    LEET,
    LETTERS,
    PERCENT,
    REVERSED,
    ROT13,
    SPACED,
)
from doorward.wire.sieve import Probe, Sieve

RUN = 0
"""The place itself is read."""
WINDOW = 320
"""So many bytes before and behind the place are read with it, within its paragraph."""
SOLID = -1
"""What stands around the place without a blank is read with it."""


class Writing(msgspec.Struct, frozen=True):
    """One other writing: how it is seen, how much around it belongs to it, how it is read."""

    name: str
    seen: str
    around: int
    read: Read
    place: str = ""
    """What is read where it is seen, if that is more than what it is seen by."""


_WORDS = (
    "ignore",
    "disregard",
    "forget",
    "override",
    "previous",
    "instruction",
    "system",
    "prompt",
    "important",
    "message",
    "information",
    "password",
    "before you",
    "the user",
    "reveal",
    "pretend",
    "developer",
    "assistant",
)
"""Some of which hardly any order to a model goes without."""

# A group of four signs whose three octets are ASCII, tab and line breaks included: what other runs of these signs hardly hold six of.
_GROUP = r"[CDI-Za-f][A-HQ-Xg-nw-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
_SIGN = "[A-Za-z0-9+/_-]"
_BREAK = r"[ \t]*\r?\n[ \t]*"
_BROKEN = "|".join(f"{_SIGN}{{{first}}}{_BREAK}{_SIGN}{{{4 - first}}}" for first in (1, 2, 3))
"""A group that a line break parts."""
_LINES = r"(?:[ \t]*\r?\n[ \t]*| {2,16})?"
_LETTER_CODE = r"(?:4[1-9A-Fa-f]|5[0-9Aa]|6[1-9A-Fa-f]|7[0-9Aa])"
_TEXT_CODE = r"(?:[46][1-9A-Fa-f]|[57][0-9Aa]|2[0-9A-Fa-f]|3[0-9AaFf]|0[Aa])"
_LETTER_NUMBER = r"0{0,5}(?:6[5-9]|[78][0-9]|90|9[7-9]|1[01][0-9]|12[0-2])"
_BACKSLASH = r"(?:\\| {2})"
"""A blanked one is two blanks."""

_LEET = {"a": "4@", "b": "8", "e": "3", "g": "69", "i": "1!|", "l": "1|", "o": "0", "s": "5$", "t": "7+", "z": "2"}


def _leet(word: str) -> str:
    """The word with at least one sign for a letter: what comes before the first is plain, what comes behind is either."""
    either = [f"[{letter}{_quoted(_LEET.get(letter, ''))}]" for letter in word]
    firsts = [place for place, letter in enumerate(word) if letter in _LEET]
    return "|".join(f"{word[:place]}[{_quoted(_LEET[word[place]])}]{''.join(either[place + 1 :])}" for place in firsts)


def _quoted(signs: str) -> str:
    return signs.replace("|", r"\|").replace("+", r"\+").replace("$", r"\$")


_SOLID_WORDS = tuple(word for word in _WORDS if " " not in word)

PLAIN: tuple[Writing, ...] = (
    Writing(BASE64, rf"(?:{_GROUP}{_LINES}){{6,}}", RUN, codes.base64, rf"(?:{_GROUP}{_LINES}|{_BROKEN}){{6,}}{_SIGN}{{0,3}}={{0,2}}"),
    Writing(HEX, rf"{_TEXT_CODE}{{12,}}", RUN, codes.hexadecimal),
    # Letters from j to o, without which no text is long and which no table of numbers holds.
    Writing(
        HEX,
        rf"[46][A-Fa-f][ :,-]{{1,2}}(?:{_TEXT_CODE}[ :,-]{{1,2}}){{6}}",
        RUN,
        codes.hexadecimal,
        rf"(?:{_TEXT_CODE}[ :,-]{{1,2}}){{7,}}{_TEXT_CODE}",
    ),
    Writing(HEX, rf"(?:0x{_TEXT_CODE}[ ,;]{{0,3}}){{6,}}", RUN, codes.hexadecimal),
    Writing(BINARY, r"(?:0[01]{7}[ ,]{0,2}){6,}", RUN, codes.binary),
    Writing(
        ESCAPES, rf"(?:{_BACKSLASH}u|%u|U\+)(?:\{{0{{0,4}}|00){_LETTER_CODE}|(?:{_BACKSLASH}x{_LETTER_CODE}){{2}}", WINDOW, codes.escapes
    ),
    Writing(ENTITIES, rf"&#(?:[xX]0{{0,5}}{_LETTER_CODE}|{_LETTER_NUMBER});?", WINDOW, codes.entities),
    Writing(
        ENTITIES,
        r"(?i)&(?:amp;)?lt;/?(?:system|information|important|instruction|\||sys|assistant)|(?:ignore|all|previous|prior|disregard)&(?:nbsp|#)",
        WINDOW,
        codes.entities,
    ),
    Writing(PERCENT, rf"(?:%{_TEXT_CODE}){{3}}|%{_LETTER_CODE}[a-z]", SOLID, codes.percent),
    Writing(PERCENT, rf"(?i)(?:{'|'.join(_SOLID_WORDS)})s?(?:%20|%0a|\+[a-z])", SOLID, codes.percent),
    Writing(ROT13, "(?i)" + "|".join(codecs.encode(word, "rot13").replace(" ", "[ +]") for word in _WORDS), WINDOW, codes.rot13),
    Writing(REVERSED, "(?i)" + "|".join(word[::-1] for word in _WORDS), WINDOW, codes.backwards),
    Writing(LEET, "(?i)" + "|".join(_leet(word) for word in _SOLID_WORDS), WINDOW, codes.leet),
    Writing(SPACED, r"(?:[A-Za-z](?: {1,4}|[-_.*|/,~] ?)){7,}[A-Za-z]", WINDOW, codes.joined),
)
"""That ASCII texts may hold."""

_LATIN = "[A-Za-z]"
_ALIKE = r"(?:[\xce-\xd6][\x80-\xbf]|\xe1[\x8e\x8f][\x80-\xbf]|\xea\x93[\x90-\xbf])"
"""Greek, Cyrillic, Armenian, Cherokee, Lisu."""
BEYOND: tuple[Writing, ...] = (
    Writing(LETTERS, rf"{_LATIN}{_ALIKE}|{_ALIKE}{_LATIN}", WINDOW, lookalikes.folded),
    Writing(LETTERS, r"(?:\xef\xbc[\xa1-\xba]|\xef\xbd[\x81-\x9a]){3}", WINDOW, lookalikes.folded),
    Writing(LETTERS, r"(?:\xf0\x9d[\x90-\x9f][\x80-\xbf]){3}", WINDOW, lookalikes.folded),
    Writing(LETTERS, r"(?:(?:\xe2\x92[\x9c-\xbf]|\xe2\x93[\x80-\xa9]) ?){3}", WINDOW, lookalikes.folded),
    Writing(LETTERS, r"(?:\xf0\x9f(?:\x84[\x90-\xbf]|\x85[\x80-\xbf]|\x86[\x80-\x89]|\x87[\xa6-\xbf]) ?){5}", WINDOW, lookalikes.folded),
    Writing(LETTERS, r"(?:(?:\xe1[\xb4-\xb6][\x80-\xbf]|[\xc9\xca][\x80-\xbf]|\xcb[\xa0-\xbf])[A-Za-z]?){3}", WINDOW, lookalikes.folded),
    Writing(LETTERS, rf"(?:{_LATIN}[\xcc\xcd][\x80-\xbf]){{3}}", WINDOW, lookalikes.folded),
)
"""That only texts with other letters hold."""


@cache
def finder(writing: Writing) -> "re2._Regexp":
    """What finds one writing in UTF-8."""
    return _program(writing.place or writing.seen)


def is_suspect(text: bytes) -> bool:
    """Whether another writing may stand in a text of UTF-8, or in JSON text with blanks for its escapes."""
    return bool(WRITINGS.may(text))


def suspects(text: bytes) -> tuple[Writing, ...]:
    """The writings that may be found in a text of UTF-8: for one that is suspect, since it takes longer to say."""
    writings = (*PLAIN, *BEYOND)
    return tuple(writings[number] for number in _sieve().may(text))


@cache
def _sieve() -> Sieve:
    return Sieve([(writing.place or writing.seen).encode() for writing in (*PLAIN, *BEYOND)], _options())


class _Writings:
    """Asks for all writings as one; for those with other letters only where there are any."""

    __slots__ = ("_beyond", "_plain")

    def __init__(self) -> None:
        self._plain, self._beyond = (Probe(_program(_either(writings))) for writings in (PLAIN, BEYOND))

    def may(self, text: bytes) -> Sequence[int]:
        return self._plain.may(text) or (() if text.isascii() else self._beyond.may(text))


def _openings() -> tuple[Opening, ...]:
    plain, beyond = (Pattern(_either(writings), Reads.OCTETS) for writings in (PLAIN, BEYOND))
    return Opening((plain,)), Opening((beyond,), is_beyond=True)


WRITINGS = Gate(_Writings, openings=_openings)
"""Open where another writing may stand."""


def _either(writings: tuple[Writing, ...]) -> str:
    return "|".join(f"(?:{writing.seen})" for writing in writings)


def _program(pattern: str) -> "re2._Regexp":
    return re2.compile(pattern.encode(), _options())


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    return options


_MEMORY_BYTES = 32 * 2**20
