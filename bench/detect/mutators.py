"""Fifteen ways of writing a text so that a model reads it and a pattern does not; each is pure and leaves no word as it was."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping
from urllib.parse import quote

Mutate = Callable[[str], str]

_HOMOGLYPHS = str.maketrans("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_BOLD = {ord("A") + at: 0x1D400 + at for at in range(26)} | {ord("a") + at: 0x1D41A + at for at in range(26)}
_LEET = str.maketrans("aeiost", "431057")


def homoglyphs(text: str) -> str:
    """Cyrillic letters for Latin ones that look alike."""
    return text.translate(_HOMOGLYPHS)


def full_width(text: str) -> str:
    """The wide forms of ASCII."""
    return text.translate(_WIDE)


def spaced(text: str) -> str:
    """Each character on its own."""
    return " ".join(text)


def zero_width(text: str) -> str:
    """A zero-width space between all characters."""
    return "\u200b".join(text)


def tag_characters(text: str) -> str:
    """All of it in characters that are not shown (U+E0000 …)."""
    return "".join(chr(0xE0000 + ord(letter)) if 0x20 <= ord(letter) < 0x7F else letter for letter in text)


def bidi_override(text: str) -> str:
    """Backwards, and shown forwards."""
    return "\n".join(f"\u202e{line[::-1]}\u202c" for line in text.split("\n"))


def variation_selectors(text: str) -> str:
    """Each octet a selector behind an emoji."""
    octets = text.encode()
    return "\U0001f600" + "".join(chr(0xFE00 + octet) if octet < 16 else chr(0xE0100 + octet - 16) for octet in octets)


def ansi(text: str) -> str:
    """An escape sequence in each word."""
    return " ".join(f"{word[:2]}\x1b[0m{word[2:]}" for word in text.split(" "))


def mathematical(text: str) -> str:
    """Bold letters of mathematics."""
    return text.translate(_BOLD)


def leet(text: str) -> str:
    """Digits for letters."""
    return text.lower().translate(_LEET)


def in_base64(text: str) -> str:
    """Base64."""
    return base64.b64encode(text.encode()).decode()


def in_hex(text: str) -> str:
    """Hexadecimal."""
    return text.encode().hex()


def entities(text: str) -> str:
    """Each character a reference of HTML."""
    return "".join(f"&#{ord(letter)};" for letter in text)


def url(text: str) -> str:
    """Percent-encoded."""
    return quote(text)


def rot13(text: str) -> str:
    """Letters moved on by thirteen."""
    return codecs.encode(text, "rot13")


MUTATORS: Mapping[str, Mutate] = {
    "homoglyphs": homoglyphs,
    "full-width": full_width,
    "spaced": spaced,
    "zero-width": zero_width,
    "tag characters": tag_characters,
    "bidi override": bidi_override,
    "variation selectors": variation_selectors,
    "ansi": ansi,
    "mathematical": mathematical,
    "leet": leet,
    "base64": in_base64,
    "hex": in_hex,
    "entities": entities,
    "url": url,
    "rot13": rot13,
}
"""The tricks that SECURITY.md names."""


def _lined(text: str) -> str:
    whole = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return "\n".join(whole[at : at + 70] for at in range(0, len(whole), 70))


MORE: Mapping[str, Mutate] = {
    "base64, url-safe over lines": _lined,
    "hex, parted": lambda text: text.encode().hex(" "),
    "hex, \\x": lambda text: "".join(f"\\x{octet:02x}" for octet in text.encode()),
    "unicode escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "percent, every octet": lambda text: "".join(f"%{octet:02X}" for octet in text.encode()),
    "hyphenated": lambda text: " ".join("-".join(word) for word in text.split(" ")),
    "letters only, words lost": lambda text: " ".join("".join(filter(str.isalnum, text))),
    "reversed": lambda text: text[::-1],
    "soft hyphens": "\u00ad".join,
    "circled": lambda text: text.lower().translate({ord("a") + at: 0x24D0 + at for at in range(26)}),
    "regional indicators": lambda text: text.lower().translate({ord("a") + at: chr(0x1F1E6 + at) + " " for at in range(26)}),
    "combining marks": "\u0336".join,
    "base64 twice": lambda text: in_base64(in_base64(text)),
    "hex of rot13": lambda text: in_hex(rot13(text)),
    "binary": lambda text: " ".join(f"{octet:08b}" for octet in text.encode()),
}
"""Others that are told apart here, and tricks within tricks."""
