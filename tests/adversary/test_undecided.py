"""What goes upstream is what was decided on and recorded; nothing travels beside it, and an upstream asks for no more than it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from doorward.domain.reasons import Ran, Reason
from doorward.testing.house import Plan
from doorward.testing.playbook import playbook, tool_call
from doorward.testing.trace import Got, GotRefusal
from doorward.testing.upstream import says
from tests.call.steps import GIT, PLAN

CALL = tool_call("git__commit", {"n": 1})
SMUGGLED = {
    "elicitation": {"form": {"x": "AKIA-not-inspected"}, "exfiltrated": ["secret"] * 3},
    "sampling": {"tools": {}},
    "com.example": 1,
}


@pytest.mark.anyio
async def test_capabilities_are_told_in_the_protocols_own_words() -> None:
    async with playbook(PLAN) as book:
        await book.play(replace(CALL, capabilities=SMUGGLED), replace(CALL, capabilities={"elicitation": "text"}))
        told = [order.capabilities for order in book.house.upstream("git").orders]
        assert told == [{"elicitation": {"form": {}}}, {"elicitation": {}}]


@pytest.mark.anyio
async def test_a_call_is_made_no_task_where_no_tasks_are_offered() -> None:
    async with playbook(PLAN) as book:
        await book.play(replace(CALL, params={**CALL.params, "task": {"ttl": 86_400_000}}))
        [order] = book.house.upstream("git").orders
        assert "task" not in order.params


def asking(method: str, **params: object) -> Mapping[str, object]:
    return {"resultType": "input_required", "inputRequests": {"one": {"method": method, "params": params}}}


FORM = asking("elicitation/create", message="Your name?", requestedSchema={"type": "object", "properties": {}})
OPEN = asking("elicitation/create", mode="url", message="Open this", url="https://example.com")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("capabilities", "answer"),
    [
        ({"elicitation": {}, "sampling": {}}, asking("sampling/createMessage", messages=[])),
        ({"elicitation": {}, "roots": {}}, asking("roots/list")),
        ({"elicitation": {}}, OPEN),
        ({"elicitation": {"form": {}}}, OPEN),
        ({"elicitation": {"url": {}}}, FORM),
        ({}, FORM),
        ({"elicitation": {}}, asking("tools/call", name="git__push")),
        ({"elicitation": {}}, {"resultType": "input_required", "inputRequests": [1]}),
        ({"elicitation": {}}, {"resultType": "input_required", "inputRequests": {"one": 1}}),
    ],
)
async def test_an_upstream_that_asks_for_what_it_was_not_offered_is_not_heard(
    capabilities: Mapping[str, object], answer: Mapping[str, object]
) -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(answer))
        trace = await book.play(replace(CALL, capabilities=capabilities))
        assert [step for step in trace if isinstance(step, Got | GotRefusal)] == [GotRefusal(Reason.UPSTREAM_BROKEN, Ran.MAYBE)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("capabilities", "answer"),
    [
        ({"elicitation": {}}, FORM),
        ({"elicitation": {"form": {}, "url": {}}}, OPEN),
        ({}, {"resultType": "input_required", "requestState": "later"}),
    ],
)
async def test_an_upstream_that_asks_for_what_it_was_offered_is_heard(
    capabilities: Mapping[str, object], answer: Mapping[str, object]
) -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(answer))
        [got] = [step.body for step in await book.play(replace(CALL, capabilities=capabilities)) if isinstance(step, Got)]
        assert isinstance(got, dict)
        assert got.get("inputRequests") == answer.get("inputRequests")


@pytest.mark.anyio
async def test_sampling_passes_where_an_operator_lets_it() -> None:
    plan = Plan({"git": GIT}, upstreams={"git": {"client_input": ["sampling"]}})
    async with playbook(plan) as book:
        book.house.upstream("git").will(says(asking("sampling/createMessage", messages=[])))
        trace = await book.play(replace(CALL, capabilities={"sampling": {}}))
        assert [type(step) for step in trace if isinstance(step, Got | GotRefusal)] == [Got]
