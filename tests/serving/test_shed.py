"""A full gateway: what is turned away before it is read, and what is read all the same; and what is left, in header fields."""

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Fault
from doorward.domain.reasons import Reason, Refused
from doorward.wire.limits import LIMITS_KEY
from tests.serving.asgi import House

pytestmark = pytest.mark.anyio

ENTRY = {"name": "payments", "quota": 10, "windowSeconds": 60, "left": 3, "resetSeconds": 6}
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
