"""What is checked of a request before anything in it is believed: its path, Host, Origin, headers and size. Pure but for reading the body."""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from doorward.config.model import Listen
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import UpstreamId
from doorward.serving.port import Headers, Receive

INVALID_REQUEST = -32600
HEADER_MISMATCH = -32020

_NAME = re.compile(rb"[a-z](?:-?[a-z0-9]){0,30}")
_PATH = re.compile(rb"/mcp(?:/(%b))?" % _NAME.pattern)
_SINGLE = frozenset(
    b"host origin authorization dpop client-cert client-cert-chain content-type content-length content-encoding transfer-encoding "
    b"last-event-id traceparent".split()
)
"""Headers that are read here or below and must say one thing; besides them all of `Mcp-*`."""
_LOOPBACK = (b"localhost", b"127.0.0.1", b"[::1]")


class EdgeError(DoorwardError):
    """A request that is turned away before it reaches the spine: an HTTP status, a public sentence, headers of the answer."""

    def __init__(self, status: int, sentence: str, headers: Headers | None = None, code: int = INVALID_REQUEST) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or []
        self.code = code


class HangupError(DoorwardError):
    """The client went before its request was whole: there is nobody to answer."""


class Allowed(msgspec.Struct, frozen=True):
    """Which Host and Origin values are ours; each is checked on every request, whatever the other says."""

    hosts: frozenset[bytes]
    """Host values as they are sent, in lower case."""
    names: frozenset[bytes]
    """Hosts that are accepted with any port."""
    origins: frozenset[bytes]

    def is_host(self, host: bytes) -> bool:
        """Whether a Host header names us."""
        if host in self.hosts:
            return True
        host = host.lower()
        return host in self.hosts or host in self.names or _without_port(host) in self.names


def allowed(listen: Listen, port: int) -> Allowed:
    """The lists that a configuration stands for; `port` as bound, for the configured one may be 0."""
    own = {f"{_bracketed(listen.host)}:{port}".lower().encode()}
    if _is_local(listen.host):
        own |= {b"%s:%d" % (name, port) for name in _LOOPBACK}
    scheme = b"http://" if listen.tls is None else b"https://"
    origins = {scheme + host for host in own}
    if listen.public_url:
        public = urlsplit(listen.public_url)
        own.add(public.netloc.lower().encode())
        origins.add(f"{public.scheme}://{public.netloc}".lower().encode())
    configured = {host.lower().encode() for host in listen.allowed_hosts}
    return Allowed(
        frozenset(own | configured),
        frozenset(host for host in configured if _without_port(host) == host),
        frozenset(origins | {origin.lower().rstrip("/").encode() for origin in listen.allowed_origins}),
    )


def nothing_here() -> EdgeError:
    """The one answer for a path that is not ours, an upstream that does not exist and one that the caller may not know of."""
    return EdgeError(404, "Nothing is here; the endpoint is /mcp.")


def endpoint(raw_path: bytes, query: bytes) -> UpstreamId | None:
    """The upstream that a path names, or None for all; decided on the bytes of the path alone. Raises `EdgeError` 404, or 400 for a query."""
    found = _PATH.fullmatch(raw_path)
    if found is None:
        raise nothing_here()
    if query:
        raise EdgeError(400, "The endpoint takes no query; credentials belong in the Authorization header.")
    name = found.group(1)
    return None if name is None else UpstreamId(name.decode("ascii"))


def is_local_name(host: bytes) -> bool:
    """Whether a Host header names the machine that the caller itself is on."""
    name = _without_port(host.lower())
    return name in _LOOPBACK or (name.startswith(b"127.") and name.replace(b".", b"").isdigit())


def is_name(raw: bytes) -> bool:
    """Whether an upstream could be called so."""
    return _NAME.fullmatch(raw) is not None


