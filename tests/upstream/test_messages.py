"""Printing requests, and reading an answer as the answer to exactly one."""

import pytest

from doorward.domain.calls import Answer, Era, Fault
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.messages import answer, exchange_params, read, read_response, reply, session_params
from doorward.wire.jsonrpc import Request, Response
from tests.upstream.kit import TONGUE, order

OURS = "io.modelcontextprotocol/"


def test_envelope_is_ours_whatever_the_caller_put_into_meta() -> None:
    asked = order(
        meta={"progressToken": "theirs", f"{OURS}protocolVersion": "1999", "traceparent": "00-a", "x/y": 1}, capabilities={"sampling": {}}
    )
    assert exchange_params(asked, 7, "2026-07-28", {"name": "doorward"})["_meta"] == {
        "traceparent": "00-a",
        "x/y": 1,
        "progressToken": 7,
        f"{OURS}protocolVersion": "2026-07-28",
        f"{OURS}clientCapabilities": {"sampling": {}},
        f"{OURS}clientInfo": {"name": "doorward"},
    }


def test_session_era_request_has_meta_only_where_there_is_something_to_say() -> None:
    assert "_meta" not in session_params(order(), None)
    assert session_params(order(meta={"progressToken": "theirs", "a": 1}), None)["_meta"] == {"a": 1}
    assert session_params(order(), 7)["_meta"] == {"progressToken": 7}


@pytest.mark.parametrize("found", [8, "7", None, True])
def test_answer_to_another_request_is_refused(found: object) -> None:
    body: dict[str, object] | Fault = Fault(1, "x") if found is None else {}
    with pytest.raises(Refused) as caught:
        answer(TONGUE, Response(found, body), 7 if found is not True else 1, Era.SESSION, 2)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.MAYBE)


@pytest.mark.parametrize(
    ("era", "result_type", "is_valid"),
    [
        (Era.EXCHANGE, "complete", True),
        (Era.EXCHANGE, "input_required", True),
        (Era.EXCHANGE, "task", False),
        (Era.EXCHANGE, "COMPLETE", False),
        (Era.EXCHANGE, None, False),
        (Era.SESSION, "anything", True),
    ],
)
def test_result_of_an_unknown_type_is_invalid_in_the_exchange_era(era: Era, result_type: object, is_valid: bool) -> None:
    response = Response(7, {"resultType": result_type})
    if is_valid:
        assert answer(TONGUE, response, 7, era, 5) == Answer(response.body, 5)
        return
    with pytest.raises(Refused):
        answer(TONGUE, response, 7, era, 5)


def test_result_without_a_type_is_complete() -> None:
    assert answer(TONGUE, Response(7, {"x": None}), 7, Era.EXCHANGE, 5) == Answer({"x": None}, 5)


def test_wish_to_open_a_page_is_refused_with_a_sentence() -> None:
    with pytest.raises(Refused) as caught:
        answer(TONGUE, Response(7, Fault(-32042, "open", {"elicitations": []})), 7, Era.SESSION, 5)
    assert caught.value.reason is Reason.MISSING_CAPABILITY
    assert "`demo`" in caught.value.public


@pytest.mark.parametrize(
    "octets", [b"", b"{", b"[]", b'{"jsonrpc":"2.0","id":1,"id":1,"result":{}}', b'{"jsonrpc":"2.0","id":1,"result":NaN}', b"\xff"]
)
def test_what_is_no_strict_message_is_a_broken_answer(octets: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read(TONGUE, octets)
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.MAYBE)
    assert read_response(TONGUE, octets) is None


def test_ping_is_answered_and_any_other_request_is_not_offered() -> None:
    assert reply(Request(3, "ping", {})) == b'{"jsonrpc":"2.0","id":3,"result":{}}'
    assert b'"code":-32601' in reply(Request("x", "sampling/createMessage", {}))
