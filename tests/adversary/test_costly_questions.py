"""Operators of the lowest role who ask for what takes long, over and over, leave the processor to the calls."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from doorward.call.approving import going_on
from doorward.control.routes import ControlError
from doorward.control.turns import MOST_WAITING, Turns
from doorward.domain.calls import Notice
from doorward.domain.ids import UpstreamId
from doorward.policy.facts.fact import Fact
from doorward.policy.facts.numbers import Length
from doorward.policy.underive import argument_for
from tests.control.plane import plane
from tests.control.test_policies import accept

pytestmark = pytest.mark.anyio

SUPPOSED = {"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "a"}}
COMPARED = {"candidate": [{"path": "p.cedar", "text": ""}]}


async def test_what_is_costly_is_done_one_at_a_time_and_few_wait_for_it() -> None:
    turns, at_work, most = Turns(), 0, 0

    async def work() -> str:
        nonlocal at_work, most
        try:
            async with turns.taken():
                at_work += 1
                most = max(most, at_work)
                await asyncio.sleep(0)
                at_work -= 1
        except ControlError as error:
            return error.reason
        return "done"

    found = await asyncio.gather(*(work() for _ in range(MOST_WAITING + 10)))
    assert most == 1
    assert {reason: found.count(reason) for reason in found} == {"done": MOST_WAITING + 1, "busy": 9}


@pytest.mark.parametrize(("path", "body"), [("/v1/policies/explain", SUPPOSED), ("/v1/policies/diff", COMPARED)])
async def test_many_who_ask_policy_at_once_take_their_turns(tmp_path: Path, path: str, body: object) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        found = [status for status, _ in await asyncio.gather(*(it.ask("POST", path, body) for _ in range(2 * MOST_WAITING + 2)))]
        assert set(found) == {200, 429}


def test_explanation_makes_up_no_text_longer_than_one_that_facts_are_derived_of() -> None:
    fact = Fact(UpstreamId("up"), "t", "size", ("text",), Length("characters"), "")
    assert argument_for(fact, "", 2**62, "abc") is None
    assert argument_for(fact, "", 5, "abc") == "abcxx"


async def test_progress_of_a_call_that_was_held_grows_however_its_server_writes_numbers() -> None:
    heard: list[Notice] = []

    async def hear(notice: Notice) -> None:
        heard.append(notice)

    for written in (1, Decimal("1.5"), 10**300, True, "x"):
        await going_on(hear, 20.0)(Notice("notifications/progress", {"progress": written}))
    assert [notice.params["progress"] for notice in heard] == [21.0, 21.5, 1e300, True, "x"]
