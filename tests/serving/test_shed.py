"""A full gateway: what is turned away before it is read, and what is read all the same; and what is left, in header fields."""

import asyncio
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from doorward.admission.intake import BYTES, BYTES_OF_AGENT, REQUESTS, Bounds
from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Fault, Notice
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.wire.limits import LIMITS_KEY, Entry
from tests.serving.asgi import HOST, KEY, FakeSpine, House

pytestmark = pytest.mark.anyio

ENTRY: Entry = {"name": "payments", "quota": 10, "windowSeconds": 60, "left": 3, "resetSeconds": 6}
FIELDS = ('"payments";q=10;w=60', '"payments";r=3;t=6')


async def test_a_request_to_a_full_gateway_is_turned_away_before_anybody_is_identified_and_anything_read() -> None:
    house = House()
    house.is_full = True
    for body in (b"not even JSON", b"{}"):
        answer = await house.post(body, {"authorization": "Bearer nobody"}).done()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert answer.json == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {
                "code": 5030,
                "message": "The gateway is busy. Try again shortly.",
                "data": {"limit": "admission.in_flight", "retryAfterSeconds": 1, "reason": "overloaded"},
            },
        }
    assert ([status for status, _ in house.tally.answers], house.spine.handled, house.spine.turned) == ([503, 503], [], [])


async def test_what_may_end_a_call_is_read_however_full_the_gateway_is() -> None:
    house = House()
    client = await house.session()
    house.is_full = True
    assert (await client.notify("notifications/cancelled", {"requestId": 1}).done()).status == 202
    assert (await client.ask("tools/call", {"name": "echo", "arguments": {"text": "x" * 1024}}).done()).status == 503
    assert (await client.delete().done()).status == 200


async def test_a_gateway_that_has_room_again_answers() -> None:
    house = House()
    house.is_full = True
    assert (await house.ask("tools/list").done()).status == 503
    house.is_full = False
    assert (await house.ask("tools/list").done()).status == 200


async def test_what_a_result_tells_of_limits_is_in_its_header_fields_too() -> None:
    house = House()

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object]:
        return {"resultType": "complete", "_meta": {LIMITS_KEY: [ENTRY]}}

    house.spine.answer = answer
    told = await house.ask("tools/list").done()
    assert (told.headers["ratelimit-policy"], told.headers["ratelimit"]) == FIELDS


async def test_nothing_of_a_call_is_held_by_its_reply_once_that_has_gone_out() -> None:
    house, held = House(), list[Callable[[], object]]()

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object]:
        def left() -> tuple[Entry, ...]:
            return (ENTRY,)

        inbound.limited(left)
        held.append(weakref.ref(left))
        return {"resultType": "complete"}

    house.spine.answer = answer
    assert (await house.ask("tools/list").done()).status == 200
    assert [one() for one in held] == [None]


async def test_an_error_of_the_upstream_and_a_refusal_for_anything_else_tell_what_is_left_in_header_fields_alone() -> None:
    house = House()
    ends: list[Fault | Reason] = [Fault(-32000, "no", {"why": "so"}), Reason.UPSTREAM_TIMEOUT, Reason.UNKNOWN_TARGET]

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object] | Fault:
        end = ends.pop(0)
        inbound.limited(lambda: (ENTRY,))
        if isinstance(end, Fault):
            return end
        raise Refused(end)

    house.spine.answer = answer
    failed = await house.ask("tools/call", {"name": "echo"}).done()
    assert (failed.headers["ratelimit-policy"], failed.headers["ratelimit"]) == FIELDS
    assert failed.json["error"] == {"code": -32000, "message": "no", "data": {"why": "so"}}
    assert (await house.ask("tools/call", {"name": "echo"}).done()).headers["ratelimit"] == FIELDS[1]
    # What the caller is not to know of has no limits either.
    assert "ratelimit" not in (await house.ask("tools/call", {"name": "echo"}).done()).headers


