"""Refusals of an agent that asks faster, or more at once, than it may, held back: who does not wait is made to, and others are served meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from doorward.domain.ids import AgentId

STEP_SECONDS: Final = 0.02
"""Between two such answers to one agent, however many connections it has: at most 50 a second."""
LONGEST_SECONDS: Final = 2.0


class Patience:
    """The answers that are held back now, as many as connections on which they are waited for."""

    __slots__ = ("_held", "_sleep")

    def __init__(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._held: dict[AgentId, int] = {}
        self._sleep = sleep

    async def hold(self, agent: AgentId) -> None:
        """Returns when the agent may have its answer: the later, the more it waits for."""
        held = self._held[agent] = self._held.get(agent, 0) + 1
        try:
            await self._sleep(min(held * STEP_SECONDS, LONGEST_SECONDS))
        finally:
            left = self._held[agent] - 1
            if left:
                self._held[agent] = left
            else:
                del self._held[agent]

    def __len__(self) -> int:
        return sum(self._held.values())
