"""What is served beside the endpoint: metadata, tokens, sign-in. One table, one way for every request, one set of headers."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from doorward.admission.rates import Pace, Rates
from doorward.serving.browsers import cross_origin, preflight
from doorward.serving.edge import Allowed, EdgeError, HangupError, body, fields, is_name
from doorward.serving.port import Event, Headers, Receive, Scope
from doorward.serving.respond import Reply

_LOG = logging.getLogger("doorward.serving")

Page = Callable[[Request], Awaitable[Response]]
"""Answers one request; the body of a POST has been read and bounded, no other method has one.

The answer is a whole `Response`, no stream; its own headers win over `_DEFAULTS` alone.
"""

BODY_BYTES = 65_536
PACE = Pace(per_minute=600, burst=120)
"""POSTs of one address: whoever sends them has proven nothing yet, and each may cost a signature. A whole company may share an address."""
_EVERYBODY = 20
"""How many times as much may come from a proxy that we know of: there one address is everybody's, and a stranger must not use it up."""
PEOPLE_PACE = Pace(per_minute=1200, burst=240)
"""Looks of one address at pages for people: each may begin or end a sign-in, which costs a request to the company's provider."""
ANY = b"/*"
"""The end of a path in the table whose last part may be the name of an upstream, any name, whether there is one or not."""
REFERENCE = b"/+"
"""The end of one whose last part may be a reference, whether it leads anywhere or not."""
_REFERENCE = re.compile(rb"[A-Za-z0-9_-]{1,128}")