async def test_a_stream_tells_what_is_left_when_it_begins() -> None:
    house = House()
    left: list[Entry] = [{**ENTRY, "left": 9}, {**ENTRY, "left": 3}]

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object] | Fault:
        inbound.limited(lambda: (left[-1],))
        await notices(Notice("notifications/progress", {"progressToken": 1, "progress": 1}))
        left.pop()
        return {"resultType": "complete", "_meta": {LIMITS_KEY: [left[-1]]}}

    house.spine.answer = answer
    told = await house.ask("tools/call", {"name": "echo"}).done()
    assert (told.headers["content-type"], told.headers["ratelimit-policy"], told.headers["ratelimit"]) == ("text/event-stream", *FIELDS)


async def test_a_refusal_by_a_limit_names_it_in_its_data_and_header_fields() -> None:
    house = House()

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object] | Fault:
        extra = {"limit": "payments", "retryAfterSeconds": 6, LIMITS_KEY: (ENTRY,)}
        raise Refused(Reason.OVER_RATE, sentence="The limit `payments` is reached.", extra=extra)

    house.spine.answer = answer
    listed = await house.ask("tools/list").done()
    assert (listed.status, listed.headers["retry-after"]) == (429, "6")
    assert (listed.headers["ratelimit-policy"], listed.headers["ratelimit"]) == FIELDS
    assert listed.json["error"]["data"] == {"limit": "payments", "retryAfterSeconds": 6, LIMITS_KEY: [ENTRY], "reason": "over_rate"}
    called = await house.ask("tools/call", {"name": "echo"}).done()
    assert (called.status, called.headers["ratelimit"]) == (200, FIELDS[1])
    meta = called.json["result"]["_meta"]
    assert {name: value for name, value in meta.items() if name != "dev.doorward/reason"} == {
        "dev.doorward/limit": "payments",
        "dev.doorward/retryAfterSeconds": 6,
        LIMITS_KEY: [ENTRY],
    }


async def test_a_full_door_turns_away_before_anybody_is_identified_and_lets_pass_what_may_end_a_call() -> None:
    house = House()
    client = await house.session()
    house.intake.bounds = Bounds(requests=1)
    with occupied(house):
        shed = await house.post(b"not even JSON", {"authorization": "Bearer nobody"}).done()
        assert (shed.status, shed.headers["retry-after"], shed.json["error"]["data"]["limit"]) == (503, "1", REQUESTS)
        assert (await client.notify("notifications/cancelled", {"requestId": 1}).done()).status == 202
        assert (await client.ask("ping").done()).json["result"] == {}
        assert (await client.ask("tools/list").done()).json["error"]["data"]["reason"] == "overloaded"
        assert (await client.ask("tools/call", {"name": "echo", "arguments": {"text": "x" * 1024}}).done()).status == 503
        assert house.spine.handled == []
    assert (await house.ask("tools/list").done()).status == 200
    assert nothing_is_left(house)


async def test_an_agent_over_its_bytes_is_told_so_before_its_body_is_read_and_others_go_on() -> None:
    house = House()
    house.intake.bounds = Bounds(bytes_of_agent=2000)
    over = await house.post(b"not even JSON", {"content-length": "2001"}).done()
    assert (over.status, over.headers["retry-after"], over.json["error"]["message"]) == (
        429,
        "1",
        "Too much at once: your requests and their answers hold at most 2000 bytes together. Wait for one to end, then try again.",
    )
    assert over.json["error"]["data"]["limit"] == BYTES_OF_AGENT
    assert house.spine.turned == [("ada", Reason.OVER_CONCURRENCY)]
    assert (await house.ask("tools/list").done()).status == 200
    assert nothing_is_left(house)


