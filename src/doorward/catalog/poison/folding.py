"""A text as a model may read it: without what is not seen, in plain small letters, cut into sentences; and other readings of odd ones."""

import codecs
import unicodedata
from collections.abc import Iterator
from typing import Final

import re2

from doorward.catalog.text import LOOKALIKES, is_visible

LONGEST: Final = 600
"""Characters of one sentence; a longer one is looked at in pieces that overlap."""
OVERLAP: Final = 200

_BREAK = re2.compile(r"[.!?;。！？]+[\s\"'»”’)\]]+|\n\s*\n|\n\s*[-*•#]+\s|\n\s*[0-9]+[.)]\s")
_BLANKS = re2.compile(r"\s+")
_CAMEL = re2.compile(r"([a-z0-9])([A-Z])")
_JOINTS = re2.compile(r"[_\-./]+")
_SPACED = re2.compile(r"\b\w(?:[ .\-_*|~]\w\b){5,}")
_WORDS_APART = re2.compile(r"[ .\-_*|~]")
_LEET = re2.compile(r"[A-Za-z][013457@$][A-Za-z]")
_LEET_LETTERS = str.maketrans("013457@$", "oieastas")
_ROT13 = re2.compile(r"(?i)\b(?:vtaber|qvfertneq|vafgehpgvbaf?|cerivbhf|flfgrz cebzcg|gur hfre)\b")
_REVERSED = re2.compile(r"(?i)\b(?:snoitcurtsni|erongi|suoiverp|resu eht|tpmorp metsys)\b")
QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-", "—": "-"})
"""Signs of type as a keyboard writes them."""


def folded(text: str) -> str:
    """The text in plain small letters; line breaks stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text.lower().replace("`", "'")
    seen = "".join(letter for letter in text if is_visible(letter) or letter.isspace())
    return str(unicodedata.normalize("NFKC", seen).translate(LOOKALIKES).translate(QUOTES).lower())


def sentences(text: str) -> Iterator[str]:
    """A folded text sentence by sentence; a line of a list is one."""
    lines = (_BLANKS.sub(" ", piece).strip(" -*•") for piece in _BREAK.split(text))
    for line in filter(None, lines):
        yield from (line,) if len(line) <= LONGEST else (line[start : start + LONGEST] for start in range(0, len(line), LONGEST - OVERLAP))


def words(name: str) -> str:
    """A name as the words it is made of: `systemPrompt` and `system_prompt` as `system prompt`."""
    return str(_JOINTS.sub(" ", _CAMEL.sub(r"\1 \2", name))).strip().lower()


def disguises(text: str) -> Iterator[str]:
    """Other readings of a folded text, where something hints at one: spaced letters, digits for letters, rot13, backwards."""
    if _SPACED.search(text) is not None:
        yield _SPACED.sub(_closed, text)
    if _LEET.search(text) is not None:
        yield text.translate(_LEET_LETTERS)
    if _ROT13.search(text) is not None:
        yield codecs.decode(text, "rot13")
    if _REVERSED.search(text) is not None:
        yield text[::-1]


def _closed(found: "re2._Match[str]") -> str:
    return str(_WORDS_APART.sub("", found.group()))


def is_mixed(word: str) -> bool:
    """Whether letters of other scripts stand in for Latin ones in a word that is Latin otherwise."""
    strangers = [letter for letter in word if not letter.isascii()]
    if not strangers or not all(letter.isalpha() for letter in word):
        return False
    plain = word.translate(LOOKALIKES)
    return plain.isascii() and any(letter.isascii() for letter in word) and len(word) > 3
