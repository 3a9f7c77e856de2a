"""The answer to one request: one JSON object, or a stream of events from the moment there is something to say on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any, cast

from doorward.admission.intake import Place
from doorward.call.inbound import Left
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import Presented
from doorward.identity.challenge import Challenges
from doorward.serving.edge import Takes
from doorward.serving.port import WHOLE, Answering, Connection, Headers, Send
from doorward.serving.resume import Journal
from doorward.wire import limits, replies
from doorward.wire.jsonrpc import Request, dump
from doorward.wire.sse import KEEP_ALIVE, frame

_JSON = (b"content-type", b"application/json")
_STREAM: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_NOTHING = Takes(json=False, stream=False)


def _wait(status: int, refused: Refused) -> Headers:
    """When to try again; what is not known is a second."""
    wait = refused.extra.get("retryAfterSeconds", 1)
    return [(b"retry-after", b"%d" % wait)] if isinstance(wait, int) and status in (429, 503) else []


class Cause(Enum):
    """Why the task of a request is cancelled."""

    HANGUP = "hangup"
    """The client has gone: there is nobody to answer."""
    CLIENT = "client"
    """The client has asked for it (`notifications/cancelled`)."""
    ENDED = "ended"
    """A stream that waits for changes has nothing more to wait for: drain, its session's end, or the end of its caller's rights."""


class Asgi:
    """The `send` of an ASGI server, in the task that answers."""

    __slots__ = ("send", "task")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.task = cast("asyncio.Task[None] | None", asyncio.current_task())

    def whole(self, status: int, headers: Headers, body: bytes) -> Awaitable[None] | None:
        """See `port.Answering`."""
        return self.send({"type": WHOLE, "status": status, "headers": headers, "body": body})


class Reply:
    """What goes back on one HTTP request. Whoever writes to a stream takes turns, so that events stay whole and in order."""

    __slots__ = (
        "_is_gone",
        "_left",
        "_task",
        "_to",
        "_turn",
        "cause",
        "connection",
        "era",
        "headers",
        "journal",
        "keep",
        "place",
        "presented",
        "principal",
        "request",
        "status",
        "still",
        "takes",
    )

    def __init__(self, to: Answering, connection: Connection) -> None:
        self._to = to
        self.connection = connection
        """What it was asked on."""
        self._task: asyncio.Task[object] | None = None
        self._turn: asyncio.Lock | None = None
        self._is_gone = False
        self._left: Left = tuple
        self.cause: Cause | None = None
        self.era: Era | None = None
        self.headers: Headers = []
        """Sent with whatever is answered."""
        self.journal: Journal | None = None
        self.keep: Callable[[], tuple[Journal, bytes]] | None = None
        """Opens the journal in which a stream's events are kept (session era); gives it with the first bytes of the stream."""
        self.place: Place | None = None
        """What it holds in the door, while it is bounded by that."""
        self.presented: Presented | None = None
        """What a challenge has to answer to."""
        self.principal: Principal | None = None
        """Who asks, once that is known."""
        self.request: Request | None = None
        """What is answered, once it has been read."""
        self.status = 0
        """What was answered; 0 while nothing was."""
        self.still: Callable[[], object] | None = None
        """Raises `Refused` once the caller of a long stream has lost the right to it."""
        self.takes = _NOTHING

    def leave(self) -> None:
        """Gives back the place in the door, before its end for what has bounds of its own."""
        if self.place is not None:
            self.place.leave()

    def ended(self) -> None:
        """Nothing comes after this: gives back its place, and lets go of the call that it answered, which holds this reply too.

        Such a circle would keep all of a call until Python's collector comes, and that stops everything for tens of milliseconds.
        """
        if self.place is not None:
            self.place.leave()
        self._left = tuple

    def limited(self, left: Left) -> None:
        """Hears what is left of limits: for the head of an answer whose body does not tell it, or comes later."""
        self._left = left

    # Being cancelled

    def started(self) -> None:
        """From now on the task that makes this reply can be cancelled."""
        self._task = self._to.task

    def hung_up(self) -> None:
        """The client has gone, and with it whatever it asked for."""
        self._is_gone = True
        self.cancel(Cause.HANGUP)

    def detach(self) -> None:
        """The client has gone; what it asked for goes on, and is kept if it was being streamed."""
        self._is_gone = True

    def cancel(self, cause: Cause) -> None:
        """Cancels the task that makes this reply; the first cause stands."""
        if self.cause is None and self._task is not None:
            self.cause = cause
            self._task.cancel(cause.value)

    # One object

    async def plain(self, status: int, body: bytes, headers: Headers) -> None:
        """One whole answer, which ends the request."""
        self.status = status
        waiting = None if self._is_gone else self._to.whole(status, [*headers, *self.headers], body)
        if waiting is not None:
            await waiting

    async def deliver(self, outcome: Mapping[str, Any] | Fault) -> None:
        """The result of the request, or the error that an upstream gave."""
        assert self.request is not None
        if isinstance(outcome, Fault):
            status = replies.fault_status(outcome) if self.era is Era.EXCHANGE else 200
            waiting = self._last(status, replies.error_body(self.request.id, outcome), limits.fields(self._left()))
        else:
            waiting = self._last(200, replies.result_body(self.request.id, outcome), limits.of_result(outcome))
        if waiting is not None:
            await waiting

    async def refuse(self, refused: Refused, challenges: Callable[[], Challenges]) -> None:
        """The refusal of the request, in the shape that its reason, method and era ask for."""
        request = self.request
        # What names no request is told by its status in either era.
        rendered = replies.refusal(refused, request.method if request else "", (self.era if request else None) or Era.EXCHANGE)
        headers = [
            *self._challenge(rendered.status, refused, challenges),
            *_wait(rendered.status, refused),
            *limits.fields(refused.extra.get(limits.LIMITS_KEY) or self._left_at(refused)),
        ]
        if request is not None:
            waiting = self._last(rendered.status, replies.body(request.id, rendered.body), headers)
        else:
            assert isinstance(rendered.body, Fault)
            # An error that names no request can be told apart from another's only by its status.
            waiting = self._last(max(rendered.status, 400), replies.error_body(None, rendered.body), headers)
        if waiting is not None:
            await waiting

    def _left_at(self, refused: Refused) -> object:
        """What is left of limits where a call is refused for anything else; nothing of what the caller is not to know of."""
        return () if refused.reason is Reason.UNKNOWN_TARGET else self._left()

    def _challenge(self, status: int, refused: Refused, challenges: Callable[[], Challenges]) -> Headers:
        """What would have been a good credential, where another one would do."""
        presented, scope = self.presented, refused.extra.get("scope")
        if presented is None:
            return []
        told: tuple[str, ...] = ()
        if status == 401:
            told = challenges().unauthenticated(presented, refused)
        elif refused.reason is Reason.INSUFFICIENT_SCOPE and self.principal is not None and isinstance(scope, str):
            told = challenges().insufficient(presented, self.principal, scope)
        return [(b"www-authenticate", value.encode("ascii")) for value in told]

    def _last(self, status: int, body: bytes, headers: Headers) -> Awaitable[None] | None:
        """What ends the request; gives what has to be awaited before it has, None where it has."""
        if self.place is not None:
            self.place.keep(len(body))
        if self._turn is not None:
            return self._last_event(body)
        self.status = status
        return None if self._is_gone else self._to.whole(status, [_JSON, *headers, *self.headers], body)

    async def _last_event(self, message: bytes) -> None:
        await self.event(message)
        await self.end()

    # A stream

    async def notice(self, notice: Notice) -> None:
        """A notification on the way; dropped for a client that takes no streams. Waits while the client reads slowly."""
        if self.takes.stream and not (self._is_gone and self._turn is None):
            await self.event(dump({"jsonrpc": "2.0", "method": notice.method, "params": notice.params}))

    async def event(self, message: bytes) -> None:
        """One JSON-RPC message as an event; begins the stream if need be."""
        await self.begin()
        await self.framed(self.journal.add(message) if self.journal is not None else frame(message))

    async def begin(self) -> None:
        """Turns the answer into a stream, if it is not one yet."""
        if self._turn is not None:
            return
        self._turn = asyncio.Lock()
        self.status = 200
        first = b""
        if self.keep is not None:
            self.journal, first = self.keep()
            self.journal.reader = self
        async with self._turn:
            if self._is_gone:
                return
            await self._to.send(
                {"type": "http.response.start", "status": 200, "headers": [*_STREAM, *self.headers, *limits.fields(self._left())]}
            )
            # Also when empty: the head goes out with it, and the client knows that it is listened to.
            await self._to.send({"type": "http.response.body", "body": first, "more_body": True})

    async def framed(self, event: bytes) -> None:
        """Bytes of the stream as they are, unless its client has gone or reads it elsewhere by now."""
        assert self._turn is not None
        async with self._turn:
            if not self._is_gone and (self.journal is None or self.journal.reader is self):
                await self._to.send({"type": "http.response.body", "body": event, "more_body": True})

    async def end(self) -> None:
        """Ends the stream."""
        assert self._turn is not None
        if self.journal is not None:
            self.journal.end()
        async with self._turn:
            if not self._is_gone:
                await self._to.send({"type": "http.response.body", "body": b""})

    async def beat(self) -> None:
        """See `pulse.Waiting`: a comment; a long stream whose caller has lost the right to it ends here."""
        try:
            if self.still is not None:
                self.still()
        except Refused:
            self.cancel(Cause.ENDED)
            return
        is_answered = self.status != 0 and self._turn is None
        is_writing = self._turn is not None and self._turn.locked()
        if self.takes.stream and not (is_answered or is_writing or self._is_gone):
            await self.begin()
            await self.framed(KEEP_ALIVE)
