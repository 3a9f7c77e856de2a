"""What a URL carries to its host: text in base64 or hexadecimal digits, and other URLs that it would pass the caller on to.

Ids, digests, signatures and cursors are runs of the same letters: what makes a payload is that it reads as a text.
"""

import binascii
from functools import cache
from urllib.parse import unquote

import re2

from doorward.inspection.links.target import LONGEST, of_url

SHORTEST = 16
"""Characters of a text that is carried."""
_HEX = frozenset("0123456789abcdefABCDEF")
_WRAPPED = ("{", "[", "http:", "https:", "cursor:", "arrayconnection:", "//", "<")
"""How what servers give themselves to keep begins: objects, lists, cursors, other URLs."""
_TELLING = (" ", "\n", "@", "pass", "secret", "token", "key", "-----begin")
"""What is in sentences, addresses and credentials, and seldom in what an image server is asked for."""


def carries_text(rest: str) -> bool:
    """Whether path, query or fragment of a URL hold a text in another writing."""
    return any(_reads(run.group()) for run in _runs().finditer(rest[:LONGEST]))


def passed_on(rest: str) -> tuple[str, ...]:
    """The hosts of other URLs that path and query of a URL hold, as they are or escaped."""
    text = rest[:LONGEST]
    for _ in range(2):
        text = unquote(text)
    hosts = [of_url(found.group(1)).host for found in _inner().finditer(text)]
    return tuple(host for host in hosts if host)


def _reads(run: str) -> bool:
    letters = run.rstrip("=")
    decoded = _hexadecimal(letters) if _HEX.issuperset(letters) else _base64(letters)
    if decoded is None or len(decoded) < SHORTEST:
        return False
    if not decoded.replace("\n", " ").replace("\t", " ").isprintable() or decoded.startswith(_WRAPPED):
        return False
    lower = decoded.lower()
    return any(word in lower for word in _TELLING)


def _hexadecimal(letters: str) -> str | None:
    try:
        return binascii.unhexlify(letters).decode()
    except (ValueError, UnicodeDecodeError):
        return None


def _base64(letters: str) -> str | None:
    padded = letters.translate({ord("-"): "+", ord("_"): "/"})
    try:
        return binascii.a2b_base64(padded + "=" * (-len(padded) % 4)).decode()
    except (ValueError, UnicodeDecodeError):
        return None


@cache
def _runs() -> "re2._Regexp":
    return re2.compile(r"[A-Za-z0-9_+-]{22,}={0,2}")


@cache
def _inner() -> "re2._Regexp":
    return re2.compile(r"(?i)[=?&/#](https?:[/\\]+[^\s&#]+|//[^\s&#/]+)")
