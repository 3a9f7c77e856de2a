"""One HTTP/1.1 connection (RFC 9112): uvicorn's httptools protocol, held to limits and deadlines, and strict where parsers differ."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from doorward.domain.errors import DoorwardError
from doorward.identity.certificate import Certificate
from doorward.serving.peer import certificate_of
from doorward.serving.port import CONNECTION, Headers

_LOG = logging.getLogger("doorward.serving")
_LEFTOVER_SECONDS = 2
"""How long the rest of a body is read that was answered without it: long enough for the client to see the answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may cost."""

    head_bytes: int = 32_768
    headers: int = 100
    handshake_seconds: float = 5
    """From connecting to the end of the TLS handshake."""
    head_seconds: float = 5
    """From the first byte of a request (or from connecting) to the end of its headers."""
    body_seconds: float = 15
    body_bytes_per_second: float = 1024
    """A body may take `body_seconds`, and longer only while it keeps to this rate."""
    idle_seconds: float = 75
    """Between an answer and the next request."""
    stall_seconds: float = 30
    """How long a client may leave what we write unread, or take it more slowly than this:"""
    read_bytes_per_second: float = 16_384
    pipelined: int = 8
    """Requests that may wait behind the one being answered; agents send none."""


class _StrictError(Exception):
    """A request that is refused while it is being read: HTTP status and a reason for the client."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class _Cycle(RequestResponseCycle):
    """One request and its answer; an answer's head waits for its first body, so that a plain answer is one write."""

    owner: "StrictProtocol"
    head: bytes | None = None

    async def run_asgi(self, app: Any) -> None:
        """Runs the app; a request that it leaves without a whole answer ends its connection."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:  # noqa: BLE001 -- the root of a request's task: the connection ends, the listener goes on
            _LOG.exception("the app failed")
        finally:
            if not self.response_complete:
                self.transport.close()

    async def send(self, message: Any) -> None:
        """See ASGI. INVARIANT: header values come from us or from an allow list; the first line break in one ends the request."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            self.head = self._begin(message["status"], message["headers"])
            return
        body, is_last = message["body"], not message.get("more_body", False)
        if self.chunked_encoding:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if is_last else b"")
        if self.head is not None:
            body, self.head = self.head + body, None
        self.transport.write(body)
        if is_last:
            self.response_complete = True
            self.message_event.set()
            self.owner.on_answered(self)

    def _begin(self, status: int, headers: Headers) -> bytes:
        self.response_started = True
        self.waiting_for_100_continue = False
        head = b"".join([b"%b: %b\r\n" % header for header in headers])
        if head.count(b"\n") != len(headers) or head.count(b"\r") != len(headers):
            raise RuntimeError("a header value holds a line break")
        names = dict(headers)
        self.chunked_encoding = b"content-length" not in names
        if names.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            head += b"connection: close\r\n"
        return b"%b%b%b" % (STATUS_LINE[status], head, b"transfer-encoding: chunked\r\n\r\n" if self.chunked_encoding else b"\r\n")


