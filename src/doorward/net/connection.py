"""One kept connection to an upstream: at most one exchange at a time, one deadline, one write per request."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

import msgspec

from doorward.domain.reasons import Ran
from doorward.net.deadline import NEVER, Deadline
from doorward.net.errors import NetError, Trouble
from doorward.net.reader import Limits, Reader, Stage
from doorward.net.stream import Stream


class Timeouts(msgspec.Struct, frozen=True):
    """How long each part of an exchange may take, in seconds."""

    connect: float = 3
    """From asking for a connection to having one: look-up, TCP and TLS."""
    first_byte: float = 60
    idle: float = 60
    """Between two pieces of an answer; not while we hold the sender back ourselves."""
    total: float = 600


TIMEOUTS: Final = Timeouts()
_DONE: Final = Stage.DONE


@dataclass(slots=True)
class Response:
    """An answer: its body whole, or as a stream when it is an event stream. (Not frozen: one is made on each call.)"""

    status: int
    headers: Mapping[bytes, bytes] = field(repr=False)
    """Names in lower case; repeated ones joined by comma and space."""
    body: bytes | Stream = field(repr=False)

    def forsake(self) -> None:
        """Nobody reads it: a stream is dropped with its connection."""
        if isinstance(self.body, Stream):
            self.body.abort()


REST_BYTES: Final = 64 * 1024
"""How much of an unread body is taken in to keep its connection; more is dearer than a new connection."""
REST_SECONDS: Final = 1.0


class Connection(asyncio.Protocol):
    """A transport and its reader. `on_idle` is called when it may carry another exchange, `on_lost` once when it is gone."""

    __slots__ = (
        "_answer",
        "_born",
        "_clock",
        "_deadline",
        "_new_future",
        "_on_idle",
        "_on_lost",
        "_reader",
        "_rest",
        "_stream",
        "_timeouts",
        "_total_at",
        "_transport",
        "is_open",
    )

    def __init__(
        self,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        on_idle: "Callable[[Connection], None]",
        on_lost: "Callable[[Connection], None]",
    ) -> None:
        self._new_future = loop.create_future
        self._clock = loop.time
        self._reader = Reader(limits)
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._stream: Stream | None = None
        self._timeouts = TIMEOUTS
        self._deadline = Deadline(loop, self._on_late)
        self._total_at = NEVER
        self._rest = 0
        """Bytes of an unread body that may still come; 0 while somebody reads."""
        self._born = self._clock()
        self.is_open = False

    def is_usable(self) -> bool:
        """Whether a request may be written to it now."""
        return self.is_open and self._answer is None and self._transport is not None and not self._transport.is_closing()

    # What the pool calls.

    def send(self, request: bytes, timeouts: Timeouts) -> asyncio.Future[Response]:
        """Writes a request; the future gives its response or a NetError. Whoever stops waiting for it must say so with `forsake`."""
        assert self._transport is not None
        assert self._answer is None
        answer: asyncio.Future[Response] = self._new_future()
        self._answer = answer
        self._timeouts = timeouts
        self._reader.begin()
        now = self._clock()
        self._total_at = now + timeouts.total
        self._deadline.move(min(now + timeouts.first_byte, self._total_at))
        self._transport.write(request)
        return answer

    def forsake(self, answer: asyncio.Future[Response]) -> None:
        """Nobody wants this answer. INVARIANT: if it came at the same time, the connection may be another's by now and is left alone."""
        if self._answer is answer:
            self.abort()
        elif answer.done() and not answer.cancelled() and answer.exception() is None:
            answer.result().forsake()

    def keep(self, idle_seconds: float, age_seconds: float) -> bool:
        """Keeps it idle for a while, unless it is too old to be kept: then False."""
        now = self._clock()
        self._deadline.move(now + idle_seconds)
        return now - self._born <= age_seconds

    # What a stream calls.

    def pause(self) -> None:
        """Holds the sender back; the idle deadline rests meanwhile."""
        if self._transport is not None and self.is_open:
            self._transport.pause_reading()
            self._deadline.move(self._total_at)

    def resume(self) -> None:
        """Takes bytes again."""
        if self._transport is not None and self.is_open:
            self._transport.resume_reading()
            self._deadline.move(min(self._clock() + self._timeouts.idle, self._total_at))

    def leave(self) -> None:
        """Takes in the rest of a body that nobody reads, if it is short and quick."""
        self._stream = None
        self._rest = REST_BYTES
        self._deadline.move(self._clock() + REST_SECONDS)
        self.resume_quietly()

    def resume_quietly(self) -> None:
        """Takes bytes again without moving the deadline."""
        if self._transport is not None and self.is_open:
            self._transport.resume_reading()

    def abort(self) -> None:
        """Drops the connection; whoever waits for its answer is told."""
        self._fail(NetError(Trouble.CLOSED, "the connection was dropped", Ran.MAYBE))

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands (with TLS: its handshake is done)."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Bytes of the response that is due; any others are a reason to drop the connection."""
        reader = self._reader
        body = reader.whole(data)
        if body is not None:
            answer, self._answer = self._answer, None
            if answer is not None and not answer.done():
                answer.set_result(Response(reader.status, reader.headers, body))
            self._give_back()
            return
        try:
            reader.feed(data)
        except NetError as error:
            self._fail(error)
            return
        if reader.stage is _DONE:
            self._finish()
        elif self._rest:
            self._skip()
        else:
            self._progress()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side ended the connection, or it broke."""
        if exc is None and self.is_open and self._reader.end() and (self._answer or self._stream):
            self._finish()
        self._fail(NetError(Trouble.CLOSED, "the connection ended before the answer did", Ran.MAYBE))

    # What follows from it.

    def _progress(self) -> None:
        """A part of the response is there."""
        reader = self._reader
        if reader.is_stream and reader.stage is Stage.BODY:
            self._hand_over_stream()
        self._deadline.move(min(self._clock() + self._timeouts.idle, self._total_at))
        if self._stream is not None and reader.chunks:
            self._feed_stream(self._stream)

    def _hand_over_stream(self) -> None:
        answer = self._answer
        if answer is not None and not answer.done():
            self._answer = None
            self._stream = Stream(self)
            answer.set_result(Response(self._reader.status, self._reader.headers, self._stream))

    def _feed_stream(self, stream: Stream) -> None:
        reader = self._reader
        chunks, size = reader.chunks, reader.size
        reader.chunks, reader.size = [], 0
        stream.add(chunks, size)

    def _skip(self) -> None:
        reader = self._reader
        self._rest -= reader.size
        reader.chunks, reader.size = [], 0
        if self._rest <= 0:
            self.abort()

    def _finish(self) -> None:
        """The response is whole: hand it over, and the connection back."""
        reader = self._reader
        if reader.is_stream and not self._rest:
            self._hand_over_stream()
        self._rest = 0
        reader.stage = Stage.IDLE
        answer, stream = self._answer, self._stream
        self._answer = self._stream = None
        if answer is not None and not answer.done():
            chunks = reader.chunks
            answer.set_result(Response(reader.status, reader.headers, chunks[0] if len(chunks) == 1 else b"".join(chunks)))
        elif stream is not None:
            self._feed_stream(stream)
            stream.end()
        self._give_back()

    def _give_back(self) -> None:
        transport = self._transport
        if transport is None or not self.is_open:
            return
        if not self._reader.is_kept or transport.is_closing() or transport.get_write_buffer_size():
            self._fail(NetError(Trouble.CLOSED, "the connection is at its end", Ran.MAYBE))
            return
        self._on_idle(self)

    def _fail(self, error: NetError) -> None:
        """Ends everything: the waiting answer or stream gets the error, the pool learns that the connection is gone."""
        if not self.is_open:
            return
        self.is_open = False
        self._deadline.stop()
        if self._transport is not None:
            self._transport.abort()
        answer, stream = self._answer, self._stream
        self._answer = self._stream = None
        if answer is not None and not answer.done():
            answer.set_exception(error)
        if stream is not None:
            stream.fail(error)
        self._on_lost(self)

    def _on_late(self) -> None:
        self._fail(self._lateness())

    def _lateness(self) -> NetError:
        reader = self._reader
        if self._deadline.when >= self._total_at:
            return NetError(Trouble.TOTAL_TIMEOUT, f"no whole answer within {self._timeouts.total:g} s", Ran.MAYBE)
        if reader.stage is Stage.HEAD and not reader.has_begun:
            return NetError(Trouble.FIRST_BYTE_TIMEOUT, f"no answer within {self._timeouts.first_byte:g} s", Ran.MAYBE)
        return NetError(Trouble.IDLE_TIMEOUT, f"nothing further came within {self._timeouts.idle:g} s", Ran.MAYBE)
