"""Which texts of a call are read and not followed: sentences in an argument that is named for such texts. Pure."""

from typing import Final

_NAMES: Final = (
    "body",
    "caption",
    "comment",
    "comments",
    "content",
    "contents",
    "description",
    "html",
    "markdown",
    "message",
    "note",
    "notes",
    "subject",
    "summary",
    "text",
    "title",
)
"""What the names of such arguments end in: `comment_body`, `pageContent`."""
_WORDS: Final = 3
_LETTERS: Final = 8
"""As many, of writings that put no spaces between words."""


def is_prose(pointer: str, text: str) -> bool:
    """Whether a text stands in such an argument and has words besides names: an address alone is one, wherever it stands."""
    named = [part for part in pointer.split("/") if not part.isdecimal()]
    return bool(named) and named[-1].casefold().endswith(_NAMES) and _has_words(text)


def _has_words(text: str) -> bool:
    words = sum(len(word) > 1 and word.isalpha() for word in (one.strip(".,;:!?()\"'") for one in text.split()))
    return words >= _WORDS or sum(letter.isalpha() and not letter.isascii() for letter in text) >= _LETTERS
