"""Answers that are held back: how long, for whom, and that nothing is left of them."""

import asyncio

import pytest

from doorward.admission.gate import PACE
from doorward.admission.intake import Bounds
from doorward.call.inbound import Inbound, Notices
from doorward.domain.calls import Fault
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.serving.patience import LONGEST_SECONDS, STEP_SECONDS, Patience
from tests.serving.asgi import House

pytestmark = pytest.mark.anyio


class Slept:
    """Sleeps until it is told to wake."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.over.wait()


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_each_answer_of_an_agent_waits_a_step_longer_up_to_a_bound_and_others_do_not_wait_for_it() -> None:
    slept = Slept()
    patience = Patience(slept)
    greedy = [asyncio.create_task(patience.hold(AgentId("greedy"))) for _ in range(200)]
    await turn()
    other = asyncio.create_task(patience.hold(AgentId("other")))
    await turn()
    assert slept.seconds[:2] == [STEP_SECONDS, pytest.approx(2 * STEP_SECONDS)]
    assert (slept.seconds[199], slept.seconds[200], len(patience)) == (LONGEST_SECONDS, STEP_SECONDS, 201)
    slept.over.set()
    await asyncio.gather(*greedy, other)
    assert len(patience) == 0


async def test_an_answer_that_nobody_waits_for_any_more_leaves_nothing_behind() -> None:
    patience = Patience(Slept())
    held = asyncio.create_task(patience.hold(AgentId("greedy")))
    await turn()
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    assert len(patience) == 0


async def test_an_agent_over_its_pace_gets_its_refusal_whole_if_late_and_one_over_another_limit_at_once() -> None:
    house = House()
    limits = iter([PACE, "payments"])

    async def answer(inbound: Inbound, notices: Notices) -> dict[str, object] | Fault:
        raise Refused(Reason.OVER_RATE, extra={"limit": next(limits), "retryAfterSeconds": 3})

    house.spine.answer = answer
    clock = asyncio.get_running_loop().time
    begun = clock()
    late = await house.ask("tools/list").done()
    assert (late.status, late.headers["retry-after"], clock() - begun >= STEP_SECONDS) == (429, "3", True)
    assert (await house.ask("tools/list").done()).status == 429


async def test_an_agent_that_asks_for_more_at_once_than_it_may_gets_its_refusal_whole_if_late() -> None:
    house = House()
    house.intake.bounds = Bounds(bytes_of_agent=10)
    clock = asyncio.get_running_loop().time
    begun = clock()
    late = await house.ask("tools/list").done()
    assert (late.status, clock() - begun >= STEP_SECONDS) == (429, True)
