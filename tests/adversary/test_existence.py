"""What a caller may not see is not there for it: not by name, not by what an endpoint says it can do, not by the work a question makes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from doorward.call.listing import Listing
from doorward.domain.actors import Principal
from doorward.domain.calls import Era
from doorward.domain.ids import UpstreamId
from doorward.runtime.snapshot import Snapshot
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, playbook
from doorward.testing.trace import Got
from doorward.testing.upstream import SHOWN, tool
from tests.call.steps import GIT, policy

ONLY_GIT = policy('permit (principal, action in [Action::"git/commit"], resource);', "commit")
TOOLS_ONLY = replace(GIT, capabilities={"tools": {}})
HIDDEN = replace(SHOWN, tools=(tool("secret"),), instructions="for nobody")
PLAN = Plan({"git": TOOLS_ONLY, "hidden": HIDDEN}, policies=ONLY_GIT)


@pytest.mark.anyio
@pytest.mark.parametrize("era", list(Era))
async def test_an_endpoint_tells_no_capability_of_an_upstream_that_is_hidden(era: Era) -> None:
    async with playbook(PLAN) as book:
        if era is Era.EXCHANGE:
            [told] = [step.body for step in await book.play(Stimulus("server/discover")) if isinstance(step, Got)]
        else:
            params: Mapping[str, object] = {"protocolVersion": "2025-11-25"}
            _, told = await book.house.dispatch.initialize(await book.principal(), None, params)
        assert isinstance(told, dict)
        assert told["capabilities"] == {"tools": {"listChanged": True}}


@pytest.mark.anyio
async def test_the_endpoint_of_a_hidden_upstream_says_nothing_of_it() -> None:
    async with playbook(PLAN) as book:
        _, told = await book.house.dispatch.initialize(await book.principal(), UpstreamId("hidden"), {"protocolVersion": "2025-11-25"})
        _, nowhere = await book.house.dispatch.initialize(await book.principal(), UpstreamId("nowhere"), {"protocolVersion": "2025-11-25"})
        assert told == nowhere


class Counting:
    """Policies that count how often they are asked what may be seen."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.policies = snapshot.policies
        self.asked = 0

    def could_allow(self, *question: object) -> bool:
        self.asked += 1
        return self.policies.could_allow(*question)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_to_ask_for_a_hidden_upstream_is_as_much_work_as_for_one_that_is_not_there() -> None:
    async with playbook(PLAN) as book:
        snapshot, who = book.house.generations.current, await book.principal()
        work = [work_of(snapshot, who, book.house.parts.listing, name) for name in ("hidden", "nowhere", "git")]
        assert work[0] == work[1] == work[2]


def work_of(snapshot: Snapshot, who: Principal, listing: Listing, name: str) -> tuple[int, int]:
    """How often policy is asked for the first question about an upstream, and for the next."""
    counting = Counting(snapshot)
    counted = replace(snapshot, generation=len(name) + 1_000, policies=counting)
    assert (UpstreamId(name) in listing.upstreams(who, counted)) is (name == "git")
    first, counting.asked = counting.asked, 0
    assert (UpstreamId(name) in listing.upstreams(who, counted)) is (name == "git")
    return first, counting.asked
