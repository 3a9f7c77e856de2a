"""The exchange era: headers and body agree, notices stream, a hang-up cancels, subscriptions are acknowledged and end gracefully."""

import asyncio
from typing import Any

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Era, Notice
from doorward.domain.reasons import Reason, Refused
from tests.serving.asgi import ANSWER, EXCHANGE, FakeSpine, House

pytestmark = pytest.mark.anyio

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
PROGRESS = Notice("notifications/progress", {"progressToken": "t", "progress": 1})
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def calling(answer: Any) -> House:
    return House(FakeSpine(answer))


async def test_everything_the_request_says_of_itself_reaches_the_spine() -> None:
    house = House()
    meta = {
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
        "io.modelcontextprotocol/logLevel": "info",
        "progressToken": 5,
        "traceparent": TRACE,
        "com.example/own": True,
    }
    await house.ask("tools/call", {"name": "echo", "_meta": meta}).done()
    (inbound,) = house.spine.handled
    assert (inbound.era, inbound.version, inbound.capabilities, inbound.client_info) == (
        Era.EXCHANGE,
        EXCHANGE,
        {"elicitation": {}},
        {"name": "c", "version": "1"},
    )
    assert (inbound.log_level, inbound.progress_token, inbound.trace, inbound.meta) == ("info", 5, TRACE, {"com.example/own": True})
    assert (inbound.principal.id, inbound.session, dict(inbound.headers)[b"mcp-name"]) == ("ada", None, b"echo")


async def test_trace_of_the_http_header_counts_where_the_message_has_none() -> None:
    house = House()
    await house.ask("tools/list", traceparent=TRACE).done()
    await house.ask("tools/list", traceparent="forged\\n").done()
    assert [inbound.trace for inbound in house.spine.handled] == [TRACE, ""]


DISAGREEING: dict[str, dict[str, str]] = {
    "no method": {"mcp-method": ""},
    "other method": {"mcp-method": "tools/list"},
    "method in capitals": {"mcp-method": "TOOLS/CALL"},
    "no name": {"mcp-name": ""},
    "other name": {"mcp-name": "other"},
    "name in capitals": {"mcp-name": "ECHO"},
    "broken base64": {"mcp-name": "=?base64?!?="},
}


@pytest.mark.parametrize("headers", DISAGREEING.values(), ids=DISAGREEING.keys())
async def test_headers_that_disagree_with_the_body_are_refused(headers: dict[str, str]) -> None:
    house = House()
    answer = await house.ask("tools/call", {"name": "echo"}, **headers).done()
    assert (answer.status, answer.json["error"]["code"], answer.json["id"]) == (400, -32020, 7)
    assert house.spine.handled == []


@pytest.mark.parametrize("name", ["  echo\t", "=?base64?ZWNobw==?="])
async def test_headers_that_say_the_same_in_other_words_are_accepted(name: str) -> None:
    assert (await House().ask("tools/call", {"name": "echo"}, **{"mcp-name": name}).done()).status == 200


@pytest.mark.parametrize("header", ["2025-11-25", "2025-03-26", ""])
async def test_body_that_declares_another_era_than_the_header_is_refused(header: str) -> None:
    house = House()
    answer = await house.ask("tools/list", **{"mcp-protocol-version": header}).done()
    assert (answer.status, answer.json["error"]["code"]) == (400, -32020)
    other = await house.ask("tools/list", {"_meta": {VERSION_KEY: "2025-11-25"}}).done()
    assert (other.status, other.json["error"]["code"]) == (400, -32020)
    assert house.spine.handled == []


@pytest.mark.parametrize("params", [{}, {"_meta": {}}, {"_meta": {VERSION_KEY: EXCHANGE}}, {"_meta": 1}])
async def test_missing_envelope_is_an_error_of_the_parameters(params: dict[str, Any]) -> None:
    headers = {"mcp-protocol-version": EXCHANGE, "mcp-method": "tools/list"}
    answer = await House().post({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}, headers).done()
    assert (answer.status, answer.json["error"]["code"]) == (400, -32602)


async def test_notification_is_accepted_and_dropped() -> None:
    house = House()
    answer = await house.post({"jsonrpc": "2.0", "method": "notifications/cancelled"}, {"mcp-protocol-version": EXCHANGE}).done()
    assert (answer.status, answer.raw, house.spine.handled) == (202, b"", [])


async def test_response_of_a_client_is_refused() -> None:
    answer = await House().post({"jsonrpc": "2.0", "id": 1, "result": {}}, {"mcp-protocol-version": EXCHANGE}).done()
    assert (answer.status, answer.json["error"]["code"]) == (400, -32600)


async def test_session_headers_mean_nothing() -> None:
    answer = await House().ask("tools/list", mcp_session_id="x", last_event_id="y").done()
    assert (answer.status, "mcp-session-id" in answer.headers) == (200, False)


async def test_notices_turn_the_answer_into_a_stream_that_ends_with_it() -> None:
    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        await notices(Notice("notifications/message", {"level": "info", "data": "line\nbreak"}))
        return ANSWER

    exchange = await calling(answer).ask("tools/call", {"name": "echo"}).done()
    assert exchange.messages == [
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "t", "progress": 1}},
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "line\nbreak"}},
        {"jsonrpc": "2.0", "id": 7, "result": ANSWER},
    ]
    assert (exchange.status, exchange.is_whole, exchange.event_ids) == (200, True, [])
    assert (exchange.headers["x-accel-buffering"], exchange.headers["cache-control"]) == ("no", "no-store, no-transform")


