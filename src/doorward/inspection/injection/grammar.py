"""The notation that rules are written in, and what RE2 reads for it.

A blank stands for whatever parts two words (never the end of a sentence), ` ~3 ` for up to three words between, `<NAME>` for a class of
words, `^` for the beginning of a line, `|` and the rest as RE2 has it. Patterns work on UTF-8 byte by byte: what is not ASCII parts words,
and is written as it is. Upper and lower case are the same.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from re import compile as noted

import msgspec
import re2

from doorward.inspection.gate import Pattern, Reads
from doorward.wire.sieve import Sieve

_NAME = noted(r"<([A-Z_]+)>")
_GAP = noted(r" ~(\d) ")

_PARTING = r"[^0-9A-Za-z.!?;]"
_WORD = r"[0-9A-Za-z]+"

_MEMORY_BYTES = 64 * 2**20
"""For the states of one program, of which benign texts visit a few hundred."""


class Reading(Enum):
    """How strictly words are told apart."""

    PARTED = "+"
    RUN_TOGETHER = "*"
    """Blanks may be missing, as where letters that stood apart were joined."""


class Rule(msgspec.Struct, frozen=True):
    """One way of giving an order. `points`: 1 weak, 2 a hint, 3 likely, 6 flagrant."""

    name: str
    points: int
    notation: str
    near: str = ""
    """A part of it that is rare in any text, if the whole is dear to search for."""


@cache
def program(notations: tuple[str, ...], words: tuple[tuple[str, str], ...], reading: Reading) -> "re2._Regexp":
    """What finds any of some notations in UTF-8."""
    return re2.compile(_pattern(notations, dict(words), reading).encode(), _options())


def gate(rules: Iterable[Rule], words: Mapping[str, str], reading: Reading = Reading.PARTED) -> "re2._Regexp":
    """What matches wherever any of some rules does; also in JSON text whose escapes are blanked."""
    return program(_parts(rules), tuple(words.items()), reading)


def opening(rules: Iterable[Rule], words: Mapping[str, str]) -> Pattern:
    """The same pattern, to be asked with others."""
    return Pattern(_pattern(_parts(rules), words, Reading.PARTED), Reads.OCTETS)


def _parts(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.near or rule.notation.removeprefix("^") for rule in rules if rule.points > 1))


def sieve(rules: Iterable[Rule], words: Mapping[str, str], reading: Reading) -> Sieve:
    """What says which of a few rules match in UTF-8. Few: what is met of one multiplies what is met of others into states."""
    classes = dict(words)
    return Sieve([_pattern((rule.notation,), classes, reading).encode() for rule in rules], _options())


def exact(rule: Rule, words: Mapping[str, str], reading: Reading = Reading.PARTED) -> "re2._Regexp":
    """What finds one rule."""
    return program((rule.notation,), tuple(words.items()), reading)


def _pattern(notations: Iterable[str], classes: Mapping[str, str], reading: Reading) -> str:
    return "(?i)" + "|".join(f"(?:{_read(notation, classes, reading)})" for notation in notations)


def _read(notation: str, classes: Mapping[str, str], reading: Reading) -> str:
    parting = _PARTING + reading.value
    opened = notation
    while _NAME.search(opened):
        opened = _NAME.sub(lambda named: f"(?:{classes[named[1]]})", opened)
    beginning = r"(?:(?m:^)|\\n)[ \t>*#-]*" if opened.startswith("^") else ""
    gapped = _GAP.sub(lambda gap: f"(?:{parting}{_WORD}){{0,{gap[1]}}}{parting}", opened.removeprefix("^"))
    return beginning + gapped.replace(" ", parting)


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    return options
