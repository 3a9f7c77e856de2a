"""Patterns of enrolment rules: `*` stands for any text at the end, and elsewhere for text without a delimiter of URLs."""

_DELIMITERS = frozenset("/?#@\\")
"""What a `*` before the end does not stand for: or `https://*.example.org/x` would take `https://evil.example/.example.org/x`."""


def matches(pattern: str, text: str) -> bool:
    """Whether a whole text is of a pattern; in time linear in both for each `*`."""
    head, *parts = pattern.split("*")
    if not parts:
        return text == pattern
    if not text.startswith(head):
        return False
    at = len(head)
    *middle, tail = parts
    for part in middle:
        # The leftmost place is the only one to try: a part with a delimiter fits in one place alone, one without may fill the next `*`.
        found = text.find(part, at)
        if found < 0 or not _DELIMITERS.isdisjoint(text[at:found]):
            return False
        at = found + len(part)
    if not tail:
        return True
    end = len(text) - len(tail)
    return at <= end and text.endswith(tail) and _DELIMITERS.isdisjoint(text[at:end])
