"""What speaks against a secret: words that people write in its place, runs and sequences, and texts that are too even to be random."""

import math
from collections import Counter

import re2

from doorward.domain.findings import Severity

LEAST_BITS = 2.2
"""Entropy of a character of a token that has a format: a run of hex digits has 3 and more, what somebody typed has less."""

_WORDS = re2.compile(
    r"(?i)example|sample|placeholder|change_?me|dummy|redacted|withheld|replace|your[_-]|[_-]your|my[_-]?(?:secret|token|key|password)"
    r"|foo_?bar|not[_-](?:a|real)|test[_-]?(?:token|key|secret)|xxxx|\*\*\*|\.\.\.|…|1234567890|abcdefghij|[<>{}]|\$\(|%s"
)

_WHOLE = frozenset(
    """
    password passwd pass pwd secret token key none null nil true false undefined empty string str text value default example admin root
    user username test testing guest demo postgres mysql redis mongo mongodb rabbitmq localhost required optional hidden masked unknown
    password1 password123 passw0rd pa55word 123456 12345678 qwerty letmein changeit your-password mypassword credentials bearer basic
    """.split()
)


def is_placeholder(text: str) -> bool:
    """Whether a text is written where a secret would stand, such as `<token>`, `${TOKEN}`, `xxxx`."""
    return text.lower() in _WHOLE or has_run(text) or _WORDS.search(text) is not None


def has_run(text: str) -> bool:
    """Whether one character makes up half of a text or more, or there are hardly any different ones."""
    if not text:
        return True
    counts = Counter(text)
    return max(counts.values()) * 2 > len(text) or len(counts) < min(5, len(text))


def bits(text: str) -> float:
    """The entropy of a character of a text, by how often each occurs in it."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def plausible(secret: str, severity: Severity) -> Severity | None:
    """What the rule says, unless the text is a placeholder or too even."""
    return None if is_placeholder(secret) or bits(secret) < LEAST_BITS else severity


def lower(severity: Severity) -> Severity:
    """One step less."""
    return Severity.MEDIUM if severity is Severity.HIGH else Severity.LOW
