"""A text as a model may read it: without what is not seen, in plain small letters, cut into sentences; and other readings of odd ones."""

import codecs
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import unquote

import re2

from doorward.catalog.text import LOOKALIKES, is_visible

LONGEST: Final = 600
"""Characters of one sentence; a longer one is looked at in pieces that overlap."""
OVERLAP: Final = 200
SHORT: Final = 12
"""Characters up to which a text is one sentence."""

_BREAK = re2.compile(r"[.!?;。！？]+[\s\"'»”’)\]]+|\n\s*\n|\n\s*[-*•#]+\s|\n\s*[0-9]+[.)]\s")
_CAMEL = re2.compile(r"([a-z0-9])([A-Z])")
_JOINTS = re2.compile(r"[_\-./]+")
_SPACED = re2.compile(r"(?:\b\w[ .\-_*|~]{1,3}){7}\w\b")
_GAP = re2.compile(r"[ .\-_*|~]{2,}")
_MARK = re2.compile(r"(\b\w)[.\-_*|~ ]")
_LEET = re2.compile(r"[A-Za-z][013457@$][A-Za-z]")
_LEET_LETTERS = str.maketrans("013457@$", "oieastas")
_PERCENT = re2.compile(r"(?:%[0-9a-f]{2}[^%]{0,12}){3}")
_ROT13 = re2.compile(r"\b(?:gur|naq|lbh|abg|nyy|hfre|gbby|ernq|orsber|nsgre|guvf|jvgu|vafgehpgvbaf?|cerivbhf|vtaber|flfgrz|cebzcg|nal)\b")
_REVERSED = re2.compile(r"\b(?:eht|dna|uoy|ton|lla|resu|loot|daer|erofeb|retfa|siht|htiw|snoitcurtsni|suoiverp|erongi|metsys|tpmorp|yna)\b")
_STRANGE_WORDS = 3
"""Words of another reading that a text has to have to be read so."""
_ODD = re2.compile("|".join(one.pattern for one in (_SPACED, _LEET, _PERCENT, _ROT13, _REVERSED)))
_LETTERS = {0x1F1E6 + place: chr(ord("a") + place) for place in range(26)}
"""Regional indicators, two of which make a flag and many of which make a sentence."""
QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-", "—": "-"})
"""Signs of type as a keyboard writes them."""


def folded(text: str) -> str:
    """The text in plain small letters; line breaks stay."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text.lower().replace("`", "'")
    seen = "".join(letter for letter in text if is_visible(letter) or letter.isspace())
    plain = unicodedata.normalize("NFKC", seen).translate(LOOKALIKES).translate(QUOTES).translate(_LETTERS).lower()
    if plain.isascii():
        return plain
    return "".join(_without_marks(unicodedata.normalize("NFD", plain)))


def _without_marks(apart: str) -> Iterator[str]:
    """The letters of a text without the marks over Latin ones: in other scripts marks are part of the letter."""
    is_latin = False
    for letter in apart:
        is_mark = unicodedata.combining(letter) != 0
        is_latin = is_latin if is_mark else letter.isascii()
        if not (is_mark and is_latin):
            yield letter


def sentences(text: str) -> Iterator[str]:
    """A folded text sentence by sentence; a line of a list is one."""
    lines = (" ".join(piece.split()).strip(" -*•") for piece in (_BREAK.split(text) if len(text) > SHORT else (text,)))
    for line in filter(None, lines):
        yield from (line,) if len(line) <= LONGEST else (line[start : start + LONGEST] for start in range(0, len(line), LONGEST - OVERLAP))


def words(name: str) -> str:
    """A name as the words it is made of: `systemPrompt` and `system_prompt` as `system prompt`."""
    return str(_JOINTS.sub(" ", _CAMEL.sub(r"\1 \2", name))).strip().lower()


def disguises(text: str) -> Iterator[str]:
    """Other readings of a folded text, where something hints at one: spaced letters, digits for letters, escapes, rot13, backwards."""
    if _ODD.search(text) is None:
        return
    if _SPACED.search(text) is not None:
        yield " ".join(_MARK.sub(r"\1", word) for word in _GAP.split(text))
    if _LEET.search(text) is not None:
        yield text.translate(_LEET_LETTERS)
    if _PERCENT.search(text) is not None:
        yield unquote(text)
    if _is_often(_ROT13, text):
        yield codecs.decode(text, "rot13")
    if _is_often(_REVERSED, text):
        yield text[::-1]


def _is_often(pattern: "re2._Regexp[str]", text: str) -> bool:
    return sum(1 for _ in islice(pattern.finditer(text), _STRANGE_WORDS)) == _STRANGE_WORDS


def is_mixed(word: str) -> bool:
    """Whether letters of other scripts stand in for Latin ones in a word that is Latin otherwise."""
    strangers = [letter for letter in word if not letter.isascii()]
    if not strangers or not all(letter.isalpha() for letter in word):
        return False
    plain = word.translate(LOOKALIKES)
    return plain.isascii() and any(letter.isascii() for letter in word) and len(word) > 3
