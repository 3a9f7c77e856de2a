"""Texts from outside cut short between words: half of a secret would be one that nobody recognizes any more."""

from typing import Final

_BETWEEN: Final = " \t\r\n\"'`<>(){}[],;"


def clipped(text: str, most: int) -> str:
    """At most so many characters of a text and a sign that it went on; a word that would be cut in two is left out."""
    if len(text) <= most:
        return text
    end = max(text.rfind(character, 0, most) for character in _BETWEEN)
    return text[: end + 1] + "…"
