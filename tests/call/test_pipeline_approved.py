"""Stage 6 and the grant's way through stages 7 to 11: one yes, one call."""

import asyncio
from dataclasses import replace

import pytest

from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Ran, Reason
from doorward.testing.playbook import Playbook, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Gone, GotRefusal, Leaf, Trace
from doorward.testing.upstream import breaks, text, waits
from tests.call.steps import PERMIT, PLAN, got, policy, sent

ASKING = policy('forbid (principal, action == Action::"git/push", resource);', "asks", approval="finance")
AT_ONCE = {"approvals": {"wait_seconds": 0}}
ASKED = replace(PLAN, policies=PERMIT + ASKING, document=AT_ONCE)
PUSH = tool_call("git__push", {"n": 1})
BOB = Approver("bob", frozenset({"finance"}))
FIRST = GrantId("question-1")

PENDING: Trace = [Leaf("refusal", "pending", ("asks",)), GotRefusal(Reason.PENDING), Counted("git", "pending")]
INTENT = Leaf("intent", "ask", ("asks",))


def ran(call: str) -> Trace:
    return [INTENT, sent("push", n=1), Leaf("outcome", "delivered"), got(call=call), Counted("git", "delivered")]


def state(book: Playbook) -> State:
    found = book.house.watchmen.desk.question(FIRST)
    assert found is not None
    return found.state


@pytest.mark.anyio
async def test_a_call_that_must_be_asked_about_ends_pending_and_runs_once_after_the_yes() -> None:
    async with playbook(ASKED) as book:
        first = await book.play(PUSH)
        assert first == PENDING
        assert [FIRST in step.sentence for step in first if isinstance(step, GotRefusal)] == [True]
        # Asking again asks nobody anew.
        assert await book.play(PUSH) == PENDING
        assert [question.id for question in book.house.watchmen.desk.questions()] == [FIRST]
        await book.house.watchmen.desk.approve(FIRST, BOB)
        trace = await book.play(PUSH)
        assert trace == ran("call-3")
        assert leaves(trace)[0].body["approval"] == {"id": "question-1", "by": "bob"}
        # The yes was for one call: the next one is a new question.
        assert await book.play(PUSH) == PENDING
        assert [question.id for question in book.house.watchmen.desk.questions()] == ["question-2"]


@pytest.mark.anyio
async def test_a_yes_is_for_these_arguments_and_this_agent_alone() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        assert await book.play(tool_call("git__push", {"n": 2})) == PENDING
        assert await book.play(replace(PUSH, agent="gpt")) == PENDING
        assert await book.play(PUSH) == ran("call-4")


@pytest.mark.anyio
async def test_a_rejected_call_says_so() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.reject(FIRST, BOB)
        assert await book.play(PUSH) == [Leaf("refusal", "rejected", ("asks",)), GotRefusal(Reason.REJECTED), Counted("git", "rejected")]


@pytest.mark.anyio
async def test_a_yes_that_has_expired_is_asked_anew() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.clock.pass_seconds(3_601)
        # Half an hour would do; the log tells the day's clock as it is.
        assert [step for step in await book.play(PUSH) if isinstance(step, GotRefusal)] == [GotRefusal(Reason.PENDING)]


@pytest.mark.anyio
async def test_of_two_calls_with_one_yes_one_runs_and_the_other_is_told() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.evidence.log.hold()
        one, other = await book.begin(PUSH), await book.begin(PUSH)
        book.house.evidence.log.release()
        await one
        await other
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.GRANT_GONE)]
        assert sorted(leaf.type for leaf in leaves(trace)) == ["intent", "outcome", "refusal"]
        assert len(book.house.upstream("git").orders) == 1


@pytest.mark.anyio
async def test_a_call_that_was_not_forwarded_gives_its_yes_back() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.upstream("git").will(breaks(Reason.UPSTREAM_UNREACHABLE, Ran.NO))
        assert await book.play(PUSH) == [
            INTENT,
            sent("push", n=1),
            Leaf("outcome", "not_forwarded", ("upstream_unreachable",)),
            GotRefusal(Reason.UPSTREAM_UNREACHABLE),
            Counted("git", "upstream_unreachable"),
        ]
        assert state(book) is State.APPROVED
        assert await book.play(PUSH) == ran("call-3")


@pytest.mark.anyio
async def test_a_call_that_may_have_run_has_used_its_yes() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.upstream("git").will(breaks(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE))
        await book.play(PUSH)
        assert state(book) is State.USED
        assert await book.play(PUSH) == PENDING


@pytest.mark.anyio
async def test_whoever_hangs_up_before_the_intent_is_durable_gets_the_yes_back() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.evidence.log.hold()
        await book.hang_up(await book.begin(PUSH))
        book.house.evidence.log.release()
        assert [step for step in await book.rest() if not isinstance(step, Counted)] == [
            Gone(),
            INTENT,
            Leaf("outcome", "not_forwarded", ("cancelled",)),
        ]
        assert await book.play(PUSH) == ran("call-3")


@pytest.mark.anyio
async def test_a_yes_that_somebody_else_used_is_not_given_back_by_who_hangs_up() -> None:
    async with playbook(ASKED) as book:
        await book.play(PUSH)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        book.house.upstream("git").will(waits(asyncio.Event(), text("never")))
        book.house.evidence.log.hold()
        one, other = await book.begin(PUSH), await book.begin(PUSH)
        await book.hang_up(other)
        book.house.evidence.log.release()
        await book.idle()
        await book.hang_up(one)
        await book.rest()
        # As after a restart: what the store holds is what counts.
        await book.house.watchmen.desk.load()
        assert state(book) is State.USED
        assert await book.play(PUSH) == PENDING
        assert len(book.house.upstream("git").orders) == 1
