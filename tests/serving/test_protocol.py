"""One connection: what parsers could read differently is refused, and a head is cut before it costs memory."""

import asyncio
import contextlib

import pytest

from doorward.serving.port import Receive, Scope, Send
from tests.serving.sockets import CLOSING, GET, listening, opened, said

pytestmark = pytest.mark.anyio

HOSTILE = {
    "content-length and transfer-encoding": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two content-lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal content-lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "signed content-length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
    "hexadecimal content-length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc",
    "content-length list": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc",
    "empty content-length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
    "chunked not last": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "unknown transfer-encoding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "bare line feed in the head": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare line feed after a header": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n",
    "header without a name": b"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two equal hosts": b"GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "absolute target": b"GET http://b/mcp HTTP/1.1\r\nHost: a\r\n\r\n",
    "asterisk target": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "authority target": b"CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "upgrade": b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "chunk size with a sign": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
    "chunk size too large": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na\r\n0\r\n\r\n",
    "chunk longer than its size": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "chunk lines ended by a bare line feed": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
    "trailer": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: b\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_parsers_read_differently_is_refused_and_the_connection_closed(raw: bytes) -> None:
    async with listening() as (_, port):
        answer = await said(port, raw + GET)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_older_http_is_refused() -> None:
    async with listening() as (_, port):
        assert (await said(port, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 505 ")


async def test_head_is_refused_without_desynchronising() -> None:
    async with listening() as (_, port):
        answer = await said(port, b"HEAD /mcp HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_too_many_headers_are_refused() -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(100))
    async with listening() as (_, port):
        assert (await said(port, b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")).startswith(b"HTTP/1.1 431 ")


async def test_large_head_in_one_piece_is_refused() -> None:
    async with listening() as (_, port):
        answer = await said(port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 40_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_long_target_counts_as_head() -> None:
    async with listening() as (_, port):
        assert (await said(port, b"GET /" + b"y" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 431 ")


async def test_large_body_does_not_count_as_head() -> None:
    body = b"z" * 60_000
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n"
    async with listening() as (_, port):
        assert (await said(port, head + body)).endswith(body)


@pytest.mark.parametrize("line", [b"X: " + b"y" * 997, b"y" * 1000 + b": z\r\n"], ids=["one endless header", "endless headers"])
async def test_endless_head_is_cut_long_before_it_costs_memory(line: bytes) -> None:
    sent = 0
    async with listening() as (_, port):
        _, writer = await opened(port, b"GET / HTTP/1.1\r\nHost: a\r\n")
        with contextlib.suppress(ConnectionError):
            while sent < 51_000_000:
                writer.write(line)
                await writer.drain()
                sent += len(line)
                await asyncio.sleep(0)
        assert sent < 5_000_000
        writer.close()


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with listening() as (_, port):
        answer = await said(port, GET.replace(b"/x", b"/1") + GET.replace(b"/x", b"/2") + CLOSING)
    assert [line for line in answer.split(b"\r\n") if line.startswith(b"GET")] == [
        b"GET /1 HTTP/1.1 200 OK",
        b"GET /2 HTTP/1.1 200 OK",
        b"GET /x ",
    ]


async def test_flood_of_pipelined_requests_is_cut() -> None:
    async with listening() as (_, port):
        answer = await said(port, GET * 50)
    assert answer.count(b" 200 OK") <= 10


async def test_header_value_with_a_line_break_is_never_sent() -> None:
    async def splits(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nset-cookie: b")]})
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0"), (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})

    async with listening(splits) as (_, port):
        assert await said(port, GET) == b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
