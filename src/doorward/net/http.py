"""The HTTP/1.1 client of one upstream: kept connections, one write a request, no redirects, no decompression, no proxies."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Final

import msgspec

from doorward.domain.reasons import Ran
from doorward.net.addresses import STRICT, Rule
from doorward.net.connection import TIMEOUTS, Connection, Response, Timeouts
from doorward.net.egress import Lookup, resolve, system_lookup
from doorward.net.errors import NetError, Trouble
from doorward.net.reader import LIMITS, Limits
from doorward.net.tls import Contexts, Renewing, TlsError
from doorward.net.urls import Origin

Headers = Sequence[tuple[str, str]]


class Bounds(msgspec.Struct, frozen=True):
    """How many connections one upstream gets, and how long they are kept."""

    connections: int = 256
    waiting: int = 1024
    """Requests in line for a connection; as many as the gateway admits at all."""
    idle: int = 256
    """As many as there may be: answers that come together free many connections for a moment, which the next requests would open anew."""
    idle_seconds: float = 4.0
    """Below the five seconds after which the usual servers close: a request should not cross with their goodbye."""
    age_seconds: float = 300.0
    """A busy connection is renewed after this time, so that a changed address is noticed."""


BOUNDS: Final = Bounds()


class Route(msgspec.Struct, frozen=True):
    """Where a pool leads and what it insists on."""

    origin: Origin
    rule: Rule = STRICT
    contexts: Contexts | None = None
    """For https, asked for each new connection; None makes one that trusts the system's authorities, when first needed."""
    lookup: Lookup = system_lookup


