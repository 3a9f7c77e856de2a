"""Documents of others (metadata, keys, client documents) and the answers of their token endpoints: small, whole, in time, or not at all.

INVARIANT: each fetch looks its name up anew and connects to an address that it has checked; nothing is followed, kept or cached.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from doorward.domain.reasons import Ran, Refused
from doorward.net.addresses import STRICT, Rule
from doorward.net.connection import Response, Timeouts
from doorward.net.egress import Lookup, system_lookup
from doorward.net.errors import EgressError, NetError, Trouble
from doorward.net.http import Bounds, Headers, Pool, Route
from doorward.net.reader import Limits as ReaderLimits
from doorward.net.stream import Stream
from doorward.net.tls import Contexts, Renewing, Shown, TlsError
from doorward.net.urls import UrlError, parse_url
from doorward.wire.jsonrpc import Limits as JsonLimits
from doorward.wire.jsonrpc import parse_object


class Caps(msgspec.Struct, frozen=True):
    """How much one fetch may take."""

    body_bytes: int = 65_536
    seconds: float = 5.0
    """From the look-up of the name to the last byte."""
    at_once: int = 32
    """Fetches under way at the same time; more are refused at once, so that nobody can pile them up."""


CAPS: Final = Caps()
_ONE: Final = Bounds(connections=1, idle=0)
_USUAL: Final = {"accept": ("Accept", "application/json"), "connection": ("Connection", "close")}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One whole answer, whatever its status says: a redirect is none that is followed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name; repeated ones joined by comma and space."""
    body: bytes = field(repr=False)
    """Of a token endpoint it is tokens."""

    @property
    def media_type(self) -> str:
        """The `Content-Type` without parameters, in lower case; empty where there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Web(Protocol):
    """Asks others, as `Fetch` does. Raises `NetError`."""

    async def get(self, url: str, headers: Headers = ()) -> Fetched:
        """One GET."""
        ...

    async def post(self, url: str, body: bytes, headers: Headers = ()) -> Fetched:
        """One POST."""
        ...


class Fetch:
    """Fetches from those that one rule is for. Have one for each party that is trusted alike: they do not share what `Caps.at_once` bounds."""

    __slots__ = ("_caps", "_contexts", "_is_closed", "_lookup", "_pools", "_rule")

    def __init__(
        self,
        rule: Rule = STRICT,
        *,
        ca_file: str | None = None,
        shown: Shown | None = None,
        caps: Caps = CAPS,
        lookup: Lookup = system_lookup,
    ) -> None:
        """`ca_file`: the only authorities (PEM) instead of the system's; `shown`: a certificate of ours.

        Raises `NetError` TLS where one of them cannot be read.
        """
        self._rule = rule
        self._caps = caps
        self._lookup = lookup
        self._contexts = _contexts(ca_file, shown)
        self._pools: set[Pool] = set()
        self._is_closed = False

    async def get(self, url: str, headers: Headers = ()) -> Fetched:
        """What is at a URL now; raises `NetError` alone."""
        pool = self._pool(url)
        return await self._answered(pool, pool.get(_with_usual(headers)))

    async def post(self, url: str, body: bytes, headers: Headers = ()) -> Fetched:
        """The answer to one POST; raises `NetError` alone. The body's `Content-Type` is among the headers."""
        pool = self._pool(url)
        return await self._answered(pool, pool.post(_with_usual(headers), body))

    def close(self) -> None:
        """Ends what is under way with an error; further fetches are refused."""
        self._is_closed = True
        for pool in tuple(self._pools):
            pool.close()

    def _pool(self, url: str) -> Pool:
        """A pool for one exchange. One that is kept would go on with an address that has not been checked lately."""
        if self._is_closed:
            raise NetError(Trouble.SHUT, "no more is fetched", Ran.NO)
        if len(self._pools) >= self._caps.at_once:
            raise NetError(Trouble.BUSY, f"at most {self._caps.at_once} fetches at once were expected", Ran.NO)
        try:
            origin = parse_url(url)
        except UrlError as error:
            raise EgressError(str(error)) from error
        seconds = self._caps.seconds
        return Pool(
            Route(origin, self._rule, self._contexts, self._lookup),
            limits=ReaderLimits(body_bytes=self._caps.body_bytes),
            timeouts=Timeouts(connect=seconds, first_byte=seconds, idle=seconds, total=seconds),
            bounds=_ONE,
        )

    async def _answered(self, pool: Pool, exchange: Awaitable[Response]) -> Fetched:
        self._pools.add(pool)
        try:
            async with asyncio.timeout(self._caps.seconds):
                return _fetched(await exchange)
        except TimeoutError as error:
            raise NetError(Trouble.TOTAL_TIMEOUT, f"no whole answer within {self._caps.seconds:g} s", Ran.MAYBE) from error
        finally:
            self._pools.discard(pool)
            pool.close()


def json_object(fetched: Fetched, limits: JsonLimits | None = None) -> dict[str, object]:
    """The one JSON object that a body is, whatever the status; raises `NetError` GARBAGE where two readers could read it differently."""
    try:
        return parse_object(fetched.body, limits or _JSON)
    except Refused as refused:
        raise NetError(Trouble.GARBAGE, f"strict JSON was expected: {refused.detail}", Ran.MAYBE) from refused


_JSON: Final = JsonLimits(body_bytes=2**20, depth=16, nodes=20_000, string_bytes=65_536)
"""Far above any metadata or key set; the bytes have been bounded by the fetch."""


def _fetched(response: Response) -> Fetched:
    body = response.body
    if isinstance(body, Stream):
        response.forsake()
        raise NetError(Trouble.GARBAGE, "a whole document was expected, not an event stream", Ran.MAYBE)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in response.headers.items()}
    return Fetched(response.status, headers, body)


def _with_usual(headers: Headers) -> Headers:
    given = {name.lower() for name, _ in headers}
    return (*headers, *(line for name, line in _USUAL.items() if name not in given))


def _contexts(ca_file: str | None, shown: Shown | None) -> Contexts:
    """What TLS is spoken with; what is named is tried at once."""
    contexts = Renewing(ca_file, shown)
    try:
        if ca_file is not None or shown is not None:
            contexts()
    except TlsError as error:
        raise NetError(Trouble.TLS, str(error), Ran.NO) from error
    except (OSError, ssl.SSLError) as error:
        raise NetError(Trouble.TLS, f"certificates (PEM) were expected in {(ca_file or '')[:200]!r}", Ran.NO) from error
    return contexts
