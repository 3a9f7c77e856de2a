"""Server-sent events as a value: bytes in, events out, whatever way the bytes were cut (WHATWG HTML, §9.2)."""

from dataclasses import dataclass

KEEP_ALIVE = b":\n\n"
"""A comment that keeps a quiet stream open; receivers ignore it (streamable-http, Sending Messages)."""

_BOM = b"\xef\xbb\xbf"


class OversizeError(ValueError):
    """An event, or a line of one, that is longer than the limit."""


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. `id` is the last event id at that moment; `retry_ms` is what this event asked for, if anything."""

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
    """Reads a stream of events incrementally; raises `OversizeError` once an event holds more than `limit_bytes`."""

    __slots__ = ("_data", "_held", "_id", "_limit", "_retry", "_size", "_skip_lf", "_started", "_type")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = b""
        self._data: list[bytes] = []
        self._size = 0
        self._type = ""
        self._id: str | None = None
        self._retry: int | None = None
        self._skip_lf = False
        self._started = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that this piece completes."""
        self._held += chunk
        if not self._started:
            if len(self._held) < len(_BOM) and _BOM.startswith(self._held):
                return []
            self._started = True
            self._held = self._held.removeprefix(_BOM)
        events: list[Event] = []
        for line in self._lines():
            event = self._line(line)
            if event is not None:
                events.append(event)
        if len(self._held) + self._size > self._limit:
            raise OversizeError(f"expected an event of at most {self._limit} bytes")
        return events

    def _lines(self) -> list[bytes]:
        """The complete lines held; a CR at the very end ends its line at once, and a LF that follows later is passed over."""
        held = self._held
        if self._skip_lf and held:
            held = held.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" not in held:
            *lines, self._held = held.split(b"\n")
            return lines
        self._skip_lf = held.endswith(b"\r")
        *lines, self._held = held.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return lines

    def _line(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatched()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data.append(value)
                self._size += len(value) + 1
                if self._size > self._limit + 1:
                    raise OversizeError(f"expected an event of at most {self._limit} bytes")
            case b"event":
                self._type = value.decode("utf-8", "replace")
            case b"id" if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
            case b"retry" if value.isdigit() and len(value) < 10:
                self._retry = int(value)
            case _:
                pass
        return None

    def _dispatched(self) -> Event | None:
        """At a blank line. An event without data is not dispatched to anybody, but one that only names an id or a retry is news to us."""
        data, kind, retry = b"\n".join(self._data), self._type, self._retry
        has_data = bool(self._data)
        self._data, self._size, self._type, self._retry = [], 0, "", None
        if not has_data and retry is None:
            return None
        return Event(data, kind or "message", self._id, retry)
