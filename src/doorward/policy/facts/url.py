"""URLs (RFC 3986, and where they differ in practice the WHATWG's), read in one way or not at all.

A URL that two readers understand differently is how a check is got around: one sees a harmless host, the other calls another.
What is normal here is what is left when the readers agree; everything else cannot be derived.
"""

import re
from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from doorward.policy.facts.hosts import Host, host
from doorward.policy.facts.kind import UnderivedError, distinct, text
from doorward.policy.facts.percent import deep, plain_unreserved
from doorward.policy.facts.segments import without_dots
from doorward.policy.shapes import Address, Field, Fields, Many, Shape, Text, Truth, Whole

LONGEST = 8_192
"""Characters of a URL; servers take no longer ones."""
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "ftps": 990, "ssh": 22, "sftp": 22}
"""Where a URL without a port leads, for schemes of which everybody knows it."""
_WEB = frozenset({"http", "https", "ws", "wss", "ftp"})
"""Schemes that always have a host; browsers find one in `http:/x` and `http:x` as well."""

_FORM = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31}):(//([^/?#]*))?([^?#]*)")
_CREDENTIALS = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*")
_PORT = re.compile(r"[0-9]{1,5}")
_REFUSED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
"""Controls, blanks, what cannot be seen, and backslashes: dropped by some readers, taken for slashes by others."""
_PATH_CHARACTERS = "/%!$&'()*+,;=:@-._~"


class _Url(msgspec.Struct, frozen=True):
    scheme: str
    host: Host
    port: int | None
    path: str
    has_credentials: bool


class Url(msgspec.Struct, frozen=True):
    """The parts of a URL."""

    word: str = "url"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text."""
        return (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """None."""
        return ()

    @property
    def shape(self) -> Shape:
        """Of one URL. `port` is absent where the scheme has no known one, `address` where the host is a name."""
        needed = Field(Text(), required=True)
        truth = Field(Truth(), required=True)
        fields = {"scheme": needed, "host": needed, "path": needed, "has_credentials": truth, "is_address": truth}
        return Fields({**fields, "port": Field(Whole()), "address": Field(Address())}, {})

    @property
    def shape_of_many(self) -> Shape:
        """Of a list of URLs: sets, and whether any of them has credentials or an address for a host."""
        texts = {name: Field(Many(Text()), required=True) for name in ("schemes", "hosts", "paths")}
        truths = {name: Field(Truth(), required=True) for name in ("has_credentials", "is_address")}
        others = {"ports": Field(Many(Whole()), required=True), "addresses": Field(Many(Address()), required=True)}
        return Fields({**texts, **truths, **others}, {})

    def one(self, value: object) -> dict[str, object]:
        """The parts of one URL."""
        url = parsed(text(value, LONGEST))
        found: dict[str, object] = {
            "scheme": url.scheme,
            "host": url.host.name,
            "path": url.path,
            "has_credentials": url.has_credentials,
            "is_address": url.host.is_address,
        }
        if url.port is not None:
            found["port"] = url.port
        if url.host.is_address:
            found["address"] = url.host.name
        return found

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """The parts of all URLs of a list."""
        urls = [parsed(text(value, LONGEST)) for value in values]
        return {
            "schemes": distinct([url.scheme for url in urls]),
            "hosts": distinct([url.host.name for url in urls]),
            "paths": distinct([url.path for url in urls]),
            "ports": distinct([url.port for url in urls if url.port is not None]),
            "addresses": distinct([url.host.name for url in urls if url.host.is_address]),
            "has_credentials": any(url.has_credentials for url in urls),
            "is_address": any(url.host.is_address for url in urls),
        }


def parsed(url: str) -> _Url:
    """A URL in its parts; raises `UnderivedError` for what is not read by everybody in the same way."""
    if _REFUSED.search(url):
        raise UnderivedError("it holds a blank, a control character or a backslash")
    form = _FORM.match(url)
    if form is None:
        raise UnderivedError("it does not begin with a scheme")
    scheme, rest = form[1].lower(), form[4]
    if scheme in _WEB and not form[3]:
        raise UnderivedError("it has no host")
    has_credentials, named, port = _authority(form[3] or "")
    if scheme == "file":
        if form[2] is None and not rest.startswith("/"):
            raise UnderivedError("it is a file's URL and its path is not absolute")
        named = Host("", is_address=False) if named.name == "localhost" else named
    return _Url(scheme, named, port if port is not None else PORTS.get(scheme), _path(rest), has_credentials)


def _authority(authority: str) -> tuple[bool, Host, int | None]:
    """Whether there are credentials, the host, and the port that is written."""
    credentials, at, place = authority.rpartition("@")
    if not _CREDENTIALS.fullmatch(credentials):
        raise UnderivedError("what stands before its host is not read by everybody in the same way")
    end = place.rfind("]") + 1
    name, colon, digits = place[end:].partition(":")
    name = place[:end] + name
    if not name and (at or colon):
        raise UnderivedError("it has no host")
    return bool(at), host(name) if name else Host("", is_address=False), _port(digits) if digits else None


def _port(digits: str) -> int:
    if not _PORT.fullmatch(digits) or int(digits) > 65535:
        raise UnderivedError("its port is no number from 0 to 65535")
    return int(digits)


def _path(path: str) -> str:
    """A path without dot segments, escaped in one way. Raises `UnderivedError` where decoding once more would change where it leads."""
    plain = plain_unreserved(path)
    deep(plain)
    return quote(without_dots(plain), safe=_PATH_CHARACTERS)
