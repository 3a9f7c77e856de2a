"""What a caller gets while people must answer: a page, a form, an error that names the page, or a wait; and its call once they have."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from doorward.approval.question import State
from doorward.call.rounds import APPROVAL_KEY, LIFE_SECONDS, MOST_BYTES
from doorward.domain.calls import Era, Fault
from doorward.domain.reasons import Reason
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Sent
from doorward.testing.upstream import says
from tests.call.asking import (
    ACCEPT,
    ASKED_LEAF,
    FIRST,
    FORM,
    PAGED,
    PENDING,
    PLAIN,
    PUSH,
    SECOND,
    SHOWN,
    approve,
    body,
    page,
    ran,
    retry,
    state_of,
)
from tests.call.steps import PLAN, sent


@pytest.mark.anyio
async def test_a_client_that_can_open_pages_is_asked_to_and_its_retry_runs_once() -> None:
    async with playbook(PAGED) as book:
        first = await book.play(PUSH)
        assert first[:1] == ASKED_LEAF
        assert leaves(first)[0].body["approval"] == {"id": FIRST}
        asked = body(first)
        assert asked["resultType"] == "input_required"
        request = asked["inputRequests"][APPROVAL_KEY]
        assert (request["method"], request["params"]["mode"], request["params"]["url"]) == ("elicitation/create", "url", page(FIRST))
        assert FIRST in request["params"]["message"]
        assert asked["_meta"]["dev.doorward/receipt"] == "call-1"
        await approve(book)
        again = retry(PUSH, asked["requestState"])
        assert await book.play(again) == ran("call-2")
        # What it was handed opens still, and is for nothing any more: another question, of another yes.
        assert (await book.play(again))[:2] == PENDING[:2]
        assert (len(book.house.upstream("git").orders), state_of(book)) == (1, State.USED)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("plan", "capabilities"),
    [
        (PAGED, FORM),
        (PAGED, {"elicitation": {"form": {}}}),
        (replace(PAGED, link=lambda _: None), {"elicitation": {"form": {}, "url": {}}}),
    ],
)
async def test_a_client_that_has_forms_alone_is_asked_to_say_when_somebody_has(plan: Plan, capabilities: Mapping[str, object]) -> None:
    async with playbook(plan) as book:
        stimulus = replace(PUSH, capabilities=capabilities)
        asked = body(await book.play(stimulus))
        params = asked["inputRequests"][APPROVAL_KEY]["params"]
        assert (params["mode"], params["requestedSchema"]) == ("form", {"type": "object", "properties": {}})
        assert "url" not in params
        await approve(book)
        assert await book.play(retry(stimulus, asked["requestState"], {APPROVAL_KEY: {"action": "accept", "content": {}}})) == ran("call-2")


@pytest.mark.anyio
async def test_a_retry_before_anybody_has_answered_is_told_in_words_and_asks_no_further_round() -> None:
    async with playbook(PAGED) as book:
        asked = body(await book.play(PUSH))
        assert await book.play(retry(PUSH, asked["requestState"])) == PENDING
        assert await book.play(retry(PUSH, asked["requestState"], {})) == PENDING
        assert [question.id for question in book.house.watchmen.desk.questions()] == [FIRST]
        await approve(book)
        assert await book.play(retry(PUSH, asked["requestState"], {})) == ran("call-4")


@pytest.mark.anyio
@pytest.mark.parametrize("answer", [{"action": "decline"}, {"action": "cancel"}, {"action": 7}, "yes"])
async def test_a_client_that_declines_gets_the_words_and_its_call_is_not_made(answer: object) -> None:
    async with playbook(PAGED) as book:
        asked = body(await book.play(PUSH))
        await approve(book)
        declined = await book.play(retry(PUSH, asked["requestState"], {APPROVAL_KEY: answer}))
        assert [(step.reason, FIRST in step.sentence) for step in declined if isinstance(step, GotRefusal)] == [(Reason.PENDING, True)]
        assert [leaf.body["approval"] for leaf in leaves(declined)] == [{"id": FIRST}]
        assert (book.house.upstream("git").orders, state_of(book)) == ([], State.APPROVED)


@pytest.mark.anyio
async def test_approval_in_the_middle_of_an_exchange_loses_nothing_of_it() -> None:
    asks = {"amount": {"method": "elicitation/create", "params": {"mode": "form", "message": "How much?", "requestedSchema": {}}}}
    capabilities: Mapping[str, object] = {"elicitation": {"form": {}, "url": {}}}
    plan = replace(PAGED, upstreams={"git": {"client_input": ["elicitation"]}})
    async with playbook(plan) as book:
        stimulus = replace(PUSH, capabilities=capabilities)
        first = body(await book.play(stimulus))
        await approve(book)
        book.house.upstream("git").will(says({"resultType": "input_required", "inputRequests": asks, "requestState": "the upstream's"}))
        unfinished = body(await book.play(retry(stimulus, first["requestState"])))
        assert list(unfinished["inputRequests"]) == ["amount"]
        answered = {"amount": {"action": "accept", "content": {"n": 5}}}
        # The answer makes another call, which is asked about in turn; what was answered comes back from us.
        second = body(await book.play(retry(stimulus, unfinished["requestState"], answered)))
        assert list(second["inputRequests"]) == [APPROVAL_KEY]
        await approve(book, SECOND)
        trace = await book.play(retry(stimulus, second["requestState"]))
        assert (
            Sent("git", "tools/call", {"name": "push", "arguments": {"n": 1}, "inputResponses": answered, "requestState": "the upstream's"})
            in trace
        )
        assert state_of(book, SECOND) is State.USED


@pytest.mark.anyio
async def test_other_answers_than_those_approved_are_asked_about_anew() -> None:
    async with playbook(PAGED) as book:
        stimulus = replace(PUSH, params={**PUSH.params, "inputResponses": {"amount": {"action": "accept", "content": {"n": 5}}}})
        asked = body(await book.play(stimulus))
        await approve(book)
        changed = {**ACCEPT, "amount": {"action": "accept", "content": {"n": 500}}}
        trace = await book.play(retry(stimulus, asked["requestState"], changed))
        assert trace == PENDING
        assert [question.id for question in book.house.watchmen.desk.questions()] == [FIRST, SECOND]


@pytest.mark.anyio
async def test_a_client_that_would_have_too_much_to_keep_is_told_in_words() -> None:
    async with playbook(PAGED) as book:
        long = {"amount": {"action": "accept", "content": {"text": "n" * MOST_BYTES}}}
        assert await book.play(replace(PUSH, params={**PUSH.params, "inputResponses": long})) == PENDING


@pytest.mark.anyio
async def test_an_upstream_that_asks_under_our_name_is_broken() -> None:
    ask = {APPROVAL_KEY: {"method": "elicitation/create", "params": {"mode": "form", "message": "Accept.", "requestedSchema": {}}}}
    async with playbook(replace(PLAN, upstreams={"git": {"client_input": ["elicitation"]}})) as book:
        book.house.upstream("git").will(says({"resultType": "input_required", "inputRequests": ask}))
        trace = await book.play(replace(tool_call("git__commit"), capabilities=FORM))
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.UPSTREAM_BROKEN]


STRANGERS = [
    ("another agent", lambda asked: replace(retry(PUSH, asked), agent="gpt")),
    ("other arguments", lambda asked: retry(replace(PUSH, params={"name": "git__push", "arguments": {"n": 2}}), asked)),
    ("another tool", lambda asked: retry(replace(PUSH, params={"name": "git__commit", "arguments": {"n": 1}}), asked)),
    ("another endpoint", lambda asked: retry(replace(PUSH, params={"name": "push", "arguments": {"n": 1}}, endpoint="git"), asked)),
    ("a changed letter", lambda asked: retry(PUSH, ("A" if asked[20] != "A" else "B").join((asked[:20], asked[21:])))),
    ("no state", lambda asked: retry(PUSH, "")),
]


@pytest.mark.anyio
@pytest.mark.parametrize("stranger", [made for _, made in STRANGERS], ids=[name for name, _ in STRANGERS])
async def test_what_a_caller_was_handed_is_of_no_use_to(stranger: Any) -> None:
    async with playbook(PAGED) as book:
        asked = body(await book.play(PUSH))
        await approve(book)
        trace = await book.play(stranger(asked["requestState"]))
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.INVALID_PARAMS]
        assert (book.house.upstream("git").orders, state_of(book)) == ([], State.APPROVED)


@pytest.mark.anyio
async def test_what_a_caller_was_handed_holds_as_long_as_the_answer_may_take_and_no_longer() -> None:
    document = {"approvals": {"wait_seconds": 0, "answer_minutes": 60, "use_minutes": 5}}
    async with playbook(replace(PAGED, document=document)) as book:
        asked = body(await book.play(PUSH))
        book.house.clock.pass_seconds(LIFE_SECONDS + 1)
        await approve(book)
        assert [step for step in await book.play(retry(PUSH, asked["requestState"])) if isinstance(step, Sent)] == [sent("push", n=1)]
        book.house.clock.pass_seconds(65 * 60)
        late = await book.play(retry(PUSH, asked["requestState"]))
        assert [step.reason for step in late if isinstance(step, GotRefusal)] == [Reason.INVALID_PARAMS]


@pytest.mark.anyio
async def test_a_client_of_2025_11_25_is_told_by_an_error_which_page_to_open() -> None:
    async with playbook(PAGED) as book:
        stimulus = replace(PUSH, era=Era.SESSION)
        (fault,) = [step.body for step in await book.play(stimulus) if isinstance(step, Got)]
        assert isinstance(fault, Fault)
        assert fault.code == -32042
        assert fault.data == {
            "elicitations": [
                {
                    "mode": "url",
                    "elicitationId": FIRST,
                    "url": page(FIRST),
                    "message": f"A person must approve this call of push before it is made. {SHOWN} Approval: {FIRST}.",
                }
            ],
            "reason": "pending",
            "reference": "call-1",
        }
        await approve(book)
        assert [step for step in await book.play(stimulus) if isinstance(step, Sent)] == [sent("push", n=1)]


NOT_SHOWN = [
    ("no page", replace(PAGED, link=lambda _: None), PUSH),
    ("no elicitation", PAGED, PLAIN),
    ("forms of a session", PAGED, replace(PUSH, era=Era.SESSION, capabilities=FORM)),
    ("an earlier revision", PAGED, replace(PUSH, era=Era.SESSION, version="2025-06-18")),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("plan", "stimulus"), [(plan, stimulus) for _, plan, stimulus in NOT_SHOWN], ids=[name for name, *_ in NOT_SHOWN])
async def test_whoever_can_be_shown_nothing_is_told_in_words(plan: Plan, stimulus: Stimulus) -> None:
    async with playbook(plan) as book:
        assert await book.play(stimulus) == PENDING
