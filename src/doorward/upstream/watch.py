"""Hearing of changes: one stream that an upstream keeps open to say that a list of its has changed, taken up again when it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from doorward.domain.errors import DoorwardError
from doorward.domain.reasons import Refused
from doorward.net.connection import Timeouts
from doorward.net.stream import Stream
from doorward.upstream.backoff import Backoff
from doorward.upstream.events import Events
from doorward.upstream.messages import Tongue, read
from doorward.upstream.relay import CHANGES
from doorward.wire.jsonrpc import Notification, Request

LISTENING: Final = Timeouts(connect=3, first_byte=30, idle=3600, total=86400)
"""A stream may be quiet for long: keep-alive comments are only recommended. The refresh by time is the net below it."""
TRIES: Final = 5
"""Times a stream may fail to open before the upstream is taken to offer none; the next discovery tries anew."""

Open = Callable[[], Awaitable[Stream | None]]
"""Opens the stream, or gives None if the upstream offers none."""
Respond = Callable[[Request], Awaitable[None]]


class Watch:
    """Listens until it is refused or cancelled. `on_change` may be called more often than anything changed."""

    def __init__(self, tongue: Tongue, backoff: Backoff, on_change: Callable[[], None], respond: Respond | None) -> None:
        self._tongue = tongue
        self._backoff = backoff
        self._on_change = on_change
        self._respond = respond

    async def run(self, opened: Open) -> None:
        """Opens the stream again and again, ever more slowly while it fails; a change may have been missed each time it was not open."""
        failures = await self._tried(opened, 0)
        while failures < TRIES:
            await asyncio.sleep(self._backoff.next_seconds())
            failures = await self._tried(opened, failures)

    async def _tried(self, opened: Open, failures: int) -> int:
        """Failures in a row once it has listened again; as many as are the end of it where no stream is offered."""
        try:
            return 0 if await self._once(opened) else TRIES
        except (DoorwardError, Refused):
            return failures + 1

    async def _once(self, opened: Open) -> bool:
        """Listens as long as one stream is open; False if there is none to be had."""
        stream = await opened()
        if stream is None:
            return False
        await self._listen(stream)
        self._on_change()
        return True

    async def _listen(self, stream: Stream) -> None:
        events = Events(stream, self._tongue.limits.body_bytes)
        try:
            while (data := await events.next()) is not None:
                self._backoff.reset()
                await self._take(data)
        finally:
            stream.abort()

    async def _take(self, data: bytes) -> None:
        match read(self._tongue, data):
            case Notification(method=method) if method in CHANGES:
                self._on_change()
            case Request() as request if self._respond is not None:
                await self._respond(request)
            case _:
                return
