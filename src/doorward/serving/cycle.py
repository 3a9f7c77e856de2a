"""One request on a connection and its answer, in the words of ASGI; an answer's head waits for its first body, so that a plain one is one write."""

import asyncio
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Protocol

from doorward.serving.head import Head
from doorward.serving.port import WHOLE, Headers, Scope

STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}
_CLOSE = (b"connection", b"close")
_JSON: Headers = [(b"content-type", b"application/json")]
_JSON_LINE = b"content-type: application/json\r\n"
"""Headers of nearly every answer, and the line that they are."""


class Owner(Protocol):
    """The connection that a request came on."""

    transport: asyncio.Transport
    is_behind: bool

    async def written(self) -> None:
        """Returns once the client has caught up, or has gone."""
        ...

    def resume_body(self) -> None:
        """Takes more of the body that is being received."""
        ...

    def on_answered(self, cycle: "Cycle") -> None:
        """An answer has been written whole."""
        ...


class Cycle:
    """One request and its answer."""

    __slots__ = (
        "_expects",
        "_head",
        "_is_chunked",
        "_is_told",
        "_owner",
        "_waiter",
        "body",
        "has_more",
        "head",
        "is_begun",
        "is_gone",
        "is_kept",
        "is_over",
        "scope",
        "task",
    )

    def __init__(self, owner: Owner, head: Head, scope: Scope | None) -> None:
        self._owner = owner
        self.head = head
        self.scope = scope
        """What the app is told of the request; None where it answers a head that it knows."""
        self.task: asyncio.Task[None] | None = None
        """See `port.Answering`."""
        self.body: bytes | bytearray = b""
        """What has come of the body and was not received yet."""
        self.has_more = True
        self.is_kept = head.is_kept
        """Whether another request may follow this one."""
        self._expects = head.expects
        self._head: bytes | None = None
        self._is_chunked = False
        self._is_told = False
        """Whether the app has received the end of the body."""
        self._waiter: asyncio.Future[None] | None = None
        self.is_begun = self.is_over = self.is_gone = False
        """Whether its answer has been begun, and ended, and whether there is nobody any more to answer."""

    # What comes

    def add(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if not self.body:
            self.body = piece
        elif isinstance(self.body, bytearray):
            self.body += piece
        else:
            self.body = bytearray(self.body) + piece
        self._wake()

    def complete(self) -> None:
        """The body has come whole."""
        self.has_more = False
        self._wake()

    def leave(self) -> None:
        """There is nobody any more to answer."""
        self.is_gone = True
        self._wake()

    async def receive(self) -> Any:
        """See ASGI."""
        if self._expects and not self._owner.transport.is_closing():
            self._owner.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._expects = False
        while not (self.is_gone or self.is_over):
            self._owner.resume_body()
            if not self._is_told and (self.body or not self.has_more):
                body, self.body, self._is_told = bytes(self.body), b"", not self.has_more
                return {"type": "http.request", "body": body, "more_body": self.has_more}
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return {"type": "http.disconnect"}

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What goes

    async def send(self, message: Any) -> None:
        """See ASGI, and `port.WHOLE`. INVARIANT: header values come from us or from an allow list; the first line break in one ends the request."""
        owner = self._owner
        if owner.is_behind and not self.is_gone:
            await owner.written()
        if self.is_gone:
            return
        kind = message["type"]
        if kind == WHOLE:
            whole: bytes = message["body"]
            owner.transport.write(self._begin(message["status"], message["headers"], len(whole)) + whole)
            self._end()
            return
        if kind == "http.response.start":
            self._head = self._begin(message["status"], message["headers"], None)
            return
        body, is_last = message["body"], not message.get("more_body", False)
        if self._is_chunked:
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if is_last else b"")
        if self._head is not None:
            body, self._head = self._head + body, None
        owner.transport.write(body)
        if is_last:
            self._end()

    def whole(self, status: int, headers: Headers, body: bytes) -> Awaitable[None] | None:
        """See `port.Answering`."""
        if self.is_gone:
            return None
        if self._owner.is_behind:
            return self.send({"type": WHOLE, "status": status, "headers": headers, "body": body})
        self._owner.transport.write(self._begin(status, headers, len(body)) + body)
        self._end()
        return None

    def _begin(self, status: int, headers: Headers, length: int | None) -> bytes:
        """The head of an answer; `length` where its body is known and the headers do not tell it."""
        self.is_begun = True
        self._expects = False
        head = _JSON_LINE if headers == _JSON else _lines(headers)
        if _CLOSE in headers:
            self.is_kept = False
        elif not self.is_kept:
            head += b"connection: close\r\n"
        if length is not None:
            return b"%b%bcontent-length: %d\r\n\r\n" % (STATUS_LINES[status], head, length)
        self._is_chunked = not any(name == b"content-length" for name, _ in headers)
        return b"%b%b%b" % (STATUS_LINES[status], head, b"transfer-encoding: chunked\r\n\r\n" if self._is_chunked else b"\r\n")

    def _end(self) -> None:
        self.is_over = True
        # An idle connection keeps nothing of what was asked on it last.
        self.scope, self.body = None, b""
        if self._waiter is not None:
            self._wake()
        self._owner.on_answered(self)


def _lines(headers: Headers) -> bytes:
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
        raise RuntimeError("a header value holds a line break")
    return lines