async def test_notice_is_sent_before_the_call_goes_on() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        await go.wait()
        return ANSWER

    exchange = calling(answer).ask("tools/call", {"name": "echo"})
    await exchange.until(b"notifications/progress")
    assert not exchange.is_whole
    go.set()
    assert len((await exchange.done()).messages) == 2


async def test_client_that_takes_no_streams_gets_the_answer_alone() -> None:
    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        return ANSWER

    exchange = await calling(answer).ask("tools/call", {"name": "echo"}, accept="application/json").done()
    assert exchange.json["result"] == ANSWER


async def test_refusal_after_a_notice_is_the_last_event() -> None:
    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        raise Refused(Reason.UPSTREAM_BROKEN)

    exchange = await calling(answer).ask("tools/list").done()
    assert (exchange.status, exchange.messages[-1]["error"]["code"], exchange.is_whole) == (200, 5021, True)


async def test_hang_up_cancels_the_call_and_nothing_more_is_sent() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    house = calling(answer)
    exchange = house.ask("tools/call", {"name": "echo"})
    await entered.wait()
    exchange.hang_up()
    await exchange.done()
    assert (house.spine.cancelled, exchange.head) == (house.spine.handled, None)
    assert house.tally.answers == [(499, Era.EXCHANGE)]


async def test_cancelling_at_the_end_of_a_drain_says_that_the_call_may_have_run() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    exchange = calling(answer).ask("tools/list")
    await entered.wait()
    exchange.task.cancel()
    await exchange.done()
    assert exchange.json["error"]["code"] == 4990


async def test_long_wait_becomes_a_stream_that_is_kept_alive() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await go.wait()
        return ANSWER

    house = calling(answer)
    exchange = house.ask("tools/call", {"name": "echo"})
    await asyncio.sleep(0)
    for now in (14, 15, 29, 30):
        house.now = now
        for waiting in house.door.pulse.due():
            await waiting.beat()
    assert exchange.raw == b":\n\n:\n\n"
    go.set()
    assert (await exchange.done()).messages == [{"jsonrpc": "2.0", "id": 7, "result": ANSWER}]
    house.now = 100
    assert house.door.pulse.due() == ()


async def test_removed_method_is_left_to_the_spine() -> None:
    house = House()
    await house.ask("initialize").done()
    assert [inbound.request.method for inbound in house.spine.handled] == ["initialize"]


SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
ALL = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}


async def test_subscription_is_acknowledged_filtered_stamped_and_ended_gracefully_at_drain() -> None:
    house = House()
    wanted = {"toolsListChanged": True, "promptsListChanged": False, "resourceSubscriptions": ["file:///a"], "taskIds": ["x"]}
    exchange = house.ask("subscriptions/listen", {"notifications": wanted})
    await exchange.until(b"acknowledged")
    for kind in ("prompts", "tools"):
        house.spine.turn.put_nowait(Notice(f"notifications/{kind}/list_changed", {}))
    await exchange.until(b"list_changed")
    house.door.drain()
    await exchange.done()
    stamp = {SUBSCRIPTION: 7}
    assert exchange.messages == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": {"notifications": {"toolsListChanged": True}, "_meta": stamp},
        },
        {"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": stamp}},
        {"jsonrpc": "2.0", "id": 7, "result": {"resultType": "complete", "_meta": stamp}},
    ]
    assert (exchange.is_whole, house.spine.listening) == (True, 0)


async def test_subscription_ends_when_its_client_goes() -> None:
    house = House()
    exchange = house.ask("subscriptions/listen", {"notifications": ALL})
    await exchange.until(b"acknowledged")
    exchange.hang_up()
    await exchange.done()
    assert (len(exchange.messages), exchange.is_whole, house.spine.listening) == (1, False, 0)


async def test_subscription_of_a_revoked_caller_ends_at_the_next_beat() -> None:
    house = House()
    exchange = house.ask("subscriptions/listen", {"notifications": ALL})
    await exchange.until(b"acknowledged")
    house.spine.revoked.add("Bearer key-of-ada")
    house.now = 15
    for waiting in house.door.pulse.due():
        await waiting.beat()
    assert (await exchange.done()).messages[-1]["result"]["resultType"] == "complete"


async def test_subscription_needs_a_client_that_takes_streams() -> None:
    answer = await House().ask("subscriptions/listen", {"notifications": ALL}, accept="application/json").done()
    assert answer.status == 406


async def test_subscription_without_a_filter_is_an_error_of_the_parameters() -> None:
    answer = await House().ask("subscriptions/listen").done()
    assert (answer.status, answer.json["error"]["code"]) == (400, -32602)


async def test_one_caller_can_hold_only_so_many_streams() -> None:
    house = House()
    held = [house.ask("subscriptions/listen", {"notifications": ALL}) for _ in range(32)]
    for exchange in held:
        await exchange.until(b"acknowledged")
    one_more = await house.ask("subscriptions/listen", {"notifications": ALL}).done()
    assert (one_more.status, one_more.json["error"]["code"]) == (429, 4291)
    held[0].hang_up()
    await held[0].done()
    other = house.ask("subscriptions/listen", {"notifications": ALL})
    await other.until(b"acknowledged")
    house.door.drain()
    for exchange in (*held[1:], other):
        assert (await exchange.done()).is_whole
