"""The address of an upstream, read strictly (RFC 3986, http and https only): what could be read in two ways is refused."""

import re
from typing import Final

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.net.addresses import Address, parse_address


class UrlError(DoorwardError):
    """An upstream's URL that is not accepted; the message says why."""


class Origin(msgspec.Struct, frozen=True):
    """Where an upstream listens and what is asked for there."""

    scheme: str
    host: str
    """A name in lower case, or an IP address without brackets."""
    port: int
    target: str
    """Path and query, as the request line carries it."""
    address: Address | None
    """Set when the host is an IP address: then nothing is looked up."""

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS: Final = {"http": 80, "https": 443}
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_AUTHORITY: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?")
_TARGET: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
"""A last label that some resolver would read as (part of) an IPv4 address in octal, hexadecimal or as one number."""


def parse_url(text: str) -> Origin:
    """The origin and target of an absolute URL; raises UrlError."""
    if not text.isascii() or not text.isprintable():
        raise UrlError("a url of printable ASCII was expected (write international names as `xn--…`)")
    match = _URL.fullmatch(text)
    if match is None or match["scheme"].lower() not in _PORTS:
        raise UrlError("an absolute url that begins with https:// (or http://) was expected")
    if "@" in match["authority"]:
        raise UrlError("a url without user name or password was expected; a credential has its own field")
    if match["fragment"] is not None:
        raise UrlError("a url without a fragment was expected")
    scheme = match["scheme"].lower()
    host, address, port = _authority(match["authority"])
    return Origin(scheme, host, _PORTS[scheme] if port is None else port, _target(match["path"], match["query"]), address)


def _authority(text: str) -> tuple[str, Address | None, int | None]:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise UrlError(f"a host and perhaps a port were expected in the url, not {text[:80]!r}")
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 0 < port < 65536:
        raise UrlError(f"a port from 1 to 65535 was expected, not {port}")
    address = parse_address(match["six"] or match["name"])
    if match["six"] and (address is None or address.version != 6):
        raise UrlError("an IPv6 address was expected between the brackets")
    if address is not None:
        return str(address), address, port
    return _name(match["name"].lower()), None, port


def _name(host: str) -> str:
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlError(f"a host name was expected in the url, not {host[:80]!r}")
    if _NUMBER.fullmatch(labels[-1]):
        raise UrlError(f"an IPv4 address is written as four decimal numbers, not {host[:80]!r}")
    return host


def _target(path: str | None, query: str | None) -> str:
    target = (path or "/") + (query or "")
    if not _TARGET.fullmatch(target):
        raise UrlError("a url path of unreserved or percent-encoded characters was expected")
    return target
