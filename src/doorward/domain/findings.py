"""Facts that guards report, and what policy makes of them."""

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Direction(StrEnum):
    """Which way the inspected text travels."""

    REQUEST = "request"
    RESPONSE = "response"


class Disposition(StrEnum):
    """What is done about a finding, from mildest to hardest."""

    PASS = "pass"
    LABEL = "label"
    """It passes, and the answer says in its `_meta` what was found."""
    SPOTLIGHT = "spotlight"
    """The text it stands in is marked as coming from outside: something to read, nothing to obey."""
    REDACT = "redact"
    ASK = "ask"
    BLOCK = "block"


FAILED = frozenset({"guard_failed", "guard_late", "guard_busy", "guard_untrue", "guard_oversize"})
"""Rules that say that a guard of others has not looked at a message: it broke, took too long, hangs with earlier ones, said what cannot be,
or is shown nothing as large."""


class Part(StrEnum):
    """Which half of an object's member a pointer means; an item of an array has a value only."""

    VALUE = "value"
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact about one string of a message: which rule saw it, where (RFC 6901), and how bad it is."""

    guard: str
    rule: str
    severity: Severity
    pointer: str
    start: int = 0
    end: int = 0
    """Character offsets into the string at `pointer`; equal when the whole string is meant."""
    part: Part = Part.VALUE
    """`KEY`: the text is the member's name, not its value."""
    done: Disposition | None = field(default=None, compare=False)
    """What is done about it, once that is settled: no part of the fact."""
