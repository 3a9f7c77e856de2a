"""One rule: how a secret is written, what has to stand in a message before anybody looks for it, and how sure a match is."""

import re
from collections.abc import Callable

import msgspec

from doorward.domain.findings import Severity
from doorward.inspection.secrets.doubt import plausible

HEX = "[0-9a-f]"
ANY_HEX = "[0-9A-Fa-f]"
DIGIT = "[0-9]"
LOWER = "[0-9a-z]"
UPPER = "[0-9A-Z]"
ALNUM = "[0-9A-Za-z]"
URL64 = "[0-9A-Za-z_-]"
BASE64 = "[0-9A-Za-z+/]"
UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"

LEFT = r"(?:\b|\\[nrtu]|\\x1b|%[0-9A-Fa-f]{2}|\[[0-9;]{1,8}m)"
"""Where a secret may begin: at a word, after an escape that was not read (`\\n`, `%3D`), after a colour of a terminal."""

_GATE_MOST, _GATE_MOST_BEHIND_LITTLE = 8, 40
"""Characters behind a prefix that the gate asks for: enough to be rare, few enough for the automaton to stay small."""

_LITTLE = 4
"""Characters of a prefix that say little by themselves."""

_FIRST_PART = re.compile(r"(\[[^\]]+\])(?:\{(\d+)(?:,\d*)?\})?")
_CLASSES = re.compile(r"\[([^\]]+)\]")
_COUNTED = re.compile(r"\[[^^\]][^\]]*\][{]\d+(?:,\d+)?[}]\)$")

Judge = Callable[[str, Severity], Severity | None]
"""How much a match weighs, from its text and what its rule says; None if it is no secret."""


class Rule(msgspec.Struct, frozen=True):
    """`pattern` and `gate` are RE2; the pattern's group `secret` is what is withheld, its group `key` (if any) what it is called."""

    name: str
    vendor: str
    pattern: str
    gate: str
    """Matches in the JSON text of each message in which the pattern matches, with blanks for escapes."""
    severity: Severity
    more: frozenset[str] = frozenset()
    """Characters that may not follow: the run would be longer than the format."""
    judge: Judge = plausible


def token(name: str, vendor: str, prefix: str, body: str, severity: Severity = Severity.HIGH, judge: Judge = plausible) -> Rule:
    """A rule for what is known by its beginning; `body` starts with a class of characters and a count."""
    # A few letters stand in any long run: only where a word begins are they a beginning, and the gate's automaton stays small.
    is_little = len(prefix) <= _LITTLE
    left = r"\b" if is_little and prefix.isalnum() else ""
    gate = left + prefix + _head(body, _GATE_MOST_BEHIND_LITTLE if is_little else _GATE_MOST)
    return Rule(name, vendor, f"{left or LEFT}(?P<secret>{prefix}{body})", gate, severity, _last(body), judge)


def shape(name: str, vendor: str, gate: str, pattern: str, severity: Severity = Severity.HIGH, judge: Judge = plausible) -> Rule:
    """A rule whose pattern and gate say everything themselves."""
    return Rule(name, vendor, pattern, gate, severity, _last(pattern) if _COUNTED.search(pattern) else frozenset(), judge)


def _head(body: str, most: int) -> str:
    first = _FIRST_PART.match(body)
    if first is None:
        return ""
    return f"{first[1]}{{{min(int(first[2] or 1), most)}}}"


def _last(body: str) -> frozenset[str]:
    """The characters of the last class of a body."""
    classes = _CLASSES.findall(body)
    return characters(classes[-1]) if classes else frozenset()


def characters(inside: str) -> frozenset[str]:
    """The characters of a class such as `0-9a-z_`, given without its brackets; a hyphen at its end is one."""
    found = set(re.sub(r"(.)-(.)", "", inside))
    for first, last in re.findall(r"(.)-(.)", inside):
        found.update(map(chr, range(ord(first), ord(last) + 1)))
    return frozenset(found)
