"""An agent puts a second field beside one that is decided on, in other letters: many servers (Go's encoding/json) take the last of both."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from doorward.domain.calls import Era
from doorward.domain.reasons import Reason
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, playbook
from doorward.testing.trace import GotRefusal, Sent
from doorward.testing.upstream import SHOWN, tool

BANK = replace(
    SHOWN,
    tools=({**tool("pay"), "inputSchema": {"type": "object"}},),
    prompts=({"name": "ask", "arguments": [{"name": "about"}]},),
    resources=({"name": "readme", "uri": "file:///readme"},),
)
PLAN = Plan({"bank": BANK}, document={"budgets": {"payments": {"unit": "amount", "amount": "/payment/amount", "limit": 100}}})
CHEAP = {"payment": {"amount": 1}}
DEAR = {"payment": {"amount": 5000}}
REF = {"type": "ref/prompt", "name": "ask"}


@pytest.mark.anyio
@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "pay", "arguments": CHEAP, "Arguments": DEAR}),
        ("tools/call", {"name": "pay", "argument\u017f": DEAR, "arguments": CHEAP}),
        ("tools/call", {"name": "pay", "NAME": "withdraw", "arguments": CHEAP}),
        ("tools/call", {"name": "pay", "arguments": CHEAP, "_Meta": {}}),
        ("tools/call", {"name": "pay", "arguments": CHEAP, "RequestState": "x"}),
        ("tools/call", {"name": "pay", "arguments": {**CHEAP, "Payment": DEAR["payment"]}}),
        ("prompts/get", {"name": "ask", "Name": "secret"}),
        ("prompts/get", {"name": "ask", "arguments": {"about": "it", "About": "them"}}),
        ("resources/read", {"uri": "file:///readme", "URI": "file:///etc/passwd"}),
        ("completion/complete", {"ref": {**REF, "Name": "secret"}, "argument": {"name": "about", "value": ""}}),
        ("completion/complete", {"ref": REF, "Ref": {**REF, "name": "secret"}, "argument": {"name": "about", "value": ""}}),
    ],
)
async def test_what_an_upstream_might_read_in_place_of_what_is_decided_on_is_not_sent(
    era: Era, method: str, params: Mapping[str, object]
) -> None:
    async with playbook(PLAN) as book:
        trace = await book.play(Stimulus(method, params, endpoint="bank", era=era))
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.INVALID_PARAMS]
        assert not [step for step in trace if isinstance(step, Sent)]


@pytest.mark.anyio
async def test_an_amount_that_might_be_read_from_another_field_is_not_paid() -> None:
    async with playbook(PLAN) as book:
        for payment in ({"amount": 1, "Amount": 5000}, {"amount": 1, "a_mount": 5000}):
            trace = await book.play(Stimulus("tools/call", {"name": "pay", "arguments": {"payment": payment}}, endpoint="bank"))
            assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.OVER_BUDGET]
        assert book.house.upstream("bank").orders == []


@pytest.mark.anyio
async def test_fields_that_nobody_here_knows_go_upstream_as_ever() -> None:
    async with playbook(PLAN) as book:
        params = {"name": "pay", "arguments": CHEAP, "argument": 1, "names": [], "context": {}}
        (order,) = [step for step in await book.play(Stimulus("tools/call", params, endpoint="bank")) if isinstance(step, Sent)]
        assert order.params == params
