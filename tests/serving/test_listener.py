"""The listener against real sockets: the deadlines it keeps, what it outlives, and how it drains."""

import asyncio
import subprocess
import sys

import pytest

from doorward.serving.port import CONNECTION, Receive, Scope, Send
from tests.serving.sockets import CLOSING, GET, LATER, echo, listening, only, opened, said, settled, until

pytestmark = pytest.mark.anyio


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
        await until(lambda: connection.is_behind)
        listener.sweep(29 + asyncio.get_running_loop().time())
        assert not ended.is_set()
        listener.sweep(31 + asyncio.get_running_loop().time())
        await asyncio.wait_for(ended.wait(), 5)
        writer.close()


@pytest.mark.parametrize("asked", [GET, CLOSING], ids=["kept", "closing"])
async def test_client_that_reads_slowly_but_steadily_is_given_its_time(asked: bytes) -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"16000000")]})
        await send({"type": "http.response.body", "body": b"z" * 16_000_000})

    async with listening(large) as (listener, port):
        reader, writer = await opened(port, asked)
        connection = await only(listener)
        await until(lambda: connection.is_behind)
        before = connection.transport.get_write_buffer_size()
        await reader.readexactly(8_000_000)
        await until(lambda: connection.transport.get_write_buffer_size() < before - 30 * 16_384)
        now = asyncio.get_running_loop().time()
        listener.sweep(31 + now)
        assert listener.connections == 1
        listener.sweep(62 + now)
        await settled(listener, 0)
        writer.close()


async def test_connections_over_the_cap_are_told_so_where_something_goes_on_everywhere() -> None:
    app = Holding()
    async with listening(app, connections=2) as (listener, port):
        held = [await opened(port, GET) for _ in range(2)]
        await settled(listener, 2)
        await app.entered.wait()
        await asyncio.sleep(0)
        assert (await said(port, b"")).startswith(b"HTTP/1.1 503 ")
        app.go.set()
        for reader, writer in held:
            assert (await reader.readuntil(b"GET /x ")).startswith(b"HTTP/1.1 200 ")
            writer.close()


async def test_a_crowd_that_says_nothing_or_half_a_head_keeps_neither_who_comes_nor_who_is_answered_out() -> None:
    app = Holding()
    async with listening(app, connections=9) as (listener, port):
        answered, answered_writer = await opened(port, GET)
        await app.entered.wait()
        crowd = [await opened(port, said_so_far) for said_so_far in (b"", b"GET /x HTTP/1.1\r\nHo") for _ in range(4)]
        await settled(listener, 9)
        app.go.set()
        assert (await answered.readuntil(b"GET /x ")).startswith(b"HTTP/1.1 200 ")
        more = [await opened(port, b"") for _ in range(20)]
        assert (await said(port, CLOSING)).endswith(b"GET /x ")
        assert listener.connections <= 9
        for _, writer in (*crowd, *more, (answered, answered_writer)):
            writer.close()


async def test_who_takes_an_answer_slowly_does_not_lose_it_to_who_comes() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8000000")]})
        await send({"type": "http.response.body", "body": b"z" * 8_000_000})

    async with listening(large, connections=1) as (listener, port):
        reader, writer = await opened(port, GET)
        connection = await only(listener)
        await until(lambda: connection.is_behind)
        assert (await said(port, b"")).startswith(b"HTTP/1.1 503 ")
        await reader.readuntil(b"\r\n\r\n")
        assert len(await reader.readexactly(8_000_000)) == 8_000_000
        writer.close()


async def test_app_learns_of_a_hang_up() -> None:
    app = Holding()
    async with listening(app) as (_, port):
        _, writer = await opened(port, GET)
        await app.entered.wait()
        writer.transport.abort()
        await asyncio.wait_for(app.gone.wait(), 5)
        app.go.set()


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
from tests.serving.sockets import echo, said, CLOSING

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


LIMITED = """
import asyncio, resource
from doorward.serving.listener import Bind, Listener
from tests.serving.sockets import echo

async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    listener = Listener(echo, Bind(port=0, connections=400, backlog=100))
    await listener.open()
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(564, hard) if hard > 0 else True)

asyncio.run(main())
"""


def test_the_process_may_open_as_many_files_as_its_connections_need_if_its_hard_limit_lets_it() -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