class StrictProtocol(HttpToolsProtocol):
    """A connection whose every wait has an end. Deadlines are plain numbers that the listener's sweep reads: no timer per request."""

    def __init__(self, config: Config, server_state: ServerState, limits: Limits, has_room: Callable[[], bool]) -> None:
        super().__init__(config, server_state, {})
        self.access_log = False
        self.limits = limits
        self.quiet_since = inf
        """See `crowd.Silent`."""
        self._has_room = has_room
        self.deadline = inf
        self.write_deadline = inf
        self._unread = 0
        """Bytes that the client had not taken when the write deadline was set."""
        self._head_bytes = 0
        self._is_reading_head = True
        self._is_reading = False
        self._hangup: Callable[[], None] | None = None
        self._is_lost = False
        self.certificate: Certificate | None = None

    # What the app and the sweep ask

    def on_hangup(self, callback: Callable[[], None]) -> None:
        """See `port.Connection`."""
        if self._is_lost:
            callback()
        else:
            self._hangup = callback

    async def written(self) -> None:
        """See `port.Connection`: what the transport keeps is then less than one buffer of it."""
        if self.flow.write_paused and not self._is_lost:
            await self.flow.drain()

    @property
    def is_silent(self) -> bool:
        """See `crowd.Silent`."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        is_answered = cycle is None or (cycle.response_complete and not self.pipeline)
        return is_answered and self.quiet_since < inf and not self.transport.get_write_buffer_size()

    def expire(self, now: float) -> None:
        """Ends the connection if its client has let a deadline pass; `now` in loop time."""
        if now < self.deadline and now < self.write_deadline:
            return
        if self.transport.is_closing() or now >= self.write_deadline:
            self._end_unless_taking(now)
            return
        if self._is_reading:
            self._refuse(408, "the request did not arrive in time")
        self._close()

    # Transport events

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        now = self.loop.time()
        self.deadline = now + self.limits.head_seconds
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self._meet(secured)
        if not self._has_room():
            self._refuse(503, "too many connections")
            self._close()
        # Only now, so that it is not what makes room for itself.
        self.quiet_since = now

    def _meet(self, secured: ssl.SSLObject) -> None:
        """Reads the client's certificate, once for all requests."""
        try:
            self.certificate = certificate_of(secured)
        except DoorwardError as error:
            # Cut off without a word of TLS: OpenSSL then forgets the session, and the client's next try is a whole handshake.
            _LOG.info("a connection is refused: %s", error)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or we have closed."""
        self._is_lost = True
        self.pipeline.clear()
        super().connection_lost(exc)
        hangup, self._hangup = self._hangup, None
        if hangup is not None:
            hangup()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; a head is cut as soon as it is over its limit, however few lines it has."""
        if self._is_reading_head:
            self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            strict = cause if isinstance(cause, _StrictError) else _StrictError(400, "the request is not well-formed")
            self._refuse(strict.status, strict.reason)
            self._close()
            return
        except httptools.HttpParserUpgrade:
            self._refuse(400, "the connection is not upgraded")
            self._close()
            return
        if self._is_reading_head and self._head_bytes > self.limits.head_bytes:
            self._refuse(431, "the headers are too large")
            self._close()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write: from here on it has until the stall deadline."""
        self._stall(self.loop.time())
        super().pause_writing()

    def _stall(self, now: float) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self.write_deadline = now + self.limits.stall_seconds

    def _end_unless_taking(self, now: float) -> None:
        """Cuts off a client that has not taken what it must of what it had not read when its deadline was set."""
        taken = self._unread - self.transport.get_write_buffer_size()
        if taken < self.limits.stall_seconds * self.limits.read_bytes_per_second:
            self.transport.abort()
            return
        self._stall(now)
        self.deadline = max(self.deadline, self.write_deadline)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.write_deadline = inf
        super().resume_writing()

    # Parser events

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if len(self.pipeline) >= self.limits.pipelined:
            raise _StrictError(400, "too many requests at once on one connection")
        self.url = b""
        self.headers = []
        scope: Any = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "root_path": "",
            "headers": self.headers,
            CONNECTION: self,
        }
        self.scope = scope
        self._is_reading = self._is_reading_head = True
        self.deadline = self.loop.time() + self.limits.head_seconds

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line; one after the head would be a trailer, which could change what has been checked."""
        if not self._is_reading_head:
            raise _StrictError(400, "trailers are not accepted")
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The whole head: refused here, or handed to the app."""
        fields = dict(self.headers)
        self._check_head(fields)
        self._is_reading_head = False
        self._head_bytes = 0
        self.deadline = self.loop.time() + self.limits.body_seconds
        path, _, query = self.url.partition(b"?")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["raw_path"] = path
        self.scope["path"] = path.decode("latin-1")
        self.scope["query_string"] = query
        previous = cast("RequestResponseCycle | None", self.cycle)
        self.cycle = _Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=[],
            message_event=asyncio.Event(),
            expect_100_continue=fields.get(b"expect", b"").lower() == b"100-continue",
            keep_alive=self.parser.should_keep_alive(),
            on_response=_nothing,
        )
        self.cycle.owner = self
        if previous is None or previous.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """A piece of the body: buys time at the least rate, but not once the request has been answered without it."""
        if not self.cycle.response_complete:
            self.deadline += len(body) / self.limits.body_bytes_per_second
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has arrived whole; from here on the wait is ours."""
        self._is_reading = False
        self._is_reading_head = True
        self.deadline = inf
        if self.cycle.response_complete:
            self._rest(self.cycle.keep_alive)
        super().on_message_complete()

    def on_answered(self, cycle: RequestResponseCycle) -> None:
        """An answer has been written whole."""
        self.server_state.total_requests += 1
        self._hangup = None
        if self.transport.is_closing():
            self._close()
            return
        self.flow.resume_reading()
        if self._is_reading and cycle is self.cycle:
            # Closing now would reset the connection, and the client might never see the answer to what it is still sending.
            self.deadline = self.loop.time() + _LEFTOVER_SECONDS
        elif cycle.keep_alive and self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._rest(cycle.keep_alive)

    def _rest(self, keep_alive: bool) -> None:
        """Nothing is going on: waits for the next request, if there may be one."""
        if keep_alive:
            self.quiet_since = self.loop.time()
            self.deadline = self.quiet_since + self.limits.idle_seconds
        else:
            self._close()

    def _check_head(self, fields: dict[bytes, bytes]) -> None:
        head, limits = self.headers, self.limits
        if len(head) > limits.headers:
            raise _StrictError(431, "there are too many headers")
        if self._head_bytes > limits.head_bytes and _size(self.url, head) > limits.head_bytes:
            raise _StrictError(431, "the headers are too large")
        if self.parser.get_http_version() != "1.1":
            raise _StrictError(505, "only version 1.1 is spoken here")
        if b"host" not in fields or (len(fields) != len(head) and sum(name == b"host" for name, _ in head) != 1):
            raise _StrictError(400, "exactly one Host header is expected")
        if not self.url.startswith(b"/"):
            raise _StrictError(400, "the request target must be a path")
        if self.parser.get_method() == b"HEAD":
            raise _StrictError(405, "HEAD is not answered here")
        if self.parser.should_upgrade():
            raise _StrictError(400, "the connection is not upgraded")

    def _refuse(self, status: int, reason: str) -> None:
        """Writes an answer of our own, unless none is owed, or one before it has not been given whole."""
        if self.transport.is_closing() or not self._is_owed():
            return
        text = reason.encode("ascii")
        head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINE[status] + head + text)

    def _is_owed(self) -> bool:
        """Whether the next bytes we write would be read as the answer to what is being received; takes it from the app then."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if self._is_reading_head:
            return cycle is None or cycle.response_complete
        if cycle is None or self.pipeline or cycle.response_started:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _close(self) -> None:
        """Closes once what was written has gone, and cuts off a client that does not read it."""
        self.deadline = self.loop.time() + self.limits.stall_seconds
        self.transport.close()


def _size(url: bytes, head: list[tuple[bytes, bytes]]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in head)


def _nothing() -> None:
    """What uvicorn's own cycle would call at the end; ours calls its owner."""


_ASGI: Any = {"version": "3.0", "spec_version": "2.3"}
