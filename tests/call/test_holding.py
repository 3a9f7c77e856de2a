"""Callers who are kept waiting: each for a while, few of one principal, and none longer than it may."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from doorward.approval.question import State
from doorward.call.holding import MOST_BYTES, PER_PRINCIPAL, Ended, Holding
from doorward.domain.errors import StoreError
from doorward.domain.ids import GrantId
from tests import made

CALL = made.call()
QUESTION = GrantId("q")
LONG = 60.0


class Desk:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[State] = asyncio.get_running_loop().create_future()

    async def answered(self, reference: GrantId, seconds: float) -> State:
        return await asyncio.shield(self.answer)


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(100):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to that")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("state", "how"), [(State.APPROVED, Ended.ANSWERED), (State.REJECTED, Ended.ANSWERED), (State.PENDING, Ended.UNANSWERED)]
)
async def test_a_wait_ends_with_the_answer_or_once_nobody_may_wait(state: State, how: Ended) -> None:
    desk = Desk()
    holding = Holding(desk.answered)
    waiting = asyncio.create_task(holding.until_answered(CALL, QUESTION, LONG, None))
    await until(lambda: len(holding) == 1)
    desk.answer.set_result(state)
    assert (await waiting, len(holding)) == (how, 0)


@pytest.mark.anyio
async def test_where_the_answer_cannot_be_had_the_spine_looks_again() -> None:
    desk = Desk()
    desk.answer.set_exception(StoreError("disk full"))
    assert await Holding(desk.answered).until_answered(CALL, QUESTION, LONG, None) is Ended.ANSWERED


@pytest.mark.anyio
async def test_the_caller_hears_that_it_waits_more_each_time_and_not_when_it_is_over() -> None:
    heard: list[float] = []

    async def tell(waited: float) -> None:
        heard.append(waited)

    assert await Holding(Desk().answered, (0.001, 0.002)).until_answered(CALL, QUESTION, 0.05, tell) is Ended.UNANSWERED
    assert len(heard) >= 2
    assert all(before < after for before, after in pairwise(heard))
    assert heard[-1] < 0.05


@pytest.mark.anyio
async def test_who_may_wait_no_time_does_not_wait() -> None:
    assert await Holding(Desk().answered).until_answered(CALL, QUESTION, 0, None) is Ended.UNANSWERED


@pytest.mark.anyio
async def test_a_stop_ends_the_waits_that_it_is_about_and_no_other() -> None:
    holding = Holding(Desk().answered)
    other = replace(CALL, principal=made.principal("gpt"))
    waiting = [asyncio.create_task(holding.until_answered(call, QUESTION, LONG, None)) for call in (CALL, other)]
    await until(lambda: len(holding) == 2)
    assert holding.cut(lambda call: call is CALL) == 1
    assert (await waiting[0], len(holding)) == (Ended.CUT, 1)
    waiting[1].cancel()
    await asyncio.wait(waiting)
    assert len(holding) == 0


@pytest.mark.anyio
async def test_one_principal_keeps_so_many_waiting_and_takes_no_place_from_another() -> None:
    holding = Holding(Desk().answered)
    waiting = [asyncio.create_task(holding.until_answered(CALL, QUESTION, LONG, None)) for _ in range(PER_PRINCIPAL)]
    await until(lambda: len(holding) == PER_PRINCIPAL)
    assert await holding.until_answered(CALL, QUESTION, LONG, None) is Ended.UNANSWERED
    other = replace(CALL, principal=made.principal("gpt"))
    waiting.append(asyncio.create_task(holding.until_answered(other, QUESTION, LONG, None)))
    await until(lambda: len(holding) == PER_PRINCIPAL + 1)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert len(holding) == 0


@pytest.mark.anyio
async def test_calls_that_would_take_too_much_together_do_not_wait() -> None:
    holding = Holding(Desk().answered)
    large = replace(CALL, canonical=b" " * (MOST_BYTES - 10))
    waiting = asyncio.create_task(holding.until_answered(large, QUESTION, LONG, None))
    await until(lambda: len(holding) == 1)
    assert await holding.until_answered(CALL, QUESTION, LONG, None) is Ended.UNANSWERED
    waiting.cancel()
    await asyncio.wait([waiting])
    other = asyncio.create_task(holding.until_answered(CALL, QUESTION, LONG, None))
    await until(lambda: len(holding) == 1)
    other.cancel()
    await asyncio.wait([other])


@pytest.mark.anyio
async def test_who_goes_away_waits_no_longer() -> None:
    holding = Holding(Desk().answered)
    waiting = asyncio.create_task(holding.until_answered(CALL, QUESTION, LONG, None))
    await until(lambda: len(holding) == 1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert (waiting.cancelled(), len(holding)) == (True, 0)