class Pool:
    """Connections to one upstream. Every method belongs to the event loop the pool is used on."""

    def __init__(
        self,
        route: Route,
        fixed: Headers = (),
        *,
        limits: Limits = LIMITS,
        timeouts: Timeouts = TIMEOUTS,
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._route = route
        self._limits = limits
        self._timeouts = timeouts
        self._bounds = bounds
        self._contexts = route.contexts or Renewing()
        self._fixed = f" {route.origin.target} HTTP/1.1\r\nHost: {route.origin.authority}\r\n{lines(fixed)}"
        self._idle: dict[Connection, None] = {}
        self._open: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._is_closed = False

    def post(self, headers: Headers, body: bytes, timeouts: Timeouts | None = None) -> Coroutine[None, None, Response]:
        """Sends one POST and gives its answer, whatever its status; raises NetError. Cancelling it drops the connection."""
        return self.post_after(self.head(lines(headers)), body, timeouts)

    def head(self, checked: str) -> bytes:
        """How a POST begins that has these headers, as `lines` gives them: all but its length, whatever its body."""
        return f"POST{self._fixed}{checked}".encode("ascii")

    def post_after(self, head: bytes, body: bytes, timeouts: Timeouts | None = None) -> Coroutine[None, None, Response]:
        """As `post`, where it begins with what `head` has given."""
        return self._exchange(b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body), timeouts or self._timeouts)

    def get(self, headers: Headers, timeouts: Timeouts | None = None) -> Coroutine[None, None, Response]:
        """Sends one GET, as `post` does."""
        return self._exchange(f"GET{self._fixed}{lines(headers)}\r\n".encode("ascii"), timeouts or self._timeouts)

    def delete(self, headers: Headers, timeouts: Timeouts | None = None) -> Coroutine[None, None, Response]:
        """Sends one DELETE, as `post` does."""
        return self._exchange(f"DELETE{self._fixed}{lines(headers)}\r\n".encode("ascii"), timeouts or self._timeouts)

    def close(self) -> None:
        """Drops every connection; exchanges under way end with an error, further ones are refused."""
        self._is_closed = True
        for connection in tuple(self._open):
            connection.abort()
        while self._waiting:
            self._grant(None)

    def renew(self) -> None:
        """Drops the connections that are idle: what they were made with has changed. Exchanges under way go on."""
        for connection in tuple(self._idle):
            connection.abort()

    @property
    def size(self) -> int:
        """Connections that stand, idle ones included."""
        return len(self._open)

    async def _exchange(self, request: bytes, timeouts: Timeouts) -> Response:
        connection = self._kept() or await self._connection(timeouts.connect)
        answer = connection.send(request, timeouts)
        try:
            return await answer
        except asyncio.CancelledError:
            connection.forsake(answer)
            raise

    def _kept(self) -> Connection | None:
        """The idle connection used last, if one is left that has not ended: nothing has been written to those that are passed over."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_usable():
                return connection
            connection.abort()
        return None

    async def _connection(self, seconds: float) -> Connection:
        """A connection that was free or is new; raises NetError with nothing sent."""
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                given = await self._free_or_room()
        except TimeoutError as error:
            # Ours alone: the other side may be well, and at work on what others have sent.
            raise NetError(Trouble.BUSY, f"every connection was taken for {seconds:g} s", Ran.NO) from error
        if given is not None:
            return given
        try:
            async with asyncio.timeout_at(deadline):
                return await self._new()
        except TimeoutError as error:
            raise NetError(Trouble.CONNECT_TIMEOUT, f"no connection within {seconds:g} s", Ran.NO) from error

    async def _free_or_room(self) -> Connection | None:
        """A connection that is free, or None where there is room for a new one, which has to be made before anything is awaited."""
        while len(self._open) + self._opening >= self._bounds.connections:
            given = await self._wait()
            if given is not None and given.is_usable():
                return given
        return None

    async def _new(self) -> Connection:
        if self._is_closed:
            raise NetError(Trouble.SHUT, "the pool is closed", Ran.NO)
        self._opening += 1
        try:
            return await self._connect()
        finally:
            self._opening -= 1
            self._grant_room()

    async def _wait(self) -> Connection | None:
        """Waits in line for a connection, or for the room to make one (None)."""
        if len(self._waiting) >= self._bounds.waiting:
            raise NetError(Trouble.BUSY, "every connection is taken and the line is full", Ran.NO)
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            self._return(turn)
            raise

    def _return(self, turn: "asyncio.Future[Connection | None]") -> None:
        """Somebody left the line; what was already given to them goes to the next."""
        given = turn.result() if turn.done() and not turn.cancelled() else None
        if given is not None:
            self._on_idle(given)
        self._grant_room()

    def _grant(self, given: Connection | None) -> bool:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(given)
                return True
        return False

    def _grant_room(self) -> None:
        if len(self._open) + self._opening < self._bounds.connections:
            self._grant(None)

    async def _connect(self) -> Connection:
        route = self._route
        addresses = await resolve(route.origin, route.rule, route.lookup)
        failure: NetError | None = None
        for address in addresses:
            try:
                return await self._connect_to(address)
            except ssl.SSLError as error:
                failure = _caused(NetError(Trouble.TLS, f"no TLS connection: {_of_tls(error)}", Ran.NO), error)
            except OSError as error:
                reason = error.strerror or "no connection"
                failure = _caused(NetError(Trouble.UNREACHABLE, f"no connection: {reason.lower()}", Ran.NO), error)
        assert failure is not None
        raise failure

    async def _connect_to(self, address: str) -> Connection:
        """Connects to an address that was checked. INVARIANT: the flags forbid a look-up of any kind."""
        loop = asyncio.get_running_loop()
        origin = self._route.origin
        is_tls = origin.scheme == "https"
        _, connection = await loop.create_connection(
            lambda: Connection(self._limits, loop, self._on_idle, self._on_lost),
            address,
            origin.port,
            ssl=self._context() if is_tls else None,
            server_hostname=origin.host if is_tls else None,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        if not connection.is_open:
            raise ConnectionResetError
        self._open.add(connection)
        return connection

    def _context(self) -> ssl.SSLContext:
        try:
            return self._contexts()
        except (OSError, TlsError) as error:
            raise NetError(Trouble.TLS, f"what TLS is spoken with cannot be used: {error}", Ran.NO) from error

    # What connections call.

    def _on_idle(self, connection: Connection) -> None:
        bounds = self._bounds
        if not connection.keep(bounds.idle_seconds, bounds.age_seconds) or self._is_closed:
            connection.abort()
        elif self._waiting and self._grant(connection):
            return
        elif len(self._idle) >= bounds.idle:
            connection.abort()
        else:
            self._idle[connection] = None

    def _on_lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)
        self._grant_room()


def lines(headers: Headers) -> str:
    """Headers as text. INVARIANT: values are visible ASCII, space and tab, so that none can end its line and begin another."""
    good = [f"{name}: {value}\r\n" for name, value in headers if value.isprintable() or value.replace("\t", "").isprintable()]
    text = "".join(good)
    if len(good) != len(headers) or not text.isascii():
        raise NetError(Trouble.REQUEST, "header values of visible ASCII were expected", Ran.NO)
    return text


def _caused(error: NetError, cause: Exception) -> NetError:
    error.__cause__ = cause
    return error


def _of_tls(error: ssl.SSLError) -> str:
    detail = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
    return str(detail or "handshake failed").lower()
