"""What goes back to a caller."""

import json
from typing import Any

import pytest

from doorward.domain.calls import Era, Fault
from doorward.domain.ids import PolicyId
from doorward.domain.reasons import TABLE, Ran, Reason, Refused, Shape
from doorward.wire.replies import Rendered, body, error_body, fault_status, fault_to_exchange, fault_to_session, refusal, result_body

SECRET = "detail for operators"


def refused(reason: Reason, **more: Any) -> Refused:
    """A refusal with a reference, and with what no caller may see."""
    made = Refused(reason, SECRET, policies=(PolicyId("secret-policy"),), **more)
    made.reference = "01abc"
    return made


def test_results_and_errors_are_printed_as_json_rpc() -> None:
    assert json.loads(result_body(7, {"tools": []})) == {"jsonrpc": "2.0", "id": 7, "result": {"tools": []}}
    assert json.loads(error_body("x", Fault(-32601, "no"))) == {"jsonrpc": "2.0", "id": "x", "error": {"code": -32601, "message": "no"}}
    assert json.loads(error_body(None, Fault(1, "no", {"a": 1}))) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": 1, "message": "no", "data": {"a": 1}},
    }
    assert body(1, Fault(1, "no")) == error_body(1, Fault(1, "no"))
    assert body(1, {"a": 1}) == result_body(1, {"a": 1})


def test_a_refused_tool_call_that_a_model_can_react_to_is_a_result() -> None:
    made = refused(Reason.OVER_RATE, extra={"retryAfterSeconds": 3})
    shown = {
        "content": [{"type": "text", "text": "Too many calls. Wait before the next one. (reference 01abc)"}],
        "isError": True,
        "_meta": {"dev.doorward/reason": "over_rate", "dev.doorward/receipt": "01abc", "dev.doorward/retryAfterSeconds": 3},
    }
    assert refusal(made, "tools/call", Era.SESSION) == Rendered(200, shown)
    assert refusal(made, "tools/call", Era.EXCHANGE) == Rendered(200, {**shown, "resultType": "complete"})


def test_any_other_refused_call_is_an_error_with_the_status_of_its_reason_in_the_exchange_era_and_200_in_the_session_era() -> None:
    made = refused(Reason.FORBIDDEN, sentence="Not on Sundays.", extra={"hidden": True, "retryAfterSeconds": 9})
    fault = Fault(4030, "Not on Sundays. (reference 01abc)", {"reason": "forbidden", "reference": "01abc", "retryAfterSeconds": 9})
    assert refusal(made, "prompts/get", Era.EXCHANGE) == Rendered(403, fault)
    assert refusal(made, "prompts/get", Era.SESSION) == Rendered(200, fault)


def test_session_era_clients_see_an_http_error_only_where_it_means_what_they_read_in_it() -> None:
    statuses = {reason: refusal(refused(reason), "resources/read", Era.SESSION).status for reason in Reason}
    assert {reason: status for reason, status in statuses.items() if status != 200} == {
        Reason.MALFORMED: 400,
        Reason.UNKNOWN_SESSION: 404,
        Reason.UNAUTHENTICATED: 401,
        Reason.REVOKED: 401,
        Reason.INSUFFICIENT_SCOPE: 403,
        Reason.OVERLOADED: 503,
        Reason.DRAINING: 503,
    }


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("method", ["tools/call", "tools/list", ""])
def test_no_refusal_shows_what_is_for_operators(reason: Reason, era: Era, method: str) -> None:
    rendered = refusal(refused(reason), method, era)
    printed = body(1, rendered.body)
    assert SECRET.encode() not in printed
    assert b"secret-policy" not in printed
    assert TABLE[reason].sentence.encode() in printed
    assert b"01abc" in printed
    assert isinstance(rendered.body, Fault) != (TABLE[reason].shape is Shape.TOOL_RESULT and method == "tools/call")


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize(("one", "other"), [(Reason.DRIFTED, Reason.UNKNOWN_TARGET), (Reason.REVOKED, Reason.UNAUTHENTICATED)])
def test_what_hides_looks_the_same_as_what_it_hides_behind(one: Reason, other: Reason, era: Era) -> None:
    assert refusal(refused(one), "tools/call", era) == refusal(refused(other), "tools/call", era)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (refused(Reason.UNSAFE_RESPONSE, ran=Ran.YES), "The call ran; its result is withheld."),
        (refused(Reason.UNSAFE_RESPONSE, ran=Ran.YES, sentence="It held a secret."), "It held a secret. The call ran."),
        (refused(Reason.UPSTREAM_TIMEOUT, ran=Ran.MAYBE), "The upstream did not answer in time; the call may have run."),
        (refused(Reason.INTERNAL, ran=Ran.MAYBE), "The gateway failed. The call may have run."),
        (
            refused(Reason.STOPPED, ran=Ran.MAYBE, sentence="Stopped while it ran; it may have run."),
            "Stopped while it ran; it may have run.",
        ),
        (refused(Reason.INTERNAL), "The gateway failed."),
    ],
)
def test_a_refusal_says_whether_the_call_ran_or_may_have_run(made: Refused, sentence: str) -> None:
    fault = refusal(made, "resources/read", Era.EXCHANGE).body
    assert isinstance(fault, Fault)
    assert fault.message == f"{sentence} (reference 01abc)"


def test_a_refusal_without_a_leaf_names_no_reference() -> None:
    assert refusal(Refused(Reason.MALFORMED), "", Era.EXCHANGE) == Rendered(
        400, Fault(-32700, "The message is not well-formed JSON.", {"reason": "malformed"})
    )


def test_a_version_that_is_not_spoken_is_answered_with_those_that_are() -> None:
    made = Refused(Reason.UNSUPPORTED_VERSION, extra={"supported": ["2026-07-28"], "requested": "2099-01-01"})
    assert refusal(made, "tools/list", Era.EXCHANGE) == Rendered(
        400,
        Fault(
            -32022,
            "This protocol version is not supported.",
            {"supported": ["2026-07-28"], "requested": "2099-01-01", "reason": "unsupported_version"},
        ),
    )


@pytest.mark.parametrize(
    ("method", "code", "session", "exchange"),
    [
        ("resources/read", -32602, -32002, -32602),
        ("resources/read", -32002, -32002, -32602),
        ("tools/call", -32602, -32602, -32602),
        ("tools/call", -32042, -32042, -32603),
        ("tools/call", -32020, -32603, -32603),
        ("tools/call", -32022, -32603, -32603),
        ("tools/call", -32021, -32021, -32021),
        ("tools/call", 42, 42, 42),
    ],
)
def test_an_upstreams_error_carries_the_code_of_its_readers_era(method: str, code: int, session: int, exchange: int) -> None:
    fault = Fault(code, "as it was", {"uri": "x:y"})
    assert fault_to_session(method, fault) == Fault(session, "as it was", {"uri": "x:y"})
    assert fault_to_exchange(fault) == Fault(exchange, "as it was", {"uri": "x:y"})


def test_an_upstreams_error_has_the_status_that_the_specification_gives_its_code() -> None:
    codes = (-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022, -32000, 5)
    assert [fault_status(Fault(code, "")) for code in codes] == [400, 400, 404, 400, 200, 400, 400, 400, 200, 200]
