"""What a caller gets while people must answer: a page, a form, an error that names the page, or a wait; and its call once they have."""

import asyncio
import gc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from doorward.admission import stops
from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.call.holding import PER_PRINCIPAL, Holding
from doorward.call.rounds import APPROVAL_KEY, LIFE_SECONDS
from doorward.domain.actors import Principal
from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.ids import Generation, GrantId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.runtime.snapshot import Snapshot
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Gone, Got, GotRefusal, Leaf, Sent, Trace
from doorward.testing.upstream import DONE, says, tells
from tests.call.steps import PERMIT, PLAN, got, policy, sent

ASKING = policy('forbid (principal, action == Action::"git/push", resource);', "asks", approval="finance")
FIRST, SECOND = GrantId("question-1"), GrantId("question-2")
BOB = Approver("bob", frozenset({"finance"}))
ACCEPT = {APPROVAL_KEY: {"action": "accept"}}


SHOWN = "The page shows it to whoever may answer."


def page(approval: GrantId) -> str:
    return f"https://gateway.example.com/approvals/{approval}"


LONG: Mapping[str, object] = {"approvals": {"wait_seconds": 60}}
NOT_HELD: Mapping[str, object] = {"approvals": {"wait_seconds": 0}}
PAGED = replace(PLAN, policies=PERMIT + ASKING, document=NOT_HELD, link=page)
HELD = replace(PLAN, policies=PERMIT + ASKING, document=LONG)

URL: Mapping[str, object] = {"elicitation": {"url": {}}}
FORM: Mapping[str, object] = {"elicitation": {}}
PUSH = replace(tool_call("git__push", {"n": 1}), capabilities=URL)
PLAIN = tool_call("git__push", {"n": 1})

PENDING: Trace = [Leaf("refusal", "pending", ("asks",)), GotRefusal(Reason.PENDING), Counted("git", "pending")]
ASKED_LEAF: Trace = [Leaf("refusal", "pending", ("asks",))]


def ran(call: str) -> Trace:
    return [Leaf("intent", "ask", ("asks",)), sent("push", n=1), Leaf("outcome", "delivered"), got(call=call), Counted("git", "delivered")]


def body(trace: Trace) -> Mapping[str, Any]:
    """The only result."""
    (found,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(found, Mapping)
    return found


def retry(of: Stimulus, state: object, responses: Mapping[str, object] = ACCEPT) -> Stimulus:
    """The same request once more, with what it was handed."""
    return replace(of, params={**of.params, "inputResponses": responses, "requestState": state})


async def approve(book: Playbook, question: GrantId = FIRST, edited: Mapping[str, object] | None = None) -> None:
    await book.house.watchmen.desk.approve(question, BOB, edited)


def state_of(book: Playbook, question: GrantId = FIRST) -> State:
    found = book.house.watchmen.desk.question(question)
    assert found is not None
    return found.state


# Who can be shown something


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


# Who waits


@pytest.mark.anyio
async def test_a_call_that_is_approved_while_its_caller_waits_runs_on_the_whole_way_again() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        assert (running.done(), book.house.watchmen.gate.inside, len(book.house.dispatch.holding)) == (False, 0, 1)
        await approve(book)
        await running
        assert await book.rest() == [*ASKED_LEAF, *ran("call-2")[:-1], Counted("git", "pending"), Counted("git", "delivered")]
        assert len(book.house.dispatch.holding) == 0


@pytest.mark.anyio
async def test_a_call_that_is_rejected_while_its_caller_waits_is_told_so() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.desk.reject(FIRST, BOB)
        await running
        assert (await book.rest())[1:3] == [Leaf("refusal", "rejected", ("asks",)), GotRefusal(Reason.REJECTED)]


@pytest.mark.anyio
async def test_a_caller_that_waits_hears_so_and_its_calls_own_progress_goes_on_from_there() -> None:
    async with playbook(HELD) as book:
        heard: list[Mapping[str, object]] = []
        hears = asyncio.Event()

        async def hear(notice: Notice) -> None:
            heard.append(notice.params)
            hears.set()

        book.house.dispatch.holding = Holding(book.house.watchmen.desk.answered, (0.001, 60))
        inbound = replace(PLAIN, progress_token="p").inbound(await book.principal())
        running = asyncio.create_task(book.house.dispatch.handle(inbound, hear))
        await hears.wait()
        own = Notice("notifications/progress", {"progressToken": "other", "progress": 1, "total": 2, "message": "half"})
        book.house.upstream("git").will(tells(own, then=says(DONE)))
        await approve(book)
        await running
        first, second = heard
        waited = first["progress"]
        assert isinstance(waited, float)
        words = f"A person must approve this call; waiting. Approval: {FIRST}."
        assert first == {"progressToken": "p", "progress": waited, "total": 60, "message": words}
        assert isinstance(second["progress"], float)
        assert isinstance(second["total"], float)
        assert (second["progressToken"], second["message"], second["total"] - second["progress"]) == ("p", "half", 1)
        assert second["progress"] > waited


@pytest.mark.anyio
async def test_a_caller_that_has_waited_long_enough_gets_the_words_and_its_retry_finds_the_yes() -> None:
    async with playbook(replace(HELD, document={"approvals": {"wait_seconds": 0.01}})) as book:
        assert await book.play(PLAIN) == PENDING
        await approve(book)
        assert await book.play(PLAIN) == ran("call-2")


@pytest.mark.anyio
async def test_a_retry_of_who_was_shown_the_page_waits_too() -> None:
    async with playbook(replace(PAGED, document=LONG)) as book:
        asked = body(await book.play(PUSH))
        running = await book.begin(retry(PUSH, asked["requestState"]))
        assert not running.done()
        await approve(book)
        await running
        assert sent("push", n=1) in await book.rest()


@pytest.mark.anyio
async def test_whoever_waits_is_verified_again_before_the_call_is_made() -> None:
    async with playbook(HELD) as book:
        principal = await book.principal()

        def again() -> Principal:
            raise Refused(Reason.UNAUTHENTICATED, "the key has expired")

        async def unheard(notice: Notice) -> None:
            pass

        running = asyncio.create_task(book.house.dispatch.handle(replace(PLAIN.inbound(principal), again=again), unheard))
        await book.idle()
        await approve(book)
        with pytest.raises(Refused) as refused:
            await running
        assert (refused.value.reason, book.house.upstream("git").orders, state_of(book)) == (Reason.UNAUTHENTICATED, [], State.APPROVED)


@pytest.mark.anyio
async def test_a_stop_ends_the_wait_and_is_what_the_caller_is_told() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "push"), "fire", "ann")
        await running
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.STOPPED)]
        assert state_of(book) is State.PENDING


