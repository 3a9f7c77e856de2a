"""Refusals are leaves: whoever causes them at will neither fills the log nor hides in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.admission import stops
from doorward.domain.ids import AgentId
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from tests.call.steps import PLAN

SLOW = replace(PLAN, document={"admission": {"calls_per_minute": 60, "burst": 5}})
BROKEN = Stimulus("completion/complete", {"ref": {"type": "nonsense"}})


@pytest.mark.anyio
@pytest.mark.parametrize("asked", [tool_call("git__nothing"), BROKEN], ids=["unknown", "broken"])
async def test_asking_for_what_is_not_there_is_told_at_the_agents_pace_and_counted_beyond(asked: Stimulus) -> None:
    async with playbook(SLOW) as book:
        told = leaves(await book.play(*[asked] * 50))
        assert [leaf.said for leaf in told[:5]] == [told[0].said] * 5
        assert [leaf.said for leaf in told[5:]] == ["over_rate"]
        book.house.clock.pass_seconds(60)
        await book.house.evidence.recorder.tick()
        [counted] = leaves(await book.rest())
        assert (counted.type, counted.body["fields"]["more"]) == ("refusals_counted", 44)


@pytest.mark.anyio
async def test_an_agent_that_is_stopped_and_does_not_stop_is_told_at_its_pace_and_counted_beyond() -> None:
    async with playbook(SLOW) as book:
        await book.house.watchmen.switch.stop(stops.agent(AgentId("claude")), "an audit", "ann")
        told = leaves(await book.play(*[tool_call("git__commit", {"n": "x" * 1000})] * 50))
        assert [leaf.said for leaf in told] == ["stopped"] * 5 + ["over_rate"]
