"""The messages on one event stream of an upstream, one after the other."""

from collections import deque

from doorward.domain.reasons import Ran
from doorward.net.errors import NetError, Trouble
from doorward.net.stream import Stream
from doorward.wire.sse import Event, OversizeError, Parser


class Events:
    """Reads a stream of server-sent events; remembers what is needed to take it up again after it broke off."""

    __slots__ = ("_parser", "_pending", "last_id", "retry_ms", "stream")

    def __init__(self, stream: Stream, event_bytes: int, last_id: str | None = None) -> None:
        self.stream = stream
        self._parser = Parser(event_bytes)
        self._pending: deque[Event] = deque()
        self.last_id = last_id
        self.retry_ms: int | None = None

    async def next(self) -> bytes | None:
        """The data of the next event that has any, None at the end; raises NetError."""
        while self._pending or await self._more():
            event = self._pending.popleft()
            self._remember(event)
            if event.data and event.type == "message":
                return event.data
        return None

    async def _more(self) -> bool:
        """Reads until at least one event is whole; False at the end."""
        while octets := await self.stream.read():
            if events := self._feed(octets):
                self._pending.extend(events)
                return True
        return False

    def _remember(self, event: Event) -> None:
        if event.id is not None:
            self.last_id = event.id
        if event.retry_ms is not None:
            self.retry_ms = event.retry_ms

    def _feed(self, octets: bytes) -> list[Event]:
        try:
            return self._parser.feed(octets)
        except OversizeError as error:
            raise NetError(Trouble.OVERSIZE, str(error), Ran.MAYBE) from error
