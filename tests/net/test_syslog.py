"""A syslog server on real sockets: one message a datagram, or octets counted on a stream; and what is told where nobody listens."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from doorward.net.errors import NetError, Trouble
from doorward.net.syslog import Server

pytestmark = pytest.mark.anyio


class Hears(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.put_nowait(data)


@asynccontextmanager
async def datagrams() -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Hears, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], protocol.came
    finally:
        transport.close()


@asynccontextmanager
async def streams() -> AsyncIterator[tuple[int, asyncio.Queue[bytes]]]:
    came: asyncio.Queue[bytes] = asyncio.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.put_nowait(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()


def nowhere(kind: socket.SocketKind) -> int:
    """A port that nobody has."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def test_a_datagram_is_one_message() -> None:
    async with datagrams() as (port, came):
        await Server("127.0.0.1", port, "udp").send(b"<108>1 - - - - - - hello")
        assert await came.get() == b"<108>1 - - - - - - hello"


async def test_a_stream_says_how_long_the_message_is() -> None:
    async with streams() as (port, came):
        await Server("localhost", port, "tcp").send("ä".encode())
        assert await came.get() == b"2 \xc3\xa4"


@pytest.mark.parametrize(("protocol", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
async def test_where_nobody_listens_that_is_told(protocol: str, kind: socket.SocketKind) -> None:
    server = Server("127.0.0.1", nowhere(kind), "tcp" if protocol == "tcp" else "udp")
    with pytest.raises(NetError) as raised:
        await server.send(b"hello")
    assert raised.value.trouble is Trouble.UNREACHABLE


async def test_a_name_that_is_none_is_unreachable() -> None:
    with pytest.raises(NetError) as raised:
        await Server("no-such-host.invalid", 514, "udp").send(b"hello")
    assert raised.value.trouble in {Trouble.UNREACHABLE, Trouble.TOTAL_TIMEOUT}
