"""Percent-encoding (RFC 3986 §2): undone where it means nothing, refused where whoever decodes once more is led elsewhere."""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from doorward.policy.facts.kind import UnderivedError
from doorward.policy.facts.segments import dotted

ROUNDS = 4
"""How often something may be encoded; nobody honest does it twice."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CODED = re.compile(r"%u[0-9A-F]{4}|0x(?:2e|2f|5c)|(?:^|/)\.\.%", re.IGNORECASE)
"""Ways to write dots and slashes that no standard knows and some servers read."""
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def plain_unreserved(text: str) -> str:
    """A text in which letters, digits and `-._~` stand for themselves and other escapes are in capitals (§6.2.2)."""
    if "%" not in text:
        return text
    if _BROKEN.search(text):
        raise UnderivedError("it holds a percent sign that encodes nothing")
    return _ESCAPE.sub(_unescaped, text)


def deep(text: str) -> str:
    """What comes out when a path is decoded as often as it can be.

    Raises `UnderivedError` where that brings slashes, backslashes, controls or dot segments to light, or is not UTF-8.
    """
    if _CODED.search(text):
        raise UnderivedError("a part of it is written in a code that some servers read as dots or slashes")
    found = text
    for _ in range(ROUNDS):
        if not _ESCAPE.search(found):
            break
        found = _decoded(found)
    else:
        if _ESCAPE.search(found):
            raise UnderivedError("it is percent-encoded again and again")
    _check(text, found)
    if not found.isascii():
        _check(text, unicodedata.normalize("NFKC", found))
    return found


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise UnderivedError("it is percent-encoded, and what it encodes is not UTF-8") from None


def _check(text: str, decoded: str) -> None:
    """What decoding or a look-alike may not bring to light."""
    if decoded == text:
        return
    if any(decoded.count(mark) != text.count(mark) for mark in "/\\"):
        raise UnderivedError("a slash or backslash in it is hidden by its encoding")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in decoded):
        raise UnderivedError("a control character in it is hidden by its encoding")
    if dotted(decoded) != dotted(text):
        raise UnderivedError("a dot segment in it is hidden by its encoding")
