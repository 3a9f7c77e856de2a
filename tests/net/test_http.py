"""The upstream client against a scripted peer on a real socket."""

import asyncio
from collections.abc import Sequence

import pytest

from doorward.domain.reasons import Ran
from doorward.net.addresses import STRICT, Reach, Rule
from doorward.net.connection import TIMEOUTS, Timeouts
from doorward.net.errors import NetError, Trouble
from doorward.net.http import BOUNDS, Bounds, Pool, Route
from doorward.net.urls import parse_url
from tests.net.raw import Peer, Script, response, scripted, until

pytestmark = pytest.mark.anyio

LOOPBACK = Rule(Reach.PRIVATE, frozenset({"http"}))
QUICK = Timeouts(connect=2, first_byte=0.4, idle=0.4, total=0.7)
HEADERS = (("Mcp-Method", "tools/call"),)


def pool_to(url: str, timeouts: Timeouts = TIMEOUTS, bounds: Bounds = BOUNDS) -> Pool:
    return Pool(Route(parse_url(url), LOOPBACK), (("Accept", "application/json"),), timeouts=timeouts, bounds=bounds)


async def echo(peer: Peer) -> None:
    while True:
        _, body = await peer.request()
        await peer.send(response(body))


async def test_request_is_written_whole_and_connections_are_kept() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url)
        answers = [await pool.post(HEADERS, b"hello") for _ in range(3)]
        pool.close()
    assert [(a.status, a.headers[b"content-type"], a.body) for a in answers] == [(200, b"application/json", b"hello")] * 3
    assert upstream.connections == 1
    assert (
        upstream.requests[0]
        == (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{upstream.port}\r\nAccept: application/json\r\n"
            "Mcp-Method: tools/call\r\nContent-Length: 5\r\n\r\nhello"
        ).encode()
    )


async def test_renewed_pool_makes_new_connections_and_lets_exchanges_end() -> None:
    turn = asyncio.Event()

    async def slowly(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            if body == b"slow":
                await turn.wait()
            await peer.send(response(body))

    async with scripted(slowly) as upstream:
        pool = pool_to(upstream.url)
        running = asyncio.ensure_future(pool.post(HEADERS, b"slow"))
        await pool.post(HEADERS, b"one")
        assert pool.size == 2
        pool.renew()
        assert pool.size == 1
        await pool.post(HEADERS, b"two")
        turn.set()
        assert (await running).body == b"slow"
        pool.close()
    assert upstream.connections == 3


async def test_get_and_delete_carry_no_body() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url)
        await pool.get(HEADERS)
        await pool.delete(())
        pool.close()
    assert [request.split(b" ")[0] for request in upstream.requests] == [b"GET", b"DELETE"]
    assert not any(b"Content-Length" in request for request in upstream.requests)


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\x00b", "ä", "a\x7fb"])
async def test_header_value_that_could_end_its_line_is_never_written(value: str) -> None:
    async with scripted(echo) as upstream:
        with pytest.raises(NetError) as caught:
            await pool_to(upstream.url).post((("Authorization", value),), b"")
    assert (caught.value.trouble, caught.value.ran, upstream.connections) == (Trouble.REQUEST, Ran.NO, 0)


async def test_exchanges_at_the_same_time_do_not_mix() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(connections=5))
        bodies = [str(n).encode() * 50 for n in range(60)]
        answers = await asyncio.gather(*(pool.post(HEADERS, body) for body in bodies))
        pool.close()
    assert [answer.body for answer in answers] == bodies
    assert upstream.connections <= 5


async def test_line_for_a_connection_has_an_end() -> None:
    async def hang(peer: Peer) -> None:
        await peer.gone()

    async with scripted(hang) as upstream:
        pool = pool_to(upstream.url, Timeouts(connect=0.1, first_byte=5), Bounds(connections=1))
        first = asyncio.create_task(pool.post(HEADERS, b""))
        with pytest.raises(NetError) as caught:
            await asyncio.gather(pool.post(HEADERS, b""), first)
        first.cancel()
        pool.close()
    assert (caught.value.trouble, caught.value.ran) == (Trouble.BUSY, Ran.NO), "our own crowd says nothing of the upstream"


async def test_nobody_listens_is_unreachable_and_nothing_was_sent() -> None:
    async with scripted(echo) as upstream:
        pass
    with pytest.raises(NetError) as caught:
        await pool_to(upstream.url).post(HEADERS, b"")
    assert (caught.value.trouble, caught.value.ran) == (Trouble.UNREACHABLE, Ran.NO)


async def test_loopback_is_refused_unless_declared() -> None:
    async with scripted(echo) as upstream:
        with pytest.raises(NetError) as caught:
            await Pool(Route(parse_url(upstream.url), Rule(schemes=frozenset({"http"})))).post(HEADERS, b"")
    assert (caught.value.trouble, upstream.connections) == (Trouble.EGRESS, 0)


async def test_name_that_rebinds_is_never_connected_to() -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with scripted(echo) as upstream:
        origin = parse_url(f"http://rebind.example:{upstream.port}/")
        with pytest.raises(NetError):
            await Pool(Route(origin, Rule(schemes=frozenset({"http"})), lookup=lookup)).post(HEADERS, b"")
        answer = await Pool(Route(origin, LOOPBACK, lookup=lookup)).post(HEADERS, b"x")
    assert (answer.body, asked, upstream.connections) == (b"x", ["rebind.example"] * 2, 1)
    assert b"Host: rebind.example:" in upstream.requests[0]


