"""The playbook itself: what stands where in a trace."""

import asyncio

import pytest
from msgspec.structs import replace

from doorward.domain.reasons import Reason, Refused
from doorward.testing.house import Plan, PlanError, build_house
from doorward.testing.playbook import playbook, tool_call
from doorward.testing.trace import Counted, Gone, Leaf, Sent
from doorward.testing.upstream import DONE, SHOWN, FakeUpstream, arguments_of, tool
from tests.call.steps import PLAN, got, sent

CALL = tool_call("git__commit", {"n": 1})


@pytest.mark.anyio
async def test_leaves_stand_where_they_became_durable() -> None:
    async with playbook(PLAN) as book:
        running = await book.begin(CALL)
        await running
        book.house.evidence.log.hold()
        waiting = await book.begin(CALL)
        assert await book.rest() == [
            Leaf("intent", "allow", ("all",)),
            sent(n=1),
            Leaf("outcome", "delivered"),
            got(),
            Counted("git", "delivered"),
        ]
        await book.hang_up(waiting)
        assert await book.rest() == [Gone(), Counted("git", "cancelled")]
        book.house.evidence.log.release()


@pytest.mark.anyio
async def test_what_is_not_compared_is_there_to_be_looked_at() -> None:
    async with playbook(PLAN) as book:
        (intent, *_) = await book.play(CALL)
        assert isinstance(intent, Leaf)
        assert intent == Leaf("intent", "allow", ("all",))
        assert (intent.call, intent.body["upstream"], intent.body["node"]) == ("call-1", "git", "node")


@pytest.mark.anyio
async def test_a_plan_whose_policies_do_not_hold_is_no_house() -> None:
    with pytest.raises(PlanError, match="@id"):
        await build_house(Plan({"git": SHOWN}, policies="permit (principal, action, resource);"))


@pytest.mark.anyio
async def test_an_upstream_plays_its_acts_and_answers_plainly_after_them() -> None:
    async with playbook(Plan({"git": replace(SHOWN, tools=(tool("commit"),))})) as book:
        upstream = book.house.upstream("git")
        await book.play(CALL, tool_call("git__commit", {"n": 2}))
        assert arguments_of(upstream.orders) == [{"n": 1}, {"n": 2}]
        assert (upstream.id, upstream.state().condition, upstream.closed) == ("git", "up", 0)
        assert len(upstream.leases) == 1
    assert upstream.closed == 1


@pytest.mark.anyio
async def test_an_upstream_that_nobody_watches_answers_all_the_same() -> None:
    upstream = FakeUpstream("git", Refused(Reason.UPSTREAM_UNREACHABLE))
    async with playbook(PLAN) as book:
        await book.play(CALL)
        (order,) = book.house.upstream("git").orders
        answer = await upstream.forward(order, _unheard)
        assert answer.body == DONE
        await upstream.start(order.lease)
        upstream.on_change()
        with pytest.raises(Refused):
            await upstream.discover(order.lease)
        assert len(upstream.leases) == 2


async def _unheard(notice: object) -> None:
    await asyncio.sleep(0)


def test_steps_are_values() -> None:
    assert Sent("git", "tools/call", {"a": 1}) == Sent("git", "tools/call", {"a": 1})
    assert Sent("git", "tools/call", {"a": 1}) != Sent("git", "tools/call", {"a": 2})
