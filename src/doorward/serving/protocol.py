"""One HTTP/1.1 connection (RFC 9112) on httptools: held to limits and deadlines, and strict where parsers differ."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from math import inf
from typing import Any, cast

import httptools
import msgspec

from doorward.domain.errors import DoorwardError
from doorward.identity.certificate import Certificate
from doorward.serving.bounds import Limits
from doorward.serving.cycle import STATUS_LINES, Cycle
from doorward.serving.head import Head, Heads, StrictError, check
from doorward.serving.peer import certificate_of
from doorward.serving.port import BODY, App, Headers
from doorward.serving.scope import of_connection, of_request

_LOG = logging.getLogger("doorward.serving")
_HIGH_WATER_BYTES = 65_536
"""Of a body that the app has not received: at more the client is held back."""
_LEFTOVER_SECONDS = 2
"""How long the rest of a body is read that was answered without it: long enough for the client to see the answer."""


class Held(msgspec.Struct):
    """What a listener holds at the moment."""

    connections: "set[StrictProtocol]" = msgspec.field(default_factory=set)
    tasks: set[asyncio.Task[None]] = msgspec.field(default_factory=set)
    """Of requests: one may outlive its connection."""


class StrictProtocol(asyncio.Protocol):
    """A connection whose every wait has an end. Deadlines are plain numbers that the listener's sweep reads: no timer per request."""

    __slots__ = (
        "_app",
        "_caught_up",
        "_hangup",
        "_has_room",
        "_head_bytes",
        "_headers",
        "_heads",
        "_held",
        "_is_lost",
        "_is_paused",
        "_is_reading",
        "_is_reading_head",
        "_loop",
        "_parser",
        "_pipeline",
        "_scope",
        "_unread",
        "_url",
        "certificate",
        "client",
        "cycle",
        "deadline",
        "is_behind",
        "limits",
        "quiet_since",
        "transport",
        "write_deadline",
    )

    def __init__(self, app: App, held: Held, limits: Limits, has_room: Callable[[], bool]) -> None:
        self._app, self._held = app, held
        self.limits = limits
        self._has_room = has_room
        self._loop = asyncio.get_running_loop()
        self._parser: Any = httptools.HttpRequestParser(self)
        # Who says that a request is its last one gets its answer, whatever follows.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.transport: asyncio.Transport = cast(Any, None)
        self.client: tuple[str, int] | None = None
        """See `crowd.Silent`."""
        self.certificate: Certificate | None = None
        self.quiet_since = inf
        """See `crowd.Silent`."""
        self.deadline = inf
        self.write_deadline = inf
        self._unread = 0
        """Bytes that the client had not taken when the write deadline was set."""
        self._scope: dict[str, Any] = {}
        """What the scopes of all its requests say."""
        self._url = b""
        self._headers: Headers = []
        self._head_bytes = 0
        self._is_reading_head = True
        self._is_reading = False
        self._heads = Heads()
        self.cycle: Cycle | None = None
        """The request that came last."""
        self._pipeline: list[Cycle] = []
        """Requests that wait for the answer to the one before."""
        self._hangup: Callable[[], None] | None = None
        self._is_lost = False
        self._is_paused = False
        self.is_behind = False
        self._caught_up: asyncio.Event | None = None

    # What the app and the sweep ask

    def on_hangup(self, callback: Callable[[], None]) -> None:
        """See `port.Connection`."""
        if self._is_lost:
            callback()
        else:
            self._hangup = callback

    async def written(self) -> None:
        """See `port.Connection`: what the transport keeps is then less than one buffer of it."""
        if self._caught_up is not None:
            await self._caught_up.wait()

    def resume_body(self) -> None:
        """See `cycle.Owner`."""
        if self._is_paused:
            self._is_paused = False
            self.transport.resume_reading()

    def _pause_body(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    @property
    def is_silent(self) -> bool:
        """See `crowd.Silent`."""
        is_answered = self.cycle is None or (self.cycle.is_over and not self._pipeline)
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

    def shutdown(self) -> None:
        """Ends the connection, after the answer to what is being asked."""
        if self.cycle is None or self.cycle.is_over:
            self.transport.close()
        else:
            self.cycle.is_kept = False

    # Transport events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self.transport = cast("asyncio.Transport", transport)
        self._held.connections.add(self)
        self._scope = of_connection(transport, self)
        self.client = self._scope["client"]
        now = self._loop.time()
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
        self._held.connections.discard(self)
        self._pipeline.clear()
        if self.cycle is not None and not self.cycle.is_over:
            self.cycle.leave()
        self.resume_writing()
        # What holds it, and what it holds: Python's collector need not look for that.
        self._parser, self._scope = None, {}
        self._heads.forget()
        hangup, self._hangup = self._hangup, None
        if hangup is not None:
            hangup()

    def data_received(self, data: bytes) -> None:
        """Takes a request whose head is known as it is, and feeds the parser with what else comes.

        A head is cut as soon as it is over its limit, however few lines it has.
        """
        before = self.cycle
        is_between = not self._is_reading and (before is None or (before.is_over and before.is_kept))
        found = self._heads.found(data) if is_between else None
        if found is not None:
            self._take(*found)
            return
        if self._is_reading_head:
            self._head_bytes += len(data)
        refusal = self._fed(data)
        if refusal is not None:
            self._refuse(refusal.status, refusal.reason)
            self._close()
        elif is_between:
            self._note(before, data)

    def _note(self, before: Cycle | None, data: bytes) -> None:
        """Notes the head of a request, if the data were one, whole, and were more than the end of the one before."""
        if not self._is_reading and self.cycle is not None and self.cycle is not before:
            self._heads.note(self.cycle.head, data, self.limits.head_bytes)

    def _fed(self, data: bytes) -> StrictError | None:
        """Feeds the parser; gives why what was read is refused."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            return cause if isinstance(cause, StrictError) else StrictError(400, "the request is not well-formed")
        except httptools.HttpParserUpgrade:
            return StrictError(400, "the connection is not upgraded")
        if self._is_reading_head and self._head_bytes > self.limits.head_bytes:
            return StrictError(431, "the headers are too large")
        return None

    def _take(self, head: Head, headers: Headers, body: bytes) -> None:
        """Takes a whole request with a head that is known. INVARIANT: the parser stands between two requests."""
        self._head_bytes, self.deadline, again = 0, inf, head.again
        scope = None if again is not None else {**of_request(self._scope, head, headers), BODY: body}
        self.cycle = cycle = Cycle(self, head, scope)
        if again is not None:
            self._run(cycle, again(cycle, self, headers, body))
            return
        cycle.body, cycle.has_more = body, False
        self._start(cycle)

    def pause_writing(self) -> None:
        """The client reads more slowly than we write: from here on it has until the stall deadline."""
        self._stall(self._loop.time())
        self.is_behind = True
        self._caught_up = asyncio.Event()

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
        self.is_behind = False
        caught_up, self._caught_up = self._caught_up, None
        if caught_up is not None:
            caught_up.set()

    # Parser events

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        if len(self._pipeline) >= self.limits.pipelined:
            raise StrictError(400, "too many requests at once on one connection")
        self._url, self._headers = b"", []
        self._is_reading = self._is_reading_head = True
        self.deadline = self._loop.time() + self.limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line; one after the head would be a trailer, which could change what has been checked."""
        if not self._is_reading_head:
            raise StrictError(400, "trailers are not accepted")
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The whole head: refused here, or handed to the app."""
        parser, limits = self._parser, self.limits
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in self._headers)
        head = Head(parser.get_method().decode("ascii"), self._url, self._headers, parser.should_keep_alive(), expects)
        check(head, limits, parser.get_http_version(), self._head_bytes)
        if parser.should_upgrade():
            raise StrictError(400, "the connection is not upgraded")
        self._is_reading_head = False
        self._head_bytes = 0
        self.deadline = self._loop.time() + limits.body_seconds
        previous = self.cycle
        self.cycle = cycle = Cycle(self, head, of_request(self._scope, head, head.headers))
        if previous is None or previous.is_over:
            self._start(cycle)
        else:
            self._pause_body()
            self._pipeline.append(cycle)

    def on_body(self, body: bytes) -> None:
        """A piece of the body: buys time at the least rate, but not once the request has been answered without it."""
        cycle = self.cycle
        if cycle is None or cycle.is_over:
            return
        self.deadline += len(body) / self.limits.body_bytes_per_second
        cycle.add(body)
        if len(cycle.body) > _HIGH_WATER_BYTES:
            self._pause_body()

    def on_message_complete(self) -> None:
        """The request has arrived whole; from here on the wait is ours."""
        self._is_reading = False
        self._is_reading_head = True
        self.deadline = inf
        assert self.cycle is not None, "a request has a head"
        if self.cycle.is_over:
            self._rest(self.cycle.is_kept)
        else:
            self.cycle.complete()

    def on_answered(self, cycle: Cycle) -> None:
        """An answer has been written whole."""
        self._hangup = None
        if self.transport.is_closing():
            self._close()
            return
        if self._is_paused:
            self.resume_body()
        if self._is_reading and cycle is self.cycle:
            # Closing now would reset the connection, and the client might never see the answer to what it is still sending.
            self.deadline = self._loop.time() + _LEFTOVER_SECONDS
        elif cycle.is_kept and self._pipeline:
            self._start(self._pipeline.pop(0))
        else:
            self._rest(cycle.is_kept)

    def _start(self, cycle: Cycle) -> None:
        assert cycle.scope is not None, "whoever waits for its turn is told of its request"
        self._run(cycle, self._app(cycle.scope, cycle.receive, cycle.send))

    def _run(self, cycle: Cycle, answering: Coroutine[None, None, None]) -> None:
        cycle.task = task = self._loop.create_task(answering)
        self._held.tasks.add(task)
        task.add_done_callback(partial(self._done, cycle))

    def _done(self, cycle: Cycle, task: asyncio.Task[None]) -> None:
        """A request's task has ended; one that leaves it without a whole answer ends its connection."""
        cycle.task = None
        self._held.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("the app failed", exc_info=task.exception())
        if not cycle.is_over:
            self.transport.close()

    def _rest(self, keep_alive: bool) -> None:
        """Nothing is going on: waits for the next request, if there may be one."""
        if keep_alive:
            self.quiet_since = self._loop.time()
            self.deadline = self.quiet_since + self.limits.idle_seconds
        else:
            self._close()

    def _refuse(self, status: int, reason: str) -> None:
        """Writes an answer of our own, unless none is owed, or one before it has not been given whole."""
        if self.transport.is_closing() or not self._is_owed():
            return
        text = reason.encode("ascii")
        head = b"content-type: text/plain\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
        self.transport.write(STATUS_LINES[status] + head + text)

    def _is_owed(self) -> bool:
        """Whether the next bytes we write would be read as the answer to what is being received; takes it from the app then."""
        cycle = self.cycle
        if self._is_reading_head:
            return cycle is None or cycle.is_over
        if cycle is None or self._pipeline or cycle.is_begun:
            return False
        cycle.leave()
        return True

    def _close(self) -> None:
        """Closes once what was written has gone, and cuts off a client that does not read it."""
        self.deadline = self._loop.time() + self.limits.stall_seconds
        self._heads.forget()
        self.transport.close()
