"""What a client makes of a destination (WHATWG URL): the scheme, the host it would ask, and what it would tell it.

Always an answer, for clients always have one; what people and clients read as different hosts counts as disguised.
"""

from functools import cache

import msgspec
import re2

from doorward.domain.entities import unescaped
from doorward.inspection.links.hosts import host

LONGEST = 16_384
"""Characters that are read of a destination; no client asks for more."""

_EDGES = "".join(map(chr, range(0x21)))
_BREAKS = {ord(letter): None for letter in "\t\n\r"}
_SLASHES = "/\\"
_WEB = frozenset({"http", "https", "ws", "wss", "ftp"})
"""Schemes that have a host whatever slashes stand before it."""
_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")


class Target(msgspec.Struct, frozen=True):
    """Where a destination leads."""

    scheme: str
    """In lower case; empty where it is that of the page."""
    host: str
    """Empty where it leads to no host, or to the page's own."""
    rest: str
    """What follows the host, or the scheme where there is no host."""
    is_disguised: bool = False


def of_markup(written: str) -> Target:
    """Of a destination in Markdown or HTML: entities and escapes are read first."""
    head, mark, tail = written[:LONGEST].partition("?")
    if "&" in head:
        head = unescaped(head)
    if "\\" in head:
        head = _escape().sub(r"\1", head)
    return of_url(head + mark + tail)


def of_url(written: str) -> Target:
    """Of a URL as it is."""
    text = written[:LONGEST].strip(_EDGES).replace("\\/", "/")
    joined = text.translate(_BREAKS)
    scheme, rest = _schemed(joined)
    if scheme in _WEB or (not scheme and _has_slashes(rest)) or _has_slashes(rest):
        hosted = _hosted(scheme, rest)
        return Target(hosted.scheme, hosted.host, hosted.rest, hosted.is_disguised or (joined != text and bool(hosted.host)))
    return Target(scheme, "", rest)


_OF_THIS_MACHINE = 3
"""Slashes of a `file:` URL without a host; with two it names one, and with more some take what follows for one (a share of a network)."""


def _schemed(text: str) -> tuple[str, str]:
    """The scheme, empty if there is none, and what follows it."""
    scheme, colon, rest = text.partition(":")
    lower = scheme.lower()
    if colon and lower and "a" <= lower[0] <= "z" and _SCHEME.issuperset(lower):
        return lower, rest
    return "", text


def _has_slashes(rest: str) -> bool:
    return len(rest) > 1 and rest[0] in _SLASHES and rest[1] in _SLASHES


def _hosted(scheme: str, rest: str) -> Target:
    """Of what names a host behind some slashes."""
    named = rest.lstrip(_SLASHES)
    if scheme == "file" and len(rest) - len(named) == _OF_THIS_MACHINE:
        return Target(scheme, "", rest)
    ends = [end for end in map(named.find, "/\\?#") if end >= 0]
    end = min(ends, default=len(named))
    authority, following = named[:end], named[end:]
    credentials, at, place = authority.rpartition("@")
    found = host(place if place.startswith("[") else place.partition(":")[0])
    is_slashed = "\\" in rest[: len(rest) - len(named)]
    # Behind a backslash some look for the host, and some for the path.
    is_split = following.startswith("\\") and "@" in following.partition("/")[0]
    is_posing = bool(at) and _poses(credentials.partition(":")[0])
    return Target(scheme, found.name, following, found.is_disguised or is_slashed or is_split or is_posing)


def _poses(user: str) -> bool:
    """Whether the name of a user is written like a host."""
    name, dot, last = user.rpartition(".")
    return "%" in user or (bool(dot and name) and last.isalpha() and len(last) > 1)


@cache
def _escape() -> "re2._Regexp":
    """A backslash before a sign that Markdown lets be escaped."""
    return re2.compile(r"\\([!-/:-@\[-`{-~])")
