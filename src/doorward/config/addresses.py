"""Addresses as an operator writes them: URLs, hosts and origins, and whether they are loopback or otherwise special."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?")
PORT = re.compile(r"[0-9]{1,5}")
LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa")


def split_url(text: str) -> SplitResult | str:
    """The parts of an http or https URL with a host; or why it is none. The text is never repeated: it may hold a password."""
    if not text.isascii() or not text.isprintable() or {" ", "\\"} & set(text):
        return "expected a URL in visible ASCII; write other characters as %-escapes or punycode"
    try:
        parts = urlsplit(text)
        has_place = parts.hostname is not None and is_host(parts.hostname) and parts.port != 0
    except ValueError:
        return "expected a URL such as https://mcp.example.com/mcp"
    if not has_place and "@" not in parts.netloc:
        return "expected a URL with a host, such as https://mcp.example.com/mcp"
    return _fault(parts, text) or parts


def _fault(parts: SplitResult, text: str) -> str:
    if parts.scheme not in {"http", "https"}:
        return "expected a URL that begins with https:// or http://"
    if "@" in parts.netloc:
        return "a URL may not hold a name or password; use a credential with a reference"
    return "a URL may not have a fragment here" if "#" in text else ""


def is_host(host: str) -> bool:
    """Whether a text is an IP address (without brackets) or a host name."""
    return _address(host) is not None or (HOST.fullmatch(host) is not None and not host.replace(".", "").isdigit())


def is_host_header(text: str) -> bool:
    """Whether a text can stand in a `Host` header: a host and perhaps a port."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        return bool(closed) and ":" in host and is_host(host) and (not rest or (rest[0] == ":" and _is_port(rest[1:])))
    host, colon, port = text.partition(":")
    return is_host(host) and (not colon or _is_port(port))


def is_origin(text: str) -> bool:
    """Whether a text is a web origin (RFC 6454): scheme, host, perhaps a port, nothing else."""
    scheme, mark, rest = text.partition("://")
    return bool(mark) and scheme.isalpha() and scheme.islower() and is_host_header(rest)


def is_loopback(host: str) -> bool:
    """Whether a host means this machine for certain."""
    address = _address(host)
    return address.is_loopback if address is not None else host.lower().rstrip(".") == "localhost"


def is_special(host: str) -> bool:
    """Whether a host is seen to be special-use without asking a resolver (what `net` refuses after asking one, unless `private`)."""
    if (address := _address(host)) is not None:
        return not address.is_global or address.is_multicast
    name = host.lower().rstrip(".")
    return name == "localhost" or name.endswith(LOCAL_NAMES) or "." not in name


def _is_port(text: str) -> bool:
    return PORT.fullmatch(text) is not None and 0 < int(text) < 65536


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, ipaddress.IPv6Address) else address