async def test_a_body_whose_length_is_not_said_is_counted_as_it_comes() -> None:
    house = House()
    house.intake.bounds = Bounds(bytes_of_agent=2000)
    usual = [(b"host", HOST.encode()), (b"authorization", KEY.encode()), (b"content-type", b"application/json")]
    pieces = [b"x" * 1000, b"x" * 1000, b"x", b"never read"]
    over = house.raw("POST", [*usual, (b"transfer-encoding", b"chunked")], *pieces)
    assert ((await over.done()).status, over._pieces) == (429, [{"type": "http.request", "body": b"never read", "more_body": False}])
    assert nothing_is_left(house)


async def test_bytes_of_everybody_are_bounded_too() -> None:
    house = House()
    house.intake.bounds = Bounds(bytes=2000)
    with occupied(house, 1900):
        over = await house.ask("tools/list", {"text": "x" * 100}).done()
        assert (over.status, over.json["error"]["data"]["limit"]) == (503, BYTES)
    assert (await house.ask("tools/list", {"text": "x" * 100}).done()).status == 200


async def test_a_stream_holds_no_place_in_the_door() -> None:
    house = House()
    listening = house.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
    await listening.until(b"acknowledged")
    assert nothing_is_left(house)
    house.door.drain()
    await listening.done()
    assert nothing_is_left(house)


async def _fails(inbound: Inbound, notices: Notices) -> dict[str, object]:
    raise RuntimeError("a fault of ours")


async def _refuses(inbound: Inbound, notices: Notices) -> dict[str, object]:
    raise Refused(Reason.UNRECORDED)


async def _streams(inbound: Inbound, notices: Notices) -> dict[str, object]:
    await notices(Notice("notifications/progress", {"progress": 1}))
    return {"resultType": "complete"}


async def _waits(inbound: Inbound, notices: Notices) -> dict[str, object]:
    await notices(Notice("notifications/progress", {"progress": 1}))
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("answer", [None, _fails, _refuses, _streams])
async def test_a_place_is_given_back_however_a_call_is_answered(answer: Any) -> None:
    house = House(FakeSpine(answer))
    await house.ask("tools/call", {"name": "echo"}).done()
    assert nothing_is_left(house)


async def test_a_place_is_given_back_when_the_client_hangs_up_or_cancels_or_the_drain_ends_the_task() -> None:
    house = House(FakeSpine(_waits))
    client = await house.session()
    gone, cancelled, cut = house.ask("tools/call"), client.ask("tools/call", request_id=1), client.ask("tools/call", request_id=2)
    for one in (gone, cancelled, cut):
        await one.until(b"progress")
    assert (house.intake.requests, house.intake.requests_of(AgentId("ada"))) == (3, 3)
    gone.hang_up()
    await client.notify("notifications/cancelled", {"requestId": 1}).done()
    cut.task.cancel()
    for one in (gone, cancelled, cut):
        await one.done()
    assert nothing_is_left(house)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"not even JSON", {}),
        (b"{}", {"authorization": "Bearer nobody"}),
        (b"{}", {"content-type": "text/plain"}),
        (b"{}", {"content-length": "9999999"}),
        (b"{}", {"mcp-protocol-version": "1999-01-01"}),
    ],
)
async def test_a_place_is_given_back_by_what_is_turned_away(body: bytes, headers: dict[str, str]) -> None:
    house = House()
    assert (await house.post(body, headers).done()).status >= 400
    assert nothing_is_left(house)


async def test_a_place_is_given_back_when_the_body_never_comes() -> None:
    house = House()
    usual = {"content-type": "application/json", "content-length": "50"}
    gone = house.open("POST", usual)
    await gone.done()
    assert (gone.head, nothing_is_left(house)) == (None, True)


@contextmanager
def occupied(house: House, count: int = 0) -> Iterator[None]:
    """While somebody else has a place in the door, and so many bytes."""
    place = house.intake.enter()
    place.claim(AgentId("eve"), count)
    try:
        yield
    finally:
        place.leave()


def nothing_is_left(house: House) -> bool:
    """Whether the door holds nothing of anybody."""
    return (house.intake.requests, house.intake.bytes, house.intake.requests_of(AgentId("ada"))) == (0, 0, 0)
