"""Calls that go in circles, through the spine: refused where nothing else is to be said of them, and nowhere else."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from doorward.domain.ids import GrantId
from doorward.domain.reasons import Reason
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Got, GotRefusal, Leaf
from doorward.testing.upstream import SHOWN, says, tool
from tests.call.asking import ASKING, NOT_HELD, PLAIN, approve
from tests.call.steps import PERMIT, PLAN, policy

TIGHT: Mapping[str, object] = {
    "runaway": {
        "repeated": {"calls": 2},
        "lists": {"mode": "refuse", "calls": 2},
        "write": {"mode": "refuse", "calls": 4, "seconds": 60},
    }
}
CALL = tool_call("git__commit", {"n": 1})
LIST = Stimulus("tools/list")
CIRCLES = replace(PLAN, document=TIGHT)


@pytest.mark.anyio
async def test_a_call_that_goes_in_circles_is_told_so_leaves_a_leaf_and_raises_an_alarm() -> None:
    async with playbook(CIRCLES) as book:
        made = [await book.play(CALL) for _ in range(2)]
        assert all(isinstance(trace[-2], Got) for trace in made)
        assert await book.play(CALL) == [Leaf("refusal", "runaway"), GotRefusal(Reason.RUNAWAY), Counted("git", "runaway")]
        # In this minute the log has been told: what follows is counted.
        assert await book.play(CALL) == [GotRefusal(Reason.RUNAWAY), Counted("git", "runaway")]
        (alert,) = book.house.alerts
        assert alert.reference == leaves(made[1])[0].body["call"]
        assert isinstance((await book.play(tool_call("git__commit", {"n": 2})))[-2], Got)


@pytest.mark.anyio
async def test_what_policy_denies_is_told_that_however_often_it_comes() -> None:
    deny = policy(
        'forbid (principal, action == Action::"git/push", resource) when { context.input has n && context.input.n == 1 };', "no-push"
    )
    shown = msgspec.structs.replace(SHOWN, tools=(tool("push", n={"type": "integer"}),))
    async with playbook(replace(CIRCLES, sights={"git": shown}, policies=PERMIT + deny)) as book:
        traces = [await book.play(tool_call("git__push", {"n": 1})) for _ in range(10)]
        assert {step.reason for trace in traces for step in trace if isinstance(step, GotRefusal)} == {Reason.FORBIDDEN}


@pytest.mark.anyio
async def test_what_people_say_yes_to_is_made_however_often_and_whatever_is_used_up() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + ASKING, document={**NOT_HELD, **TIGHT})) as book:
        for number in range(1, 9):
            assert leaves(await book.play(PLAIN))[0].said == "pending"
            await approve(book, GrantId(f"question-{number}"))
            assert leaves(await book.play(PLAIN))[-1] == Leaf("outcome", "delivered")


@pytest.mark.anyio
async def test_an_open_exchange_goes_on_whatever_is_used_up() -> None:
    async with playbook(CIRCLES) as book:
        git = book.house.upstream("git")
        asking = says({"resultType": "input_required", "inputRequests": {}, "requestState": "the upstream's"})
        git.will(asking)
        asked = await book.play(CALL)
        for number in range(2, 6):
            await book.play(tool_call("git__commit", {"n": number}))
        assert GotRefusal(Reason.RUNAWAY) in await book.play(CALL)
        (body,) = [step.body for step in asked if isinstance(step, Got)]
        assert isinstance(body, Mapping)
        going_on = replace(CALL, params={**CALL.params, "requestState": body["requestState"], "inputResponses": {}})
        assert leaves(await book.play(going_on))[-1] == Leaf("outcome", "delivered")
        claims = replace(CALL, params={**CALL.params, "requestState": None, "inputResponses": {}})
        assert GotRefusal(Reason.RUNAWAY) in await book.play(claims)


@pytest.mark.anyio
async def test_a_list_without_end_is_refused_and_its_leaf_says_why() -> None:
    async with playbook(CIRCLES) as book:
        for _ in range(2):
            assert isinstance((await book.play(LIST))[1], Got)
        assert (await book.play(LIST))[:2] == [Leaf("refusal", "runaway"), GotRefusal(Reason.RUNAWAY)]
