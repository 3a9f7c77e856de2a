"""The whole door on a real socket: what a client sees, and what its going away does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Notice
from tests.serving.asgi import ANSWER, EXCHANGE, HOST, FakeSpine, House
from tests.serving.sockets import listening, only, opened, until

pytestmark = pytest.mark.anyio

META = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}
BODY = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": META}}).encode()
CALL = (
    f"POST /mcp HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer key-of-ada\r\nContent-Type: application/json\r\n"
    f"MCP-Protocol-Version: {EXCHANGE}\r\nMcp-Method: tools/list\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY


@asynccontextmanager
async def served(house: House) -> AsyncIterator[int]:
    async with listening(house.door) as (_, port):
        yield port


async def test_call_is_answered_on_a_kept_connection() -> None:
    async with served(House()) as port:
        reader, writer = await opened(port, CALL)
        result = json.dumps({"jsonrpc": "2.0", "id": 7, "result": ANSWER}, separators=(",", ":")).encode()
        first = await reader.readuntil(result)
        assert first == b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(result), result)
        writer.write(CALL)
        assert await reader.readuntil(result) == first
        writer.close()


async def test_stream_is_chunked_and_each_event_leaves_as_it_comes() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(Notice("notifications/progress", {"progress": 1}))
        await go.wait()
        return ANSWER

    async with served(House(FakeSpine(answer))) as port:
        reader, writer = await opened(port, CALL)
        assert b"transfer-encoding: chunked\r\n" in await reader.readuntil(b'"progress":1}}\n\n')
        go.set()
        assert b'"result"' in await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()


async def test_head_of_a_quiet_stream_leaves_at_once() -> None:
    house = House()
    client = await house.session()
    head = f"GET /mcp HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer key-of-ada\r\nAccept: text/event-stream\r\n"
    async with served(house) as port:
        reader, writer = await opened(port, (head + f"Mcp-Session-Id: {client.headers['mcp-session-id']}\r\n\r\n").encode())
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n")
        house.door.drain()
        assert await reader.readuntil(b"0\r\n\r\n") == b"0\r\n\r\n"
        writer.close()


async def test_hang_up_cancels_the_call() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    house = House(FakeSpine(answer))
    async with served(house) as port:
        _, writer = await opened(port, CALL)
        await entered.wait()
        writer.close()
        await until(lambda: len(house.spine.cancelled) == 1)


async def test_challenge_does_not_wait_for_the_body() -> None:
    async with served(House()) as port:
        half = CALL.replace(b"Bearer key-of-ada", b"Bearer wrong")[: -len(BODY) + 5]
        reader, writer = await opened(port, half)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
        writer.close()


async def test_body_that_is_too_large_is_told_so_although_it_is_still_being_sent() -> None:
    async with served(House()) as port:
        head = CALL[: -len(BODY)].replace(b"Content-Length: %d" % len(BODY), b"Content-Length: 4000000")
        reader, writer = await opened(port, head)
        for _ in range(40):
            writer.write(b" " * 50_000)
            await writer.drain()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413 ")
        writer.write(b" " * 2_000_000)
        answer = await reader.read()
        assert answer.startswith(b'{"jsonrpc":"2.0","id":null,"error"')
        writer.close()


async def test_body_that_is_awaited_is_asked_for() -> None:
    async with served(House()) as port:
        reader, writer = await opened(port, CALL[: -len(BODY)].replace(b"Content-Length", b"Expect: 100-continue\r\nContent-Length"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(BODY)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_rest_of_a_body_that_was_answered_early_is_not_awaited_for_long_and_not_answered_again() -> None:
    async with listening(House().door) as (listener, port):
        reader, writer = await opened(port, CALL.replace(b"Bearer key-of-ada", b"Bearer wrong")[: -len(BODY) + 5])
        connection = await only(listener)
        await until(lambda: connection.cycle is not None and connection.cycle.is_over)
        listener.sweep(connection.deadline)
        answer = await reader.read()
        assert (answer[:13], answer.count(b"HTTP/1.1")) == (b"HTTP/1.1 401 ", 1)
        writer.close()
