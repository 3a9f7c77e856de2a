"""Turns: nobody waits for all that another has in flight, nobody is overtaken for ever, and nothing is done while all are alike."""

import asyncio
from collections.abc import Callable

import pytest

from doorward.admission.intake import Bounds, Intake
from doorward.admission.turns import FEW, MOST_SECONDS, SOON_SECONDS, Turns
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused

pytestmark = pytest.mark.anyio

NOISY, OTHER, QUIET = AgentId("noisy"), AgentId("other"), AgentId("quiet")
MANY = 64


class Loop:
    """Requests that run in pieces; `ran` has whose they were, and `turns` how many turns of the loop went before each."""

    def __init__(self) -> None:
        self.now = 0.0
        self.intake = Intake(Bounds())
        self.turns = Turns(self.intake, lambda: self.now)
        self.ran: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    def holds(self, agent: AgentId, requests: int) -> None:
        """So many requests of an agent in the door."""
        for _ in range(requests):
            self.intake.enter().claim(agent, 0)

    def goes_on(self, agent: AgentId, times: int, size_bytes: int = 0) -> None:
        """So many pieces of an agent, ready at the same time."""
        self.tasks += [asyncio.ensure_future(self._piece(agent, self.turns.go_on, size_bytes)) for _ in range(times)]

    def begins(self, agent: AgentId) -> asyncio.Task[None]:
        """A request of an agent, ready now."""
        self.tasks.append(asyncio.ensure_future(self._piece(agent, self.turns.begin, 0)))
        return self.tasks[-1]

    async def ended(self) -> list[str]:
        """Whose pieces ran, in order, once all have."""
        await asyncio.gather(*self.tasks)
        return self.ran

    async def _piece(self, agent: AgentId, turn: Callable[..., object], size_bytes: int) -> None:
        await turn(agent, size_bytes)  # type: ignore[misc]
        self.ran.append(agent)


async def test_agents_that_are_alike_run_in_the_order_in_which_they_came() -> None:
    loop = Loop()
    loop.holds(NOISY, 8)
    loop.holds(OTHER, 8)
    for agent in (NOISY, NOISY, NOISY, OTHER, NOISY):
        loop.begins(agent)
    loop.goes_on(OTHER, 2)
    await asyncio.sleep(0)
    assert loop.ran == [NOISY, NOISY, NOISY, OTHER, NOISY, OTHER, OTHER]
    assert len(loop.turns) == 0


async def test_who_has_little_comes_before_all_but_the_few_pieces_of_one_turn() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, MANY)
    loop.goes_on(QUIET, 1)
    ran = await loop.ended()
    assert [number for number, agent in enumerate(ran) if agent == QUIET] == [0, FEW]
    assert len(ran) == MANY + 2


async def test_pieces_of_agents_that_wait_alternate_whatever_each_has_in_flight() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(OTHER, 16)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, 20)
    loop.goes_on(OTHER, 5)
    ran = await loop.ended()
    assert ran.index(OTHER) <= FEW
    assert max(number for number, agent in enumerate(ran) if agent == OTHER) <= 2 * 5 + FEW + 1


async def test_an_agent_that_has_little_cannot_starve_the_others() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, 4)
    loop.goes_on(QUIET, 100)
    ran = await loop.ended()
    assert [number for number, agent in enumerate(ran) if agent == NOISY][-1] < 16


async def test_large_messages_count_as_more_than_one_piece() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, 6, size_bytes=64 * 1024)
    loop.goes_on(OTHER, 6)
    ran = await loop.ended()
    assert max(number for number, agent in enumerate(ran) if agent == OTHER) < max(
        number for number, agent in enumerate(ran) if agent == NOISY
    )


async def test_turns_end_a_moment_after_the_last_who_had_little() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, MANY)
    await asyncio.sleep(0)
    assert len(loop.turns) == MANY + 1 - FEW
    loop.now += SOON_SECONDS
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(loop.ran) == MANY + 1
    loop.goes_on(NOISY, MANY)
    await asyncio.sleep(0)
    assert len(loop.ran) == 2 * MANY + 1


async def test_a_request_that_waited_too_long_for_its_first_turn_is_turned_away() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, FEW)
    late = loop.begins(NOISY)
    loop.goes_on(NOISY, 1)
    await asyncio.sleep(0)
    loop.now += MOST_SECONDS + 1
    with pytest.raises(Refused) as refused:
        await late
    assert (refused.value.reason, refused.value.extra) == (Reason.OVERLOADED, {"limit": "admission.turns", "retryAfterSeconds": 1})
    loop.tasks.remove(late)
    assert await loop.ended() == [QUIET, *[NOISY] * (FEW + 1)]


async def test_a_request_that_is_cancelled_while_it_waits_takes_no_turn() -> None:
    loop = Loop()
    loop.holds(NOISY, MANY)
    loop.holds(QUIET, 1)
    loop.begins(QUIET)
    loop.goes_on(NOISY, MANY)
    await asyncio.sleep(0)
    for task in loop.tasks[FEW:-1]:
        task.cancel()
    await asyncio.wait(loop.tasks)
    assert loop.ran == [QUIET, *[NOISY] * FEW]
    assert len(loop.turns) == 0
