"""A scripted upstream on a real loopback socket: each connection runs a script that reads requests and writes raw bytes."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Peer:
    """One accepted connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    """1 for the first connection that was accepted, and so on."""
    log: list[bytes]

    async def request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request; raises IncompleteReadError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lines = [line.partition(b":") for line in head.split(b"\r\n")]
        length = next((int(value) for name, _, value in lines if name.lower() == b"content-length"), 0)
        body = await self.reader.readexactly(length)
        self.log.append(head + body)
        return head, body

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Ends the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Returns once the other side has ended the connection."""
        while await self.reader.read(65536):
            pass


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Upstream:
    """Where the scripted upstream listens, and what it was sent."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    errors: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"


@asynccontextmanager
async def scripted(script: Script, ssl: object = None, port: int = 0) -> AsyncIterator[Upstream]:
    """Runs `script` for every connection until the block ends, on a free port unless one is given."""
    upstream = Upstream(0)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        upstream.connections += 1
        try:
            await script(Peer(reader, writer, upstream.connections, upstream.requests))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=ssl)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(fact: Callable[[], object]) -> None:
    """Lets the loop run until something is so; pytest's time-out is the bound."""
    while not fact():  # noqa: ASYNC110 -- what is waited for is a property of the code under test, which sets no event
        await asyncio.sleep(0.001)


def response(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A plain HTTP/1.1 response."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunk(octets: bytes) -> bytes:
    """One chunk of a chunked body; an empty one ends it."""
    return f"{len(octets):x}\r\n".encode() + octets + b"\r\n"


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
