"""A text that stands in another one in another writing."""

import msgspec

BASE64 = "base64"
BINARY = "binary"
ENTITIES = "entities"
ESCAPES = "escapes"
HEX = "hex"
LEET = "leet"
LETTERS = "letters"
"""Look-alikes of Latin letters."""
PERCENT = "percent"
REVERSED = "reversed"
ROT13 = "rot13"
SELECTORS = "selectors"
"""Bytes spelt with variation selectors."""
SPACED = "spaced"
"""Letters that stand apart; where words end may be lost."""
TAGS = "tags"
"""ASCII spelt with tag characters."""
UNSEEN = "unseen"
"""Without the characters that are not seen."""


class Other(msgspec.Struct, frozen=True):
    """What a text in another writing says, and from where to where it stands (equal: all of it)."""

    writing: str
    """One of the names above."""
    text: str
    start: int
    end: int