async def test_next_address_is_tried_when_the_first_does_not_answer() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["::1", "127.0.0.2", "127.0.0.1"]

    async with scripted(echo) as upstream:
        route = Route(parse_url(f"http://many.example:{upstream.port}/"), LOOPBACK, lookup=lookup)
        assert (await Pool(route).post(HEADERS, b"x")).body == b"x"


async def test_kept_connection_that_ended_is_passed_over_before_anything_is_written() -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}"))
        peer.close()

    async with scripted(once) as upstream:
        pool = pool_to(upstream.url)
        for _ in range(3):
            assert (await pool.post(HEADERS, b"")).body == b"{}"
            await until(lambda: not pool.size)
    assert upstream.connections == 3


async def test_request_written_to_a_dying_connection_is_not_sent_again() -> None:
    async def second_dies(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}"))
        await peer.request()
        peer.reset()

    async with scripted(second_dies) as upstream:
        pool = pool_to(upstream.url)
        await pool.post(HEADERS, b"")
        with pytest.raises(NetError) as caught:
            await pool.post(HEADERS, b"")
    assert (caught.value.trouble, caught.value.ran, len(upstream.requests)) == (Trouble.CLOSED, Ran.MAYBE, 2)


async def test_idle_connection_is_dropped_after_a_while() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(idle_seconds=0.02))
        await pool.post(HEADERS, b"")
        await until(lambda: not pool.size)
        await pool.post(HEADERS, b"")
        pool.close()
    assert upstream.connections == 2


async def test_old_connection_is_not_kept() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(age_seconds=-1))
        await pool.post(HEADERS, b"")
        assert pool.size == 0


async def test_unasked_bytes_on_an_idle_connection_drop_it() -> None:
    answered = asyncio.Event()

    async def talkative(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}"))
        await answered.wait()
        if peer.number == 1:
            await peer.send(response(b'{"forged":1}'))
        await peer.gone()

    async with scripted(talkative) as upstream:
        pool = pool_to(upstream.url)
        await pool.post(HEADERS, b"")
        answered.set()
        await until(lambda: not pool.size)
        answer = await pool.post(HEADERS, b"")
    assert (answer.body, upstream.connections) == (b"{}", 2)


async def test_response_and_a_forged_second_one_in_one_packet_never_serve_two_requests() -> None:
    async def double(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"{}") + response(b'{"forged":1}'))
        await peer.gone()

    async with scripted(double) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(connections=1))
        answers = await asyncio.gather(*(pool.post(HEADERS, b"") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, NetError) and answer.ran is Ran.MAYBE for answer in answers)


async def hang(peer: Peer) -> None:
    await peer.request()
    await peer.gone()


async def dribble(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    await peer.gone()


async def drip(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        await peer.send(b"x")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("script", "trouble"), [(hang, Trouble.FIRST_BYTE_TIMEOUT), (dribble, Trouble.IDLE_TIMEOUT), (drip, Trouble.TOTAL_TIMEOUT)]
)
async def test_answer_that_does_not_come_is_a_time_out_and_may_have_run(script: Script, trouble: Trouble) -> None:
    async with scripted(script) as upstream:
        pool = pool_to(upstream.url, QUICK)
        with pytest.raises(NetError) as caught:
            await pool.post(HEADERS, b"")
    assert (caught.value.trouble, caught.value.ran, pool.size) == (trouble, Ran.MAYBE, 0)


async def test_cancelled_exchange_closes_its_connection_and_no_other() -> None:
    closed = asyncio.Event()

    async def watch(peer: Peer) -> None:
        _, body = await peer.request()
        if body == b"slow":
            await peer.gone()
            closed.set()
        await peer.send(response(body))
        await peer.gone()

    async with scripted(watch) as upstream:
        pool = pool_to(upstream.url)
        slow = asyncio.create_task(pool.post(HEADERS, b"slow"))
        quick = await pool.post(HEADERS, b"quick")
        slow.cancel()
        await closed.wait()
        assert (quick.body, pool.size) == (b"quick", 1)
        pool.close()


async def test_cancel_that_crosses_with_the_answer_leaves_the_connection_usable() -> None:
    async with scripted(echo) as upstream:
        pool = pool_to(upstream.url, bounds=Bounds(connections=1))
        for _ in range(20):
            task = asyncio.create_task(pool.post(HEADERS, b"a"))
            await until(lambda: upstream.requests)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            upstream.requests.clear()
            assert (await pool.post(HEADERS, b"b")).body == b"b"
            upstream.requests.clear()
        pool.close()


async def test_redirect_is_an_answer_and_not_followed() -> None:
    async def redirect(peer: Peer) -> None:
        await peer.request()
        await peer.send(response(b"", "Location: http://127.0.0.1:1/", status="307 Temporary Redirect"))

    async with scripted(redirect) as upstream:
        answer = await pool_to(upstream.url).post(HEADERS, b"")
    assert (answer.status, answer.body, upstream.connections) == (307, b"", 1)


async def test_closed_pool_ends_what_is_under_way_and_refuses_the_rest() -> None:
    async with scripted(hang) as upstream:
        pool = pool_to(upstream.url)
        under_way = asyncio.create_task(pool.post(HEADERS, b""))
        await until(lambda: upstream.requests)
        pool.close()
        with pytest.raises(NetError) as caught:
            await under_way
        assert caught.value.ran is Ran.MAYBE
        with pytest.raises(NetError) as caught:
            await pool.post(HEADERS, b"")
        assert (caught.value.trouble, caught.value.ran) == (Trouble.SHUT, Ran.NO)


def test_strict_rule_is_the_default() -> None:
    assert Route(parse_url("https://example.com/")).rule == STRICT == Rule(Reach.PUBLIC, frozenset({"https"}))
