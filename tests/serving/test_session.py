"""The session era: sessions, HTTP 200 for errors, calls that outlive their connection, resumption, cancellation, the GET stream."""

import asyncio
from typing import Any

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.reasons import Reason, Refused
from doorward.serving.resume import Kept
from tests.serving.asgi import ANSWER, SESSION, Client, FakeSpine, House

pytestmark = pytest.mark.anyio

PROGRESS = Notice("notifications/progress", {"progressToken": "t", "progress": 1})
CHANGED = Notice("notifications/tools/list_changed", {})


class Paused:
    """An answer in three steps: a notice, a wait, another notice and the end."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        self.entered.set()
        await self.go.wait()
        await notices(PROGRESS)
        return ANSWER


async def silent(inbound: Inbound, notices: Notices) -> Any:
    await asyncio.Event().wait()


async def test_session_is_opened_used_and_ended() -> None:
    house = House()
    client = await house.session()
    assert (await client.notify("notifications/initialized").done()).status == 202
    answer = await client.ask("tools/call", {"name": "echo", "_meta": {"progressToken": 3, "own": 1}}).done()
    assert (answer.status, answer.json) == (200, {"jsonrpc": "2.0", "id": 1, "result": ANSWER})
    (inbound,) = house.spine.handled
    assert (inbound.era, inbound.version, inbound.session, inbound.progress_token, inbound.meta) == (
        Era.SESSION,
        SESSION,
        "id-0",
        3,
        {"own": 1},
    )
    assert (await client.delete().done()).status == 200
    after = await client.ask("tools/list").done()
    assert (after.status, after.json["error"]["code"]) == (404, -32600)


async def test_request_without_a_session_is_refused_with_400() -> None:
    house = House()
    for exchange in (
        house.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, {}),
        house.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, {}),
        house.post({"jsonrpc": "2.0", "id": 1, "result": {}}, {}),
        house.open("GET", {"accept": "text/event-stream"}),
        house.open("DELETE", {}),
    ):
        assert (await exchange.done()).status == 400
    assert house.spine.handled == []


@pytest.mark.parametrize(
    "change",
    [{"mcp-session-id": "session-1"}, {"mcp-session-id": "session-0x"}, {"authorization": "Bearer key-of-eve"}],
    ids=["unknown", "forged", "of another principal"],
)
async def test_session_that_is_not_the_callers_looks_like_none(change: dict[str, str]) -> None:
    house = House()
    client = await house.session()
    other = Client(house, {**client.headers, **change})
    answers = [await exchange.done() for exchange in (other.ask("tools/list"), other.notify("x"), other.listen(), other.delete())]
    assert [answer.status for answer in answers] == [404, 404, 404, 404]
    assert (await client.ask("tools/list").done()).status == 200


async def test_session_holds_for_its_endpoint_alone() -> None:
    house = House()
    client = await house.session()
    answer = await house.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, client.headers, path="/mcp/files").done()
    assert answer.status == 404


async def test_version_header_may_be_missing_once_there_is_a_session() -> None:
    house = House()
    client = await house.session("2025-03-26")
    assert (await client.ask("tools/list", mcp_protocol_version="").done()).status == 200
    assert house.spine.handled[0].version == "2025-03-26"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"mcp_method": "tools/list"}, None),
        ({"mcp_method": "tools/call"}, -32020),
        ({"mcp_name": "read_calendar"}, -32020),
    ],
    ids=["says the same", "another method", "a name that the body has not"],
)
async def test_routing_headers_that_nobody_asked_for_say_what_the_body_says(headers: dict[str, str], code: int | None) -> None:
    house = House()
    client = await house.session()
    answer = await client.ask("tools/list", None, 1, **headers).done()
    assert answer.json.get("error", {}).get("code") == code


async def test_ping_is_answered_here() -> None:
    house = House()
    client = await house.session()
    assert (await client.ask("ping", request_id="p").done()).json == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert house.spine.handled == []


async def test_errors_of_a_session_are_http_200() -> None:
    async def refuses(inbound: Inbound, notices: Notices) -> Any:
        if inbound.request.method == "tools/list":
            raise Refused(Reason.UNKNOWN_TARGET)
        return Fault(-32601, "no such method")

    client = await House(FakeSpine(refuses)).session()
    for method, code in (("tools/list", -32602), ("prompts/list", -32601)):
        answer = await client.ask(method).done()
        assert (answer.status, answer.json["error"]["code"]) == (200, code)


async def test_responses_and_other_notifications_are_taken_and_dropped() -> None:
    house = House()
    client = await house.session()
    response = await house.post({"jsonrpc": "2.0", "id": 9, "result": {}}, client.headers).done()
    notified = await client.notify("notifications/roots/list_changed").done()
    assert (response.status, response.raw, notified.status, notified.raw) == (202, b"", 202, b"")


async def test_request_with_the_id_of_a_running_one_is_refused() -> None:
    step = Paused()
    client = await House(FakeSpine(step)).session()
    first = client.ask("tools/call", {"name": "echo"}, 1)
    await step.entered.wait()
    again = await client.ask("tools/call", {"name": "echo"}, 1).done()
    assert again.json["error"]["code"] == -32600
    step.go.set()
    assert (await first.done()).messages[-1]["result"] == ANSWER


async def test_cancelled_notification_cancels_the_call_of_that_session_and_id_alone() -> None:
    house = House(FakeSpine(silent))
    client, other = await house.session(), await house.session()
    running = client.ask("tools/call", {"name": "echo"}, "1")
    await asyncio.sleep(0)
    for who, request_id in ((other, "1"), (client, 1), (client, None), (client, ["1"])):
        await who.notify("notifications/cancelled", {"requestId": request_id}).done()
    assert house.spine.cancelled == []
    await client.notify("notifications/cancelled", {"requestId": "1"}).done()
    answer = await running.done()
    assert (answer.json["error"]["code"], len(house.spine.cancelled)) == (4990, 1)


async def test_end_of_a_session_ends_what_is_going_on_in_it() -> None:
    house = House(FakeSpine(silent))
    client = await house.session()
    running, stream = client.ask("tools/call", {"name": "echo"}), client.listen()
    await stream.begun()
    await client.delete().done()
    assert (await running.done()).json["error"]["code"] == 4990
    assert (await stream.done()).is_whole


async def test_hang_up_lets_the_call_go_on_and_its_events_can_be_had_again() -> None:
    step = Paused()
    house = House(FakeSpine(step))
    client = await house.session()
    lost = client.ask("tools/call", {"name": "echo"})
    await step.entered.wait()
    first, second = lost.event_ids
    lost.hang_up()
    resumed = client.listen(last_event_id=first)
    await resumed.until(b"notifications/progress")
    step.go.set()
    await resumed.done()
    await lost.done()
    assert (house.spine.cancelled, lost.is_whole, len(lost.messages)) == ([], False, 1)
    assert [message.get("method", "result") for message in resumed.messages] == [
        "notifications/progress",
        "notifications/progress",
        "result",
    ]
    assert resumed.event_ids[0] == second
    later = await client.listen(last_event_id=resumed.event_ids[1]).done()
    assert (later.messages, later.is_whole) == ([{"jsonrpc": "2.0", "id": 1, "result": ANSWER}], True)


async def test_first_event_can_be_resumed_from_and_says_nothing() -> None:
    step = Paused()
    client = await House(FakeSpine(step)).session()
    exchange = client.ask("tools/call", {"name": "echo"})
    await step.entered.wait()
    assert exchange.raw.startswith(b"id: j0-0\ndata: \n\nid: j0-1\ndata: {")
    step.go.set()
    await exchange.done()


async def test_older_client_is_sent_no_empty_event() -> None:
    step = Paused()
    step.go.set()
    client = await House(FakeSpine(step)).session("2025-06-18")
    exchange = await client.ask("tools/call", {"name": "echo"}).done()
    assert exchange.raw.startswith(b"id: j0-0\ndata: {")
    assert b"data: \n" not in exchange.raw


async def test_message_goes_to_one_stream_alone_once_another_has_taken_over() -> None:
    step = Paused()
    client = await House(FakeSpine(step)).session()
    stale = client.ask("tools/call", {"name": "echo"})
    await step.entered.wait()
    resumed = client.listen(last_event_id="j0-1")
    await resumed.begun()
    step.go.set()
    await resumed.done()
    assert (len((await stale.done()).messages), [message.get("id") for message in resumed.messages]) == (1, [None, 1])


@pytest.mark.parametrize("event_id", ["j0", "j0-", "j0-x", "j9-0", "j0--1", "j0-99999999999999999999", "-0", "j0-\xb2"])
async def test_events_that_are_not_kept_cannot_be_resumed(event_id: str) -> None:
    step = Paused()
    step.go.set()
    client = await House(FakeSpine(step)).session()
    await client.ask("tools/call", {"name": "echo"}).done()
    assert (await client.listen(last_event_id=event_id).done()).status == 400


async def test_events_of_another_session_cannot_be_resumed() -> None:
    step = Paused()
    step.go.set()
    house = House(FakeSpine(step))
    client, other = await house.session(), await house.session()
    await client.ask("tools/call", {"name": "echo"}).done()
    assert (await other.listen(last_event_id="j0-0").done()).status == 400
    assert (await client.listen(last_event_id="j0-0").done()).status == 200


async def test_kept_events_expire() -> None:
    step = Paused()
    step.go.set()
    house = House(FakeSpine(step), kept=Kept(seconds=60))
    client = await house.session()
    await client.ask("tools/call", {"name": "echo"}).done()
    house.now = 59
    assert (await client.listen(last_event_id="j0-0").done()).status == 200
    house.now = 75
    assert (await client.listen(last_event_id="j0-0").done()).status == 400


async def test_call_without_a_stream_goes_on_after_a_hang_up_and_keeps_nothing() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await go.wait()
        await notices(PROGRESS)
        return ANSWER

    house = House(FakeSpine(answer))
    client = await house.session()
    exchange = client.ask("tools/call", {"name": "echo"})
    await asyncio.sleep(0)
    exchange.hang_up()
    go.set()
    await exchange.done()
    assert (exchange.head, house.spine.cancelled) == (None, [])


async def test_stream_of_a_session_carries_changes_and_ends_gracefully_at_drain() -> None:
    house = House()
    client = await house.session()
    stream = client.listen()
    house.spine.turn.put_nowait(CHANGED)
    await stream.until(b"list_changed")
    house.door.drain()
    await stream.done()
    assert (stream.messages, stream.is_whole) == ([{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}], True)
    after = await client.listen().done()
    assert (after.status, after.messages, after.is_whole) == (200, [], True)


async def test_stream_ends_when_there_will_be_no_more_changes() -> None:
    house = House()
    stream = (await house.session()).listen()
    house.spine.turn.put_nowait(None)
    assert ((await stream.done()).is_whole, house.spine.listening) == (True, 0)


async def test_session_has_one_stream_at_a_time() -> None:
    house = House()
    client = await house.session()
    first = client.listen()
    await first.begun()
    assert (await client.listen().done()).status == 409
    first.hang_up()
    await first.done()
    second = client.listen()
    await second.begun()
    assert second.status == 200
    house.door.drain()
    await second.done()


async def test_stream_is_kept_alive_and_ends_with_the_rights_of_its_caller() -> None:
    house = House()
    client = await house.session()
    stream = client.listen()
    await stream.begun()
    for now in (15, 30):
        house.now = now
        for waiting in house.door.pulse.due():
            await waiting.beat()
    assert stream.raw == b":\n\n:\n\n"
    house.spine.sessions.clear()
    house.now = 45
    for waiting in house.door.pulse.due():
        await waiting.beat()
    assert (await stream.done()).is_whole


async def test_stream_needs_a_client_that_takes_it() -> None:
    client = await House().session()
    assert (await client.listen(accept="application/json").done()).status == 406


async def test_nothing_of_a_finished_session_is_remembered() -> None:
    step = Paused()
    step.go.set()
    house = House(FakeSpine(step))
    client = await house.session()
    await client.ask("tools/call", {"name": "echo"}).done()
    await client.delete().done()
    assert (house.door._sessions._live, house.door._sessions._journals.size, house.door.pulse._due) == ({}, 0, {})
