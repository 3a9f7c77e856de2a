"""An upstream over HTTP: what it is sent in both eras, and that the era is found and found anew."""

import asyncio
from typing import Any

import pytest

from doorward.domain.calls import Answer, Era, Fault, Notice
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.health import Condition
from doorward.upstream.port import unheard
from doorward.upstream.sight import Sight
from tests.net.raw import STREAM_HEAD, Peer, chunk, response, scripted, until
from tests.upstream.kit import (
    ACCEPTED,
    ECHOED,
    KEYED,
    LEASE,
    NO_ERA,
    Answering,
    Heard,
    World,
    body_of,
    error,
    event,
    exchange_era,
    giving,
    header_of,
    methods,
    order,
    over_http,
    result,
    saying,
    session_era,
    speaking,
)

pytestmark = pytest.mark.anyio

META = "io.modelcontextprotocol/"


async def test_exchange_era_request_says_all_of_itself() -> None:
    async with scripted(speaking(exchange_era())) as peer, over_http(peer.url, era="exchange") as upstream:
        asked = order(
            lease=KEYED,
            meta={"traceparent": "00-ab"},
            capabilities={"elicitation": {}},
            log_level="info",
            wants_progress=True,
            params={"name": "écho", "arguments": {"region": "eu", "n": 3}},
            param_headers={"mcp-param-region": ("region",)},
        )
        answered = await upstream.forward(asked, unheard)
    assert answered.body == ECHOED | {"resultType": "complete"}
    (request,) = peer.requests
    assert body_of(request) == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "écho",
            "arguments": {"region": "eu", "n": 3},
            "_meta": {
                "traceparent": "00-ab",
                "progressToken": 1,
                f"{META}protocolVersion": "2026-07-28",
                f"{META}clientCapabilities": {"elicitation": {}},
                f"{META}clientInfo": {"name": "doorward", "version": "1"},
                f"{META}logLevel": "info",
            },
        },
    }
    names = ("Accept", "Content-Type", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "mcp-param-region", "Authorization")
    assert [header_of(request, name) for name in names] == [
        "application/json, text/event-stream",
        "application/json",
        "2026-07-28",
        "tools/call",
        "=?base64?w6ljaG8=?=",
        "eu",
        "Bearer xyz",
    ]


async def test_session_era_call_is_one_request_once_the_session_stands() -> None:
    async with scripted(speaking(session_era())) as peer, over_http(peer.url) as upstream:
        for _ in range(3):
            assert (await upstream.forward(order(lease=KEYED), unheard)).body == ECHOED
    assert methods(peer.requests) == ["server/discover", "initialize", "notifications/initialized", *["tools/call"] * 3, "DELETE"]
    initialize, call, last = peer.requests[1], peer.requests[3], peer.requests[-1]
    assert body_of(initialize)["params"] == {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "doorward", "version": "1"},
    }
    assert body_of(call) == {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "hi"}}}
    assert [header_of(call, name) for name in ("Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method")] == ["s1", "2025-11-25", None]
    assert header_of(last, "Mcp-Session-Id") == "s1"
    assert all(header_of(request, "Authorization") == "Bearer xyz" for request in peer.requests)


async def test_everything_offered_is_seen_in_both_eras() -> None:
    tools = ({"name": "echo", "inputSchema": {"type": "object"}},)
    info = {"name": "scripted", "version": "1"}
    async with scripted(speaking(exchange_era())) as peer, over_http(peer.url) as upstream:
        seen = await upstream.discover(LEASE)
    assert seen == Sight(Era.EXCHANGE, ("2026-07-28",), info, {"tools": {}}, "be kind", tools, (), (), ())
    async with scripted(speaking(session_era())) as peer, over_http(peer.url) as upstream:
        seen = await upstream.discover(LEASE)
    assert seen == Sight(Era.SESSION, ("2025-11-25",), info, {"tools": {}, "logging": {}}, "be kind", tools, (), (), ())


async def test_era_is_probed_once_for_all_and_never_with_a_call() -> None:
    async with scripted(speaking(exchange_era())) as peer, over_http(peer.url) as upstream:
        await asyncio.gather(*(upstream.forward(order(), unheard) for _ in range(5)))
    assert methods(peer.requests) == ["server/discover", *["tools/call"] * 5]


