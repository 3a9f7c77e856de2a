"""Bodies that stream, against a scripted peer on a real socket."""

import asyncio

import pytest

from doorward.domain.reasons import Ran
from doorward.net.connection import Response, Timeouts
from doorward.net.errors import NetError, Trouble
from doorward.net.http import Bounds
from doorward.net.stream import HIGH_WATER_BYTES, Stream
from tests.net.raw import STREAM_HEAD, Peer, chunk, scripted, until
from tests.net.test_http import HEADERS, pool_to

pytestmark = pytest.mark.anyio


def stream_of(answer: Response) -> Stream:
    assert isinstance(answer.body, Stream)
    return answer.body


async def test_event_stream_is_read_as_it_comes_and_its_connection_is_kept() -> None:
    async def stream(peer: Peer) -> None:
        for _ in range(2):
            await peer.request()
            await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
            await peer.send(chunk(b"data: 2\n\n") + chunk(b""))

    async with scripted(stream) as upstream:
        pool = pool_to(upstream.url)
        for _ in range(2):
            body = stream_of(await pool.post(HEADERS, b""))
            pieces = b""
            while piece := await body.read():
                pieces += piece
            assert pieces == b"data: 1\n\ndata: 2\n\n"
        pool.close()
    assert upstream.connections == 1


async def test_short_rest_of_a_stream_that_is_left_keeps_the_connection() -> None:
    async def stream(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
            await asyncio.sleep(0.01)
            await peer.send(chunk(b": bye\n\n") + chunk(b""))

    async with scripted(stream) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(connections=1))
        for _ in range(3):
            body = stream_of(await pool.post(HEADERS, b""))
            await body.read()
            body.leave()
        pool.close()
    assert upstream.connections == 1


async def test_long_rest_of_a_stream_that_is_left_drops_the_connection() -> None:
    async def stream(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
        while True:
            await peer.send(chunk(b"x" * 10_000))

    async with scripted(stream) as upstream:
        pool = pool_to(upstream.url)
        body = stream_of(await pool.post(HEADERS, b""))
        await body.read()
        body.leave()
        await until(lambda: not pool.size)


async def test_sender_is_held_back_while_nobody_reads() -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(STREAM_HEAD)
        for _ in range(4000):
            await peer.send(chunk(b"x" * 10_000))
            sent += 10_000
        await peer.send(chunk(b""))

    async with scripted(flood) as upstream:
        pool = pool_to(upstream.url, Timeouts(idle=0.5))
        body = stream_of(await pool.post(HEADERS, b""))
        still = -1
        while still != sent:
            still = sent
            await asyncio.sleep(0.7)
        assert sent < 20_000_000
        largest = total = 0
        while piece := await body.read():
            largest, total = max(largest, len(piece)), total + len(piece)
        pool.close()
    assert total == 40_000_000
    assert largest <= HIGH_WATER_BYTES + 1_000_000


async def test_stream_that_breaks_gives_what_came_and_then_the_error() -> None:
    async def half(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD + chunk(b"data: 1\n\n"))
        peer.close()

    async with scripted(half) as upstream:
        body = stream_of(await pool_to(upstream.url).post(HEADERS, b""))
        assert await body.read() == b"data: 1\n\n"
        with pytest.raises(NetError) as caught:
            await body.read()
    assert (caught.value.trouble, caught.value.ran) == (Trouble.CLOSED, Ran.MAYBE)


async def test_reader_that_is_cancelled_drops_the_connection() -> None:
    gone = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.request()
        await peer.send(STREAM_HEAD)
        await peer.gone()
        gone.set()

    async with scripted(silent) as upstream:
        pool = pool_to(upstream.url)
        body = stream_of(await pool.post(HEADERS, b""))
        reading = asyncio.create_task(body.read())
        await asyncio.sleep(0)
        reading.cancel()
        await gone.wait()
        assert pool.size == 0