@pytest.mark.anyio
async def test_a_stop_while_a_call_is_turned_back_is_not_missed() -> None:
    async with playbook(HELD) as book:
        book.house.evidence.log.hold()
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "push"), "fire", "ann")
        book.house.evidence.log.release()
        await running
        assert [step for step in await book.rest() if isinstance(step, GotRefusal)] == [GotRefusal(Reason.STOPPED)]


@pytest.mark.anyio
async def test_a_stop_of_something_else_leaves_it_waiting() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "commit"), "fire", "ann")
        await book.idle()
        assert not running.done()
        await book.hang_up(running)


@pytest.mark.anyio
async def test_who_hangs_up_waits_no_longer_and_its_question_stands() -> None:
    async with playbook(HELD) as book:
        await book.hang_up(await book.begin(PLAIN))
        assert await book.rest() == [*ASKED_LEAF, Gone(), Counted("git", "pending")]
        assert (len(book.house.dispatch.holding), state_of(book)) == (0, State.PENDING)


@pytest.mark.anyio
async def test_a_gateway_that_goes_down_lets_everybody_go_with_the_words() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        book.house.watchmen.desk.close()
        await running
        assert await book.rest() == PENDING
        assert await book.play(PLAIN) == PENDING


@pytest.mark.anyio
async def test_one_principal_keeps_a_few_waiting_and_the_next_is_told_at_once() -> None:
    async with playbook(HELD) as book:
        waiting = [await book.begin(PLAIN) for _ in range(PER_PRINCIPAL)]
        assert not any(running.done() for running in waiting)
        assert (await book.begin(PLAIN)).done()
        for running in waiting:
            await book.hang_up(running)


@pytest.mark.anyio
async def test_who_waits_holds_no_generation() -> None:
    async with playbook(HELD) as book:
        generations = book.house.generations
        generations.swap(replace(generations.current, generation=Generation(7_001)))
        running = await book.begin(PLAIN)
        generations.swap(replace(generations.current, generation=Generation(7_002)))
        await book.idle()
        gc.collect()
        kept = [one.generation for one in gc.get_objects() if isinstance(one, Snapshot) and one.generation > 7_000]
        assert kept == [Generation(7_002)]
        await book.hang_up(running)