@pytest.mark.parametrize(
    "answering",
    [
        saying(NO_ERA.encode()),
        saying(response(b"", status="404 Not Found")),
        saying(response(b"oops", status="500 Internal Server Error", kind="text/html")),
        giving({"supportedVersions": ["2025-11-25"]}),
        saying(STREAM_HEAD + chunk(b"data: garbage\n\n") + chunk(b"")),
    ],
)
async def test_anything_but_a_sign_of_the_exchange_era_leads_to_initialize(answering: Answering) -> None:
    async with scripted(speaking(session_era(server__discover=answering))) as peer, over_http(peer.url) as upstream:
        assert (await upstream.forward(order(), unheard)).body == ECHOED


async def test_credential_that_is_turned_away_is_no_sign_of_an_era() -> None:
    answering = saying(response(b"", "WWW-Authenticate: Bearer", status="401 Unauthorized"))
    async with scripted(speaking({"server/discover": answering})) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran, methods(peer.requests)) == (Reason.CREDENTIAL_REFUSED, Ran.NO, ["server/discover"])
    assert caught.value.public == "The upstream `demo` does not accept the gateway's credential; the call was not made."
    assert caught.value.challenge == "Bearer"


async def test_upstream_that_speaks_none_of_our_versions_is_refused() -> None:
    only = giving({"supportedVersions": ["2099-01-01"]})
    async with scripted(speaking({"server/discover": only})) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.ran, caught.value.detail) == (Ran.NO, "it speaks only 2099-01-01")


async def test_upstream_that_changed_to_the_session_era_is_found_anew_and_the_call_sent_there() -> None:
    handlers = exchange_era()
    async with scripted(speaking(handlers)) as peer, over_http(peer.url) as upstream:
        await upstream.forward(order(), unheard)
        handlers.clear()
        handlers.update(session_era(tools__call=_only_in_a_session()))
        assert (await upstream.forward(order(), unheard)).body == ECHOED
    assert methods(peer.requests)[2:] == [
        "tools/call",
        "server/discover",
        "initialize",
        "notifications/initialized",
        "tools/call",
        "DELETE",
    ]


def _only_in_a_session() -> Answering:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        if b"Mcp-Session-Id" in head:
            await peer.send(response(result(message, ECHOED)))
        else:
            await peer.send(error({}, -32600, "Missing session ID", status="400 Bad Request"))

    return answering


async def test_upstream_that_changed_to_the_exchange_era_is_found_anew_and_the_call_sent_there() -> None:
    handlers = session_era()
    async with scripted(speaking(handlers)) as peer, over_http(peer.url) as upstream:
        await upstream.forward(order(), unheard)
        handlers.clear()
        handlers.update(exchange_era(tools__call=_only_with_an_envelope(), DELETE=saying(ACCEPTED)))
        handlers["initialize"] = saying(error({}, -32022, "old", {"supported": ["2026-07-28"]}, "400 Bad Request"))
        assert (await upstream.forward(order(), unheard)).body == ECHOED | {"resultType": "complete"}
    assert methods(peer.requests).count("tools/call") == 3


def _only_with_an_envelope() -> Answering:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        if "_meta" in message["params"]:
            await peer.send(response(result(message, ECHOED | {"resultType": "complete"})))
        else:
            await peer.send(error({}, -32020, "no headers", status="400 Bad Request"))

    return answering


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "405 Method Not Allowed", "415 Unsupported Media Type"])
async def test_call_that_was_turned_away_by_who_speaks_what_was_assumed_is_not_sent_again(status: str) -> None:
    turned_away = saying(error({}, -32600, "never", status=status))
    async with scripted(speaking(exchange_era(tools__call=turned_away))) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.NO)
    assert methods(peer.requests) == ["server/discover", "tools/call", "server/discover"]


@pytest.mark.parametrize(
    ("code", "status"),
    [(-32602, "400 Bad Request"), (-32601, "404 Not Found"), (-32021, "400 Bad Request"), (-32603, "500 Oops"), (17, "200 OK")],
)
async def test_error_of_the_upstream_is_an_answer(code: int, status: str) -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(error(message, code, "said so", {"more": None}, status))

    for handlers in (exchange_era(tools__call=answering), session_era(tools__call=answering)):
        async with scripted(speaking(handlers)) as peer, over_http(peer.url) as upstream:
            if code == -32021 and "initialize" in handlers:
                continue
            answered = await upstream.forward(order(), unheard)
            assert (answered.body, upstream.state().condition) == (Fault(code, "said so", {"more": None}), Condition.UP)


