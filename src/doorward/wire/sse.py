"""Server-sent events as a value: bytes in, events out, whatever way the bytes were cut (WHATWG HTML, §9.2).

An event is held in pieces until its line ends, so that a large one costs no more for arriving in many small ones.
"""

import msgspec

KEEP_ALIVE = b":\n\n"
"""A comment that keeps a quiet stream open; receivers ignore it (streamable-http, Sending Messages)."""

_BOM = b"\xef\xbb\xbf"
_RETRY_DIGITS = 9


class OversizeError(ValueError):
    """An event, or a line of one, that is longer than the limit."""


class Event(msgspec.Struct, frozen=True):
    """One event. `id` is the last event id at that moment; `retry_ms` is what this event asked for, if anything.

    An event that holds no data line, but an id or a retry, has empty data: a browser would not dispatch it, but take note of both.
    """

    data: bytes
    type: str = "message"
    id: str | None = None
    retry_ms: int | None = None


def frame(data: bytes, event_id: str | None = None) -> bytes:
    """The bytes of one event. `data` must hold no line break: JSON as we print it never does."""
    if b"\n" in data or b"\r" in data:
        raise ValueError("expected data without line breaks")
    head = b"" if event_id is None else b"id: " + event_id.encode() + b"\n"
    return head + b"data: " + data + b"\n\n"


class Parser:
    """Reads a stream of events incrementally; raises `OversizeError` once the fields of an event hold more than `limit_bytes`."""

    __slots__ = ("_data", "_held", "_held_bytes", "_id", "_is_news", "_limit", "_retry", "_size", "_skip_lf", "_started", "_type")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held: list[bytes] = []
        """Pieces of the line that has not ended."""
        self._held_bytes = 0
        self._data: list[bytes] = []
        self._size = 0
        """Bytes of the fields of the event that has not ended."""
        self._type = ""
        self._id: str | None = None
        self._retry: int | None = None
        self._is_news = False
        self._skip_lf = False
        self._started = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that this piece completes."""
        if self._skip_lf and chunk:
            chunk, self._skip_lf = chunk.removeprefix(b"\n"), False
        if b"\n" not in chunk and b"\r" not in chunk:
            self._hold(chunk)
            return []
        # Only these three end a line here, unlike those of a text.
        lines = chunk.splitlines()
        last = b"" if chunk.endswith((b"\n", b"\r")) else lines.pop()
        if self._held:
            lines[0] = b"".join((*self._held, lines[0]))
            self._held, self._held_bytes = [], 0
        if not self._started:
            self._started, lines[0] = True, lines[0].removeprefix(_BOM)
        self._skip_lf = chunk.endswith(b"\r")
        events = [event for line in lines if (event := self._line(line)) is not None]
        self._hold(last)
        return events

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._held_bytes += len(piece)
            self._check(self._held_bytes - len(b"data: "))

    def _check(self, more_bytes: int) -> None:
        if self._size + more_bytes > self._limit:
            raise OversizeError(f"expected an event of at most {self._limit} bytes")

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._ended()
        colon = line.find(b":") % (len(line) + 1)  # without one, the whole line is a name
        name, value = line[:colon], line[colon + 1 + line.startswith(b" ", colon + 1) :]
        self._check(len(value))
        self._size += len(value) if name else 0  # comments are not kept, a quiet stream may send any number of them
        match name:
            case b"data":
                self._data.append(value)
            case b"event":
                self._type = value.decode("utf-8", "replace")
            case b"id" if b"\0" not in value:
                self._id, self._is_news = value.decode("utf-8", "replace"), True
            case b"retry" if value.isdigit() and len(value) <= _RETRY_DIGITS:
                self._retry, self._is_news = int(value), True
            case _:
                pass
        return None

    def _ended(self) -> Event | None:
        """What a blank line ends: an event, or nothing if it says nothing."""
        event = Event(b"\n".join(self._data), self._type or "message", self._id, self._retry) if self._data or self._is_news else None
        self._data, self._size, self._type, self._retry, self._is_news = [], 0, "", None, False
        return event
