"""Raw sockets against a real listener."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from doorward.serving.bounds import Limits
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import App, Receive, Scope, Send
from doorward.serving.protocol import StrictProtocol

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
LATER = 10_000.0
"""Seconds after which every deadline has passed."""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with method, raw path and body."""
    whole = b""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return
        whole += event["body"]
        if not event["more_body"]:
            break
    body = b"%b %b %b" % (scope["method"].encode(), scope["raw_path"], whole)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening(app: App = echo, **limits: float) -> AsyncIterator[tuple[Listener, int]]:
    listener = Listener(app, Bind(port=0, connections=int(limits.pop("connections", 1000)), limits=Limits(**limits)))  # type: ignore[arg-type]
    _, port = await listener.open()
    try:
        yield listener, port
    finally:
        await listener.drain(0)


async def said(port: int, raw: bytes) -> bytes:
    """All that the server says to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(ConnectionError):
        writer.write(raw)
        await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def opened(port: int, raw: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await writer.drain()
    return reader, writer


async def until(condition: Callable[[], bool]) -> None:
    """Returns once something has become true."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- what is waited for is in the protocol's own state
            await asyncio.sleep(0.002)


async def settled(listener: Listener, connections: int) -> None:
    """Returns once the listener has noticed so many connections."""
    await until(lambda: listener.connections == connections)


async def only(listener: Listener) -> StrictProtocol:
    """The only connection, once it is there."""
    await settled(listener, 1)
    (connection,) = listener._open()
    return connection
