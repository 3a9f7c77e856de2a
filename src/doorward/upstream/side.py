"""Progress beside the answer: some session-era servers send it on the stream that belongs to no request, which is opened when it is wanted."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from doorward.domain.reasons import Refused
from doorward.net.connection import Timeouts
from doorward.net.errors import NetError
from doorward.net.stream import Stream
from doorward.upstream.answers import Asked
from doorward.upstream.events import Events
from doorward.upstream.messages import Tongue, read
from doorward.upstream.relay import CHANGES
from doorward.upstream.tasks import Tasks
from doorward.wire.jsonrpc import Notification, Request

SIDE: Final = Timeouts(connect=1, first_byte=1, idle=3600, total=86400)
"""A server that does not begin the stream at once is done without: the call is waiting."""
STREAMS: Final = 32
"""Such streams of one upstream: each holds a connection, and calls come first. Sessions beyond that do without."""


class Side(msgspec.Struct):
    """What one session hears beside its answers."""

    asked: dict[int, Asked] = msgspec.field(default_factory=dict)
    is_tried: bool = False
    """The stream is open, or the server offers none."""
    delivery: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    delivering: int = 0
    """The request whose caller is being told something right now."""


class SideStreams(msgspec.Struct):
    """Listens on behalf of calls that want progress. `respond` answers the requests of the server."""

    tongue: Tongue
    tasks: Tasks
    on_change: Callable[[], None]
    listening: int = 0

    async def attend(
        self, side: Side, asked: Asked, opened: Callable[[], Awaitable[Stream | None]], respond: Callable[[Request], Awaitable[None]]
    ) -> None:
        """From now on progress with this request's token reaches its caller, also when it comes on the other stream."""
        side.asked[asked.number] = asked
        if side.is_tried or self.listening >= STREAMS:
            return
        side.is_tried = True
        try:
            stream = await opened()
        except NetError:
            return
        if stream is None:
            return
        self.listening += 1
        if self.tasks.spawn(self._listen(side, stream, respond)) is None:
            self._stop(stream)

    async def dismiss(self, side: Side, number: int) -> None:
        """The request has ended: once this returns, nothing of it reaches its caller any more."""
        if side.asked.pop(number, None) is not None and side.delivering == number:
            async with side.delivery:
                return

    def forsake(self, side: Side, number: int) -> None:
        """The caller has gone: nothing further is begun for it, and nothing waited for."""
        side.asked.pop(number, None)

    async def _listen(self, side: Side, stream: Stream, respond: Callable[[Request], Awaitable[None]]) -> None:
        try:
            await self._take_all(side, Events(stream, self.tongue.limits.body_bytes), respond)
        except (NetError, Refused):
            return  # progress is a courtesy: the calls go on without
        finally:
            side.is_tried = False
            self._stop(stream)

    async def _take_all(self, side: Side, events: Events, respond: Callable[[Request], Awaitable[None]]) -> None:
        while (data := await events.next()) is not None:
            match read(self.tongue, data):
                case Notification(method=method) if method in CHANGES:
                    self.on_change()
                case Notification() as notification:
                    await self._deliver(side, notification)
                case Request() as request:
                    await respond(request)
                case _:
                    pass

    async def _deliver(self, side: Side, notification: Notification) -> None:
        token = notification.params.get("progressToken")
        async with side.delivery:
            asked = side.asked.get(token) if type(token) is int else None
            notice = asked.relay.progress(notification) if asked is not None else None
            if asked is None or notice is None:
                return
            side.delivering = asked.number
            try:
                await asked.notices(notice)
            finally:
                side.delivering = 0

    def _stop(self, stream: Stream) -> None:
        self.listening -= 1
        stream.abort()
