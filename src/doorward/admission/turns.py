"""Turns on the processor: who runs next on the event loop, by start-time fair queueing of agents (Goyal, Vin and Cheng 1996).

A call runs in a few pieces, between one wait and the next. A loop runs what is ready in the order in which it became so: who has much
in flight makes everybody wait for all of it. That is best while all are alike, for calls that run together are written together. While
somebody with little in flight is about, a turn of the loop takes few pieces; beyond, they queue, and the agent that had least is next.

INVARIANT: nobody is overtaken for ever, for each piece that an agent gets puts its next one further back.
"""

import asyncio
import heapq
import os
from collections.abc import Awaitable, Callable
from typing import Final

from doorward.admission.intake import Intake, overloaded
from doorward.domain.ids import AgentId

TURNS: Final = "admission.turns"
"""The public name of the bound below."""
MOST_SECONDS: Final = 5.0
"""How long a request may wait for its first turn: who asked is about to give up, and asks again."""

LITTLE: Final = 8
"""Who has less than an eighth of what agents have in the door on average has little."""
SOON_SECONDS: Final = 0.05
"""How long such an agent is waited for: longer than it takes to write an intent, or to ask an upstream that is near."""
FEW: Final = 2
"""Pieces in one turn of the loop meanwhile: what it may find before it each time it comes back."""
PIECE_BYTES: Final = 4096
"""Messages cost one piece more for each so many bytes."""


class Turns:
    """The queue of those whose turn it is not yet. Used from the tasks of one event loop."""

    __slots__ = ("_ends", "_fair_until", "_intake", "_is_due", "_monotonic", "_number", "_ran", "_virtual", "_waiting", "is_fair")

    def __init__(self, intake: Intake, monotonic: Callable[[], float]) -> None:
        self._intake = intake
        self._monotonic = monotonic
        self.is_fair = False
        """Whether there are turns at all: where there are none, nobody needs to ask for the next."""
        self._fair_until = 0.0
        self._is_due = False
        """Whether `_turn` comes at the end of this one."""
        self._ran = 0
        self._number = 0
        self._virtual = 0.0
        """The virtual time: where the piece that ran last began."""
        self._ends: dict[AgentId, float] = {}
        """By agent, the virtual time at which its last piece ends; while anybody waits."""
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        """A heap of beginnings."""

    def __len__(self) -> int:
        return len(self._waiting)

    async def begin(self, agent: AgentId, size_bytes: int) -> None:
        """Waits for a request's first turn; raises `Refused` OVERLOADED where it has waited for too long."""
        turn = self.first(agent, size_bytes)
        if turn is not None:
            await turn

    def first(self, agent: AgentId, size_bytes: int) -> Awaitable[None] | None:
        """None where it is a request's first turn now, or what `begin` waits for."""
        if self._intake.is_little(agent, LITTLE):
            self.is_fair, self._fair_until = True, self._monotonic() + SOON_SECONDS
        waiter = self._next(agent, size_bytes) if self.is_fair else None
        return None if waiter is None else self._begun(waiter)

    async def _begun(self, waiter: asyncio.Future[None]) -> None:
        since = self._monotonic()
        await waiter
        waited = self._monotonic() - since
        if waited > MOST_SECONDS:
            raise overloaded(TURNS, f"waited {waited:.1f} s for a turn, at most {MOST_SECONDS:.0f} s")

    async def go_on(self, agent: AgentId, size_bytes: int = 0) -> None:
        """Waits for the next turn of a request that something has been done for already."""
        waiter = self._next(agent, size_bytes) if self.is_fair else None
        if waiter is not None:
            await waiter

    def _next(self, agent: AgentId, size_bytes: int) -> asyncio.Future[None] | None:
        """None where a piece may run at once, or what tells when it may."""
        loop = asyncio.get_running_loop()
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._turn, loop)
        if not self._waiting and self._ran < FEW:
            self._ran += 1
            return None
        begins = max(self._virtual, self._ends.get(agent, 0.0))
        self._ends[agent] = begins + 1.0 + size_bytes / PIECE_BYTES
        if self._waiting and begins <= self._waiting[0][0]:
            # It would be the next one anyway.
            self._ran += 1
            return None
        waiter = loop.create_future()
        self._number += 1
        heapq.heappush(self._waiting, (begins, self._number, waiter))
        return waiter

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """A turn of the loop is over: lets the next ones run in the turn that comes, or all of them where everybody is alike again."""
        self.is_fair = self._monotonic() < self._fair_until
        most = FEW if self.is_fair else len(self._waiting)
        self._ran = 0
        while self._waiting and self._ran < most:
            begins, _, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                waiter.set_result(None)
                self._virtual = begins
                self._ran += 1
        if self._waiting:
            # What the log's thread waits for may be there: on a core that it shares with this one it would wait for a whole time slice.
            os.sched_yield()
        else:
            self._virtual = 0.0
            self._ends.clear()
        self._is_due = self._ran > 0
        if self._is_due:
            loop.call_soon(self._turn, loop)
