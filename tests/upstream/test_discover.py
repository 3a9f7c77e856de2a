"""Starting and discovering over HTTP and standard streams, where it goes wrong or the era changes meanwhile."""

from typing import Any

import pytest

from doorward.domain.calls import Era
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.health import Condition
from doorward.upstream.port import unheard
from tests.net.raw import Peer, response, scripted
from tests.upstream.kit import (
    ACCEPTED,
    LEASE,
    SHORT,
    Answering,
    World,
    body_of,
    error,
    exchange_era,
    giving,
    methods,
    order,
    over_http,
    over_stdio,
    saying,
    session_era,
    speaking,
)
from tests.upstream.servers import ECHO, EXCHANGE, SESSION, script

pytestmark = pytest.mark.anyio


async def test_start_finds_the_era_and_asks_for_nothing_else() -> None:
    async with scripted(speaking(exchange_era())) as peer, over_http(peer.url) as upstream:
        await upstream.start(LEASE)
        assert (methods(peer.requests), upstream.state().condition) == (["server/discover"], Condition.UP)


async def test_start_of_an_upstream_that_is_down_says_so_and_a_later_call_tries_again() -> None:
    async with scripted(speaking({})) as peer:
        pass
    async with over_http(peer.url) as upstream:
        for attempt in (upstream.start(LEASE), upstream.discover(LEASE)):
            with pytest.raises(Refused) as caught:
                await attempt
            assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
        assert upstream.state().failures == 2


@pytest.mark.parametrize(
    "answering",
    [
        saying(response(b"garbage")),
        saying(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"),
        saying(response(b"", status="503 Service Unavailable")),
        giving({"tools": "none"}),
    ],
)
async def test_discovery_that_goes_wrong_is_refused_whole_and_counts_as_a_failure(answering: Answering) -> None:
    for handlers in (exchange_era(tools__list=answering), session_era(tools__list=answering)):
        async with scripted(speaking(handlers)) as peer, over_http(peer.url, timeouts=SHORT) as upstream:
            with pytest.raises(Refused) as caught:
                await upstream.discover(LEASE)
            assert caught.value.reason in {Reason.UPSTREAM_BROKEN, Reason.UPSTREAM_UNREACHABLE}
            assert upstream.state().condition is Condition.DOWN


async def test_upstream_that_changed_its_era_is_discovered_in_the_new_one() -> None:
    handlers = exchange_era()
    async with scripted(speaking(handlers)) as peer, over_http(peer.url) as upstream:
        assert (await upstream.discover(LEASE)).era is Era.EXCHANGE
        handlers.clear()
        handlers.update(session_era())
        assert (await upstream.discover(LEASE)).era is Era.SESSION
        handlers.clear()
        handlers.update(exchange_era(DELETE=saying(ACCEPTED), initialize=saying(error({}, -32022, "old", None, "400 Bad Request"))))
        assert (await upstream.discover(LEASE)).era is Era.EXCHANGE


async def test_session_that_was_lost_is_opened_anew_before_an_upstream_is_looked_at() -> None:
    handlers = session_era()
    async with scripted(speaking(handlers)) as peer, over_http(peer.url, era="session") as upstream:
        await upstream.discover(LEASE)
        renamed = session_era(initialize=giving({"protocolVersion": "2025-06-18", "capabilities": {}, "instructions": "new"}))
        handlers.update({"initialize": renamed["initialize"], "ping": _lost_in("s1", giving({}))})
        seen = await upstream.discover(LEASE)
    assert (seen.versions, seen.instructions) == (("2025-06-18",), "new")


def _lost_in(session: str, otherwise: Answering) -> Answering:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        lost = f"Mcp-Session-Id: {session}\r\n".encode() in head
        await (saying(response(b"", status="404 Not Found")) if lost else otherwise)(peer, message, head)

    return answering


async def test_call_is_not_made_where_its_log_level_could_not_be_set() -> None:
    async with (
        scripted(speaking(session_era(logging__setLevel=saying(response(b"garbage"))))) as peer,
        over_http(peer.url, era="session") as upstream,
    ):
        for _ in range(2):
            with pytest.raises(Refused) as caught:
                await upstream.forward(order(log_level="debug"), unheard)
            assert caught.value.ran is Ran.NO
    assert methods(peer.requests).count("logging/setLevel") == 2
    assert "tools/call" not in methods(peer.requests)


async def test_log_level_of_a_process_is_set_once_and_again_only_to_hear_more() -> None:
    call = "def call(message): result(message, {'content': [], 'levels': levels})"
    levels = SESSION.replace(
        'method == "logging/setLevel":', 'method == "logging/setLevel":\n        levels.append(message["params"]["level"])'
    )
    async with over_stdio(script("levels = []", call, levels), era="session") as upstream:
        for level in ("warning", "error", None, "loud"):
            await upstream.forward(order(log_level=level), unheard)
        answered = await upstream.forward(order(log_level="debug"), unheard)
    assert answered.body["levels"] == ["warning", "debug"]  # type: ignore[index]


@pytest.mark.parametrize(("parts", "era"), [((ECHO, SESSION), "session"), ((ECHO, EXCHANGE), "exchange")])
async def test_discovery_of_a_process_that_goes_wrong_is_refused(parts: tuple[str, ...], era: str) -> None:
    broken = [part.replace('"tools": [{"name": "echo"', '"tools": [{"title": "echo"') for part in parts]
    async with over_stdio(script(*broken), World(), era=era) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.discover(LEASE)
        assert (caught.value.reason, upstream.state().condition) == (Reason.UPSTREAM_BROKEN, Condition.DOWN)


async def test_each_discovery_lists_anew() -> None:
    async with scripted(speaking(exchange_era())) as peer, over_http(peer.url, era="exchange") as upstream:
        await upstream.discover(LEASE)
        await upstream.discover(LEASE)
    asked = [body_of(request)["method"] for request in peer.requests]
    assert [method for method in asked if method != "subscriptions/listen"] == ["server/discover", "tools/list"] * 2