_DEFAULTS: Headers = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
]
_FRAMED: Headers = [(b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY")]
_YEAR = (b"strict-transport-security", b"max-age=31536000")
_VARIES = (b"vary", b"origin")


class Readers(Enum):
    """Whom a page is for."""

    PROGRAMS = "programs"
    """Clients, also those that run in the page of an allowed origin: it may read the answers."""
    PEOPLE = "people"
    """A person's browser: no other origin may read it, and its forms are sent by our own pages alone."""


class Place(msgspec.Struct, frozen=True):
    """What is at a path."""

    page: Page
    methods: tuple[str, ...] = ("GET",)
    readers: Readers = Readers.PROGRAMS


Places = Mapping[bytes, Place]
"""By raw path, byte for byte; one that ends in `ANY` is for every well-formed upstream name there, in `REFERENCE` for every reference."""


class _Paces(msgspec.Struct, frozen=True):
    """How often one address may ask."""

    of_callers: Rates
    of_proxies: Rates

    @classmethod
    def of(cls, pace: Pace) -> "_Paces":
        """As a pace says, and for proxies many times that."""
        return cls(Rates(pace), Rates(Pace(pace.per_minute * _EVERYBODY, pace.burst * _EVERYBODY)))


def _nobodys(network: str) -> bool:
    """Where no proxy is known, every address is its caller's."""
    return False


class Pages:
    """The table, and the way of a request to one of its pages."""

    __slots__ = ("_always", "_exact", "_families", "_is_shared", "_looks", "_monotonic", "_origin", "_rates", "_references")

    def __init__(
        self,
        places: Places,
        origin: str,
        monotonic: Callable[[], float],
        pace: Pace = PACE,
        is_shared: Callable[[str], bool] = _nobodys,
    ) -> None:
        """`origin`: ours as browsers see it (`Resources.origin`); `is_shared`: whether an address is that of a proxy in front of us."""
        self._is_shared = is_shared
        self._origin = origin.encode("ascii")
        self._monotonic = monotonic
        self._rates, self._looks = _Paces.of(pace), _Paces.of(PEOPLE_PACE)
        always = [*_FRAMED, _YEAR] if origin.startswith("https:") else _FRAMED
        self._always = {
            Readers.PROGRAMS: [*always, (b"referrer-policy", b"no-referrer")],
            # With no-referrer a browser would send our own forms with `Origin: null` (Fetch standard, 3.1).
            Readers.PEOPLE: [*always, (b"referrer-policy", b"same-origin")],
        }
        self.adopt(places)

    def adopt(self, places: Places) -> None:
        """Goes on with another table."""
        self._families = {path.removesuffix(ANY): place for path, place in places.items() if path.endswith(ANY)}
        self._references = {path.removesuffix(REFERENCE): place for path, place in places.items() if path.endswith(REFERENCE)}
        self._exact = {path: place for path, place in places.items() if not path.endswith((ANY, REFERENCE))}

    def at(self, raw_path: bytes) -> Place | None:
        """What is at a path, decided on its bytes alone."""
        place = self._exact.get(raw_path)
        if place is None:
            parent, _, name = raw_path.rpartition(b"/")
            place = self._families.get(parent) if is_name(name) else None
            if place is None and _REFERENCE.fullmatch(name) is not None:
                place = self._references.get(parent)
        return place

    async def answer(self, place: Place, scope: Scope, receive: Receive, reply: Reply, allowed: Allowed) -> None:
        """One request to a page, from its Host to the last byte of its answer."""
        try:
            response = await self._response(place, scope, receive, reply, allowed)
            status, whole, headers = response.status_code, bytes(response.body), _own(response.raw_headers)
        except HangupError:
            reply.detach()
            return
        except EdgeError as error:
            status, whole, headers = _told(error.status, error.sentence, error.headers)
        except Exception:  # noqa: BLE001 -- the root of a request: whatever failed, its client gets an answer, and not what failed
            _LOG.exception("a page failed")
            status, whole, headers = _told(500, "The gateway failed.", [])
        await reply.plain(status, whole, _with(headers, self._always[place.readers]))

    async def _response(self, place: Place, scope: Scope, receive: Receive, reply: Reply, allowed: Allowed) -> Response:
        by_name = fields(scope["headers"], allowed)
        method: str = scope["method"]
        if place.readers is Readers.PROGRAMS:
            reply.headers += cross_origin(by_name) if b"origin" in by_name else [_VARIES]
            if method == "OPTIONS":
                return _preflight(by_name, place)
        else:
            self._check_origin(by_name)
        if method not in place.methods:
            raise EdgeError(405, "This method is not known here.", [(b"allow", ", ".join(place.methods).encode("ascii"))])
        whole = b""
        network = scope["client"][0] if scope["client"] else ""
        if method == "POST":
            self._check_pace(self._rates, network)
            whole = await _body(by_name, receive)
        elif place.readers is Readers.PEOPLE:
            self._check_pace(self._looks, network)
        return await place.page(Request(scope, _read(whole)))

    def _check_origin(self, by_name: dict[bytes, bytes]) -> None:
        """Refuses what another site's page sends in a person's name, also a site whose programs may call here (CSRF)."""
        origin = by_name.get(b"origin")
        if origin is None or origin.lower() == self._origin:
            return
        if origin.lower().partition(b"://")[2] != by_name[b"host"].lower():
            raise EdgeError(403, "This page is sent by our own pages alone.")

    def _check_pace(self, paces: "_Paces", network: str) -> None:
        rates = paces.of_proxies if self._is_shared(network) else paces.of_callers
        wait = rates.take(_neighbourhood(network), self._monotonic())
        if wait > 0:
            raise EdgeError(429, "Too many requests; wait a little.", [(b"retry-after", b"%d" % ceil(wait))])


def _preflight(by_name: dict[bytes, bytes], place: Place) -> Response:
    response = Response()
    response.raw_headers = [*preflight(by_name, ", ".join(place.methods).encode("ascii"))]
    return response


async def _body(by_name: dict[bytes, bytes], receive: Receive) -> bytes:
    if by_name.get(b"content-encoding", b"identity") != b"identity":
        raise EdgeError(415, "Encoded bodies are not accepted.")
    if int(by_name.get(b"content-length", b"0")) > BODY_BYTES:
        raise EdgeError(413, f"The body must not be larger than {BODY_BYTES} bytes.", [(b"connection", b"close")])
    return await body(receive, BODY_BYTES)


def _read(whole: bytes) -> Receive:
    """A body that has been read, as if it were read now."""

    async def receive() -> Event:
        return {"type": "http.request", "body": whole, "more_body": False}

    return receive


def _told(status: int, sentence: str, headers: Headers) -> tuple[int, bytes, Headers]:
    return status, sentence.encode(), [(b"content-type", b"text/plain; charset=utf-8"), *headers]


def _own(headers: Headers) -> Headers:
    """The headers that a page gives, without the length, which is counted again. INVARIANT: none holds a line break."""
    if any(b"\r" in value or b"\n" in value for _, value in headers):
        raise ValueError("expected headers of one line each")
    return [(name, value) for name, value in headers if name != b"content-length"]


def _with(headers: Headers, always: Headers) -> Headers:
    """The headers of an answer with those that every answer has."""
    fixed = {name for name, _ in always}
    given = [(name, value) for name, value in headers if name not in fixed]
    names = {name for name, _ in given}
    return [*given, *(line for line in _DEFAULTS if line[0] not in names), *always]


def _neighbourhood(network: str) -> str:
    """What one sender can hold many addresses of: a /64 of IPv6, else the address itself."""
    try:
        address = ip_address(network.partition("%")[0])
    except ValueError:
        return network
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
    return network
