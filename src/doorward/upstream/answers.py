"""The answer to one POST, as JSON or as an event stream that also carries notifications on the way."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from doorward.domain.calls import Answer, Era
from doorward.domain.clipping import clipped
from doorward.net.connection import Response as HttpResponse
from doorward.net.errors import NetError, Trouble
from doorward.net.reader import media_type
from doorward.net.stream import Stream
from doorward.upstream.events import Events
from doorward.upstream.faults import broken, cut
from doorward.upstream.messages import Tongue, answer, read
from doorward.upstream.port import Notices
from doorward.upstream.relay import CHANGES, Relay
from doorward.wire.jsonrpc import Notification, Request, Response

JSON: Final = b"application/json"
MOST_REQUESTS: Final = 32
"""Requests of an upstream to us on one stream; beyond that it is talking to itself."""

Respond = Callable[[Request], Awaitable[None]]


class Asked(msgspec.Struct):
    """One request that waits for its answer."""

    number: int
    era: Era
    relay: Relay
    notices: Notices
    respond: Respond | None = None
    """How a request of the upstream is answered; None where it may not ask (exchange era)."""
    requests: int = 0


class Broken(msgspec.Struct, frozen=True):
    """A stream ended without the answer, but can be taken up again after its last event."""

    last_id: str
    retry_ms: int | None


class Answers:
    """Reads answers of one upstream."""

    __slots__ = ("_on_change", "_tongue")

    def __init__(self, tongue: Tongue, on_change: Callable[[], None]) -> None:
        self._tongue = tongue
        self._on_change = on_change

    async def of(self, response: HttpResponse, asked: Asked) -> Answer | Broken:
        """What a response of status 200 says; raises Refused or NetError."""
        if isinstance(response.body, Stream):
            return await self.streamed(response.body, asked)
        return self.whole(response, response.body, asked.number, asked.era)

    def whole(self, response: HttpResponse, body: bytes, number: int, era: Era) -> Answer:
        """The answer to a request in a body of JSON."""
        kind = response.headers.get(b"content-type", b"")
        if kind != JSON and media_type(kind) != JSON:
            raise broken(self._tongue.upstream, f"json or an event stream was expected, not {clipped(kind.decode('latin-1'), 80)!r}")
        message = read(self._tongue, body)
        if not isinstance(message, Response):
            raise broken(self._tongue.upstream, "a response was expected, not a request or notification")
        return answer(self._tongue, message, number, era, len(body))

    async def streamed(self, stream: Stream, asked: Asked, last_id: str | None = None) -> Answer | Broken:
        """The answer on an event stream, with what comes before it passed on; the stream is done with in any case."""
        events = Events(stream, self._tongue.limits.body_bytes, last_id)
        try:
            found = await self._until_answer(events, asked)
        except NetError as error:
            if error.trouble is not Trouble.CLOSED or not events.last_id:
                raise
            found = None
        finally:
            stream.abort()
        if found is not None:
            return found
        if not events.last_id or asked.era is Era.EXCHANGE:
            raise cut(self._tongue.upstream, "the stream ended without the answer")
        return Broken(events.last_id, events.retry_ms)

    async def _until_answer(self, events: Events, asked: Asked) -> Answer | None:
        while (data := await events.next()) is not None:
            match read(self._tongue, data):
                case Response() as response:
                    found = answer(self._tongue, response, asked.number, asked.era, len(data))
                    events.stream.leave()
                    return found
                case Notification() as notification:
                    await self._pass_on(notification, asked)
                case Request() as request:
                    await self._respond(request, asked)
        return None

    async def _pass_on(self, notification: Notification, asked: Asked) -> None:
        if notification.method in CHANGES:
            self._on_change()
        elif (notice := asked.relay.pick(notification)) is not None:
            await asked.notices(notice)

    async def _respond(self, request: Request, asked: Asked) -> None:
        asked.requests += 1
        if asked.respond is None or asked.requests > MOST_REQUESTS:
            raise broken(self._tongue.upstream, f"no request of the upstream was expected, such as {clipped(request.method, 40)!r}")
        await asked.respond(request)