def fields(headers: Headers, ours: Allowed) -> dict[bytes, bytes]:
    """The headers by name, once Host and Origin are found ours and no header that matters is there twice; raises `EdgeError`."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        _merge(headers, by_name)
    if not ours.is_host(by_name.get(b"host", b"")):
        raise EdgeError(403, "This Host is not served here.")
    origin = by_name.get(b"origin")
    if origin is not None and origin not in ours.origins and origin.lower() not in ours.origins:
        raise EdgeError(403, "This Origin may not call here.")
    return by_name


def _merge(headers: Headers, by_name: dict[bytes, bytes]) -> None:
    """Refuses a repeated header that matters; joins a repeated `Accept`, which is a list (RFC 9110 §5.3)."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in seen and (name in _SINGLE or name.startswith(b"mcp-")):
            code = HEADER_MISMATCH if name.startswith(b"mcp-") else INVALID_REQUEST
            raise EdgeError(400, f"The header {name.decode('latin-1')} must not be repeated.", code=code)
        seen.add(name)
    by_name[b"accept"] = b",".join(value for name, value in headers if name == b"accept")


class Takes(msgspec.Struct, frozen=True):
    """What a client can read as an answer."""

    json: bool
    stream: bool


@lru_cache(maxsize=256)
def takes(accept: bytes) -> Takes:
    """What an Accept header allows; a missing one allows everything (RFC 9110 §12.5.1)."""
    ranges = {part.partition(b";")[0].strip().lower() for part in accept.split(b",") if not _is_refused(part)}
    everything = not accept.strip() or b"*/*" in ranges
    return Takes(
        everything or b"application/json" in ranges or b"application/*" in ranges,
        everything or b"text/event-stream" in ranges or b"text/*" in ranges,
    )


def check_post(by_name: dict[bytes, bytes], limit_bytes: int) -> Takes:
    """What the client of a POST can read; raises `EdgeError` 406, 411, 413 or 415."""
    content_type = by_name.get(b"content-type", b"")
    if content_type != b"application/json" and not _is_json(content_type):
        raise EdgeError(415, "The Content-Type must be application/json.")
    if by_name.get(b"content-encoding", b"identity") != b"identity":
        raise EdgeError(415, "Encoded bodies are not accepted.")
    length = by_name.get(b"content-length")
    if length is None and b"transfer-encoding" not in by_name:
        raise EdgeError(411, "A Content-Length is needed.")
    if length is not None:
        check_length(int(length), limit_bytes)
    readable = takes(by_name.get(b"accept", b""))
    if not readable.json:
        raise EdgeError(406, "The client must accept application/json and text/event-stream.")
    return readable


def check_length(length: int, limit_bytes: int) -> None:
    """Raises `EdgeError` 413 for a body that is too large."""
    if length > limit_bytes:
        raise _too_large(limit_bytes)


def check_stream(readable: Takes) -> None:
    """Raises `EdgeError` 406 for a client that cannot read the stream it asks for."""
    if not readable.stream:
        raise EdgeError(406, "The client must accept text/event-stream.")


def _counted(count: int) -> None:
    """A body whose length was said beforehand has been counted by it."""


async def body(receive: Receive, limit_bytes: int, count: Callable[[int], None] = _counted) -> bytes:
    """The whole body of a request; raises `EdgeError` 413 as soon as it is over the limit, `HangupError` if the client goes.

    `count` hears of each piece's bytes, and may raise.
    """
    event = await receive()
    if event["type"] != "http.request":
        raise HangupError
    whole: bytes = event["body"]
    count(len(whole))
    if not event["more_body"] and len(whole) <= limit_bytes:
        return whole
    pieces = bytearray(whole)
    while event["more_body"] and len(pieces) <= limit_bytes:
        event = await receive()
        if event["type"] != "http.request":
            raise HangupError
        count(len(event["body"]))
        pieces += event["body"]
    if len(pieces) > limit_bytes:
        raise _too_large(limit_bytes)
    return bytes(pieces)


def _too_large(limit_bytes: int) -> EdgeError:
    return EdgeError(413, f"The body must not be larger than {limit_bytes} bytes.", [(b"connection", b"close")])


@lru_cache(maxsize=64)
def _is_json(content_type: bytes) -> bool:
    kind, *parameters = (part.strip().lower() for part in content_type.split(b";"))
    return kind == b"application/json" and all(part in (b"charset=utf-8", b'charset="utf-8"', b"") for part in parameters)


def _is_refused(media_range: bytes) -> bool:
    return any(re.fullmatch(rb"\s*q=0(?:\.0*)?\s*", parameter) for parameter in media_range.lower().split(b";")[1:])


def _without_port(host: bytes) -> bytes:
    name, colon, port = host.rpartition(b":")
    return name if colon and port.isdigit() else host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_local(host: str) -> bool:
    """Whether a listener on this address can be reached as localhost."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
