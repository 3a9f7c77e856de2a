"""Intents and outcomes as tests need them."""

from dataclasses import replace

from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Allow
from doorward.domain.ids import CallId, Generation, PolicyId
from doorward.domain.receipts import Intent, Outcome, Status
from tests.made import call

BODY = {"content": [{"type": "text", "text": "done"}], "isError": False}


def numbered(number: str) -> Call:
    """A call with this id."""
    return replace(call({"account": 4711, "note": "x" * 100}), id=CallId(number))


def intent(of: Call) -> Intent:
    """An intent that policy allows."""
    return Intent(of, Allow((PolicyId("p1"),)), (), None, "static", Generation(3), "00-ab-cd-01")


def outcome(of: Call, status: Status = Status.DELIVERED) -> Outcome:
    """An outcome with a result."""
    return Outcome(of, status, None, "", (), Answer(BODY, 64), Reply(BODY), {"kind": "static", "id": "l1"}, 12)