async def test_header_mismatch_is_our_fault_and_makes_the_lists_be_read_again() -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(error(message, -32020, "Mcp-Param-Region", status="400 Bad Request"))

    world = World()
    async with scripted(speaking(exchange_era(tools__call=answering))) as peer, over_http(peer.url, world) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran, world.changes) == (Reason.UPSTREAM_BROKEN, Ran.NO, 1)


@pytest.mark.parametrize("era", ["exchange", "session"])
async def test_notifications_on_the_way_reach_the_caller_who_wants_them_and_no_other(era: str) -> None:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        token = message["params"].get("_meta", {}).get("progressToken", "none")
        frames: list[dict[str, Any]] = [
            {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}},
            {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "other", "progress": 9}},
            {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "said"}},
            {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "debug", "data": "whispered"}},
            {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"},
            {"jsonrpc": "2.0", "id": message["id"], "result": ECHOED},
        ]
        await peer.send(STREAM_HEAD + b"".join(chunk(event(frame)) for frame in frames) + chunk(b""))

    world, loud, silent = World(), Heard(), Heard()
    handlers = exchange_era(tools__call=answering) if era == "exchange" else session_era(tools__call=answering)
    async with scripted(speaking(handlers)) as peer, over_http(peer.url, world) as upstream:
        first = await upstream.forward(order(wants_progress=True, log_level="info"), loud)
        second = await upstream.forward(order(), silent)
    assert (first.body, second.body, world.changes) == (ECHOED, ECHOED, 2)
    assert loud.notices == [
        Notice("notifications/progress", {"progress": 1}),
        Notice("notifications/message", {"level": "info", "data": "said"}),
    ]
    assert silent.notices == []


async def test_fields_nobody_knows_survive_and_numbers_keep_their_text() -> None:
    raw = (
        b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"hologram","x":[null,1.10]}],'
        b'"structuredContent":null,"vendor":1e2,"big":12345678901234567890}}'
    )
    async with scripted(speaking(exchange_era(tools__call=saying(response(raw))))) as peer, over_http(peer.url, era="exchange") as upstream:
        answered = await upstream.forward(order(), unheard)
    assert isinstance(answered, Answer)
    assert answered.size_bytes == len(raw)
    assert str(answered.body["content"][0]["x"][1]) == "1.10"  # type: ignore[index]
    assert answered.body["structuredContent"] is None  # type: ignore[index]
    assert answered.body["big"] == 12345678901234567890  # type: ignore[index]


async def test_cancelled_call_of_the_exchange_era_closes_its_stream_only() -> None:
    gone = asyncio.Event()

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        if message["params"]["name"] == "slow":
            await peer.send(STREAM_HEAD)
            await peer.gone()
            gone.set()
        await peer.send(response(result(message, ECHOED)))

    async with scripted(speaking(exchange_era(tools__call=answering))) as peer, over_http(peer.url) as upstream:
        slow = asyncio.create_task(upstream.forward(order(params={"name": "slow"}), unheard))
        await until(lambda: "tools/call" in methods(peer.requests))
        assert (await upstream.forward(order(), unheard)).body == ECHOED
        slow.cancel()
        await gone.wait()
        assert upstream.state().condition is Condition.UP
    assert "notifications/cancelled" not in methods(peer.requests)


async def test_refusal_by_whoever_takes_the_notices_ends_the_call_and_is_not_the_upstreams_fault() -> None:
    async def refuse(notice: Notice) -> None:
        raise Refused(Reason.UNSAFE_RESPONSE, "no", ran=Ran.MAYBE)

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(
            STREAM_HEAD + chunk(event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error", "data": 1}}))
        )
        await peer.gone()

    async with scripted(speaking(exchange_era(tools__call=answering))) as peer, over_http(peer.url) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(log_level="debug"), refuse)
        assert (caught.value.reason, upstream.state().failures) == (Reason.UNSAFE_RESPONSE, 0)
