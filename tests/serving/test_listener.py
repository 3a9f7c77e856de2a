"""The listener against real sockets: what it cuts, what it refuses, what it outlives, and how it drains."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from doorward.serving.listener import Bind, Listener
from doorward.serving.port import CONNECTION, App, Receive, Scope, Send
from doorward.serving.protocol import Limits, StrictProtocol

pytestmark = pytest.mark.anyio

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


class Holding:
    """An app that says when a request has come, and answers it when told to go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.gone = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[CONNECTION].on_hangup(self.gone.set)
        self.entered.set()
        await self.go.wait()
        await echo(scope, receive, send)


async def test_request_is_answered_in_one_write_without_server_and_date() -> None:
    async with listening() as (_, port):
        answer = await said(port, b"POST /mcp?a=b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
    assert answer == b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: close\r\n\r\nPOST /mcp abc"


async def test_connection_is_kept_for_the_next_request() -> None:
    async with listening() as (_, port):
        reader, writer = await opened(port, GET)
        await reader.readuntil(b"GET /x ")
        writer.write(CLOSING)
        assert (await reader.read()).endswith(b"GET /x ")
        writer.close()


async def test_chunked_body_arrives_whole() -> None:
    raw = b"POST /m HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    async with listening() as (_, port):
        assert (await said(port, raw)).endswith(b"POST /m abc")


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


async def test_half_a_head_is_ended_at_its_deadline() -> None:
    async with listening() as (listener, port):
        reader, writer = await opened(port, b"GET / HTTP/1.1\r\nHo")
        connection = await only(listener)
        await until(lambda: connection._is_reading)
        listener.sweep(connection.deadline - 0.1)
        assert listener.connections == 1
        writer.write(b"st: a")
        await until(lambda: connection._head_bytes == 23)
        listener.sweep(connection.deadline)
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_silent_connections_are_closed_and_harm_nobody() -> None:
    async with listening() as (listener, port):
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        await settled(listener, 200)
        assert (await said(port, CLOSING)).endswith(b"GET /x ")
        listener.sweep(LATER + asyncio.get_running_loop().time())
        assert [await reader.read() for reader, _ in silent] == [b""] * 200
        await settled(listener, 0)
        for _, writer in silent:
            writer.close()


async def test_half_a_body_is_ended_at_its_deadline() -> None:
    async with listening() as (listener, port):
        reader, writer = await opened(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        connection = await only(listener)
        await until(lambda: connection.cycle is not None)
        listener.sweep(16 + asyncio.get_running_loop().time())
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_long_body_at_a_fair_rate_is_given_its_time() -> None:
    async with listening() as (listener, port):
        reader, writer = await opened(port, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20480\r\n\r\n" + b"z" * 10_240)
        connection = await only(listener)
        start = asyncio.get_running_loop().time()
        await until(lambda: connection.deadline > start + 24)
        listener.sweep(start + 20)
        writer.write(b"z" * 10_240)
        assert await reader.readuntil(b"POST / ")
        writer.close()


async def test_idle_connection_is_closed_without_a_word() -> None:
    async with listening() as (listener, port):
        reader, writer = await opened(port, GET)
        await reader.readuntil(b"GET /x ")
        listener.sweep(74 + asyncio.get_running_loop().time())
        listener.sweep(76 + asyncio.get_running_loop().time())
        assert await reader.read() == b""
        writer.close()


async def test_waiting_for_the_app_is_no_fault_of_the_client() -> None:
    app = Holding()
    async with listening(app) as (listener, port):
        reader, writer = await opened(port, CLOSING)
        await app.entered.wait()
        listener.sweep(LATER + asyncio.get_running_loop().time())
        app.go.set()
        assert (await reader.read()).endswith(b"GET /x ")
        writer.close()


async def test_client_that_does_not_read_is_cut_off() -> None:
    ended = asyncio.Event()

    async def flood(scope: Scope, receive: Receive, send: Send) -> None:
        scope[CONNECTION].on_hangup(ended.set)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not ended.is_set():
            await send({"type": "http.response.body", "body": b"z" * 65_536, "more_body": True})

    async with listening(flood) as (listener, port):
        _, writer = await opened(port, GET)
        connection = await only(listener)
        await until(lambda: connection.flow.write_paused)
        listener.sweep(29 + asyncio.get_running_loop().time())
        assert not ended.is_set()
        listener.sweep(31 + asyncio.get_running_loop().time())
        await asyncio.wait_for(ended.wait(), 5)
        writer.close()


async def test_connections_over_the_cap_are_told_so() -> None:
    async with listening(connections=2) as (listener, port):
        held = [await opened(port, b"") for _ in range(2)]
        await settled(listener, 2)
        assert (await said(port, b"")).startswith(b"HTTP/1.1 503 ")
        for _, writer in held:
            writer.close()
        await settled(listener, 0)
        assert (await said(port, CLOSING)).endswith(b"GET /x ")


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


async def test_app_learns_of_a_hang_up() -> None:
    app = Holding()
    async with listening(app) as (_, port):
        _, writer = await opened(port, GET)
        await app.entered.wait()
        writer.transport.abort()
        await asyncio.wait_for(app.gone.wait(), 5)
        app.go.set()


async def test_header_value_with_a_line_break_is_never_sent() -> None:
    async def splits(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"a\r\nset-cookie: b")]})
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0"), (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})

    async with listening(splits) as (_, port):
        assert await said(port, GET) == b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


async def test_drain_closes_the_idle_refuses_the_new_and_lets_the_running_finish() -> None:
    app = Holding()
    async with listening(app) as (listener, port):
        idle, idle_writer = await opened(port, b"")
        running, running_writer = await opened(port, GET)
        await settled(listener, 2)
        await app.entered.wait()
        draining = asyncio.create_task(listener.drain(30))
        assert await idle.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)
        app.go.set()
        assert (await running.read()).endswith(b"connection: close\r\n\r\nGET /x ")
        await draining
        for writer in (idle_writer, running_writer):
            writer.close()


async def test_drain_cancels_what_outlives_its_grace() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()

    async with listening(stubborn) as (listener, port):
        reader, writer = await opened(port, GET)
        await entered.wait()
        await listener.drain(0)
        assert cancelled.is_set()
        await reader.read()
        writer.close()


EXHAUSTED = """
import asyncio, resource, socket
from doorward.serving.listener import Bind, Listener
from tests.serving.test_listener import echo, said, CLOSING

async def main():
    listener = Listener(echo, Bind(port=0))
    _, port = await listener.open()
    room = len(listener._server.sockets) + 24
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    try:
        while True:
            held.append(socket.create_connection(("127.0.0.1", port)))
            await asyncio.sleep(0.002)
    except OSError:
        pass
    for one in held:
        one.close()
    await asyncio.sleep(1.2)
    assert (await said(port, CLOSING)).endswith(b"GET /x "), "the accept loop is dead"
    print("alive after", len(held))

{run}
"""


@pytest.mark.parametrize("run", ["asyncio.run(main())", "import uvloop; uvloop.run(main())"], ids=["asyncio", "uvloop"])
def test_running_out_of_file_descriptors_does_not_end_the_accept_loop(run: str) -> None:
    done = subprocess.run([sys.executable, "-c", EXHAUSTED.replace("{run}", run)], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout[:11]) == (0, "alive after"), done.stderr
