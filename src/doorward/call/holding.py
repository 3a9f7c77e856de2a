"""Callers who are kept waiting while people answer: each for a while, few of one principal, none of them in a seat or a generation."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import Enum, auto

import msgspec

from doorward.approval.question import State
from doorward.domain.calls import Call
from doorward.domain.errors import StoreError
from doorward.domain.ids import GrantId

PER_PRINCIPAL = 8
"""Calls of one principal that may be kept waiting."""
MOST = 512
"""Of everybody."""
MOST_BYTES = 64 * 2**20
"""Of the calls of everybody together: each is kept whole."""
PAUSES = (1.0, 4.0)
"""Seconds until the caller hears for the first time that it waits, and between one time and the next."""

Answered = Callable[[GrantId, float], Awaitable[State]]
"""Where a question stands once it is no longer pending, or after so many seconds, or as soon as nobody may wait any more."""

Told = Callable[[float], Awaitable[None]]
"""Tells the caller that it has waited for so many seconds."""


class Ended(Enum):
    """Why a wait is over."""

    ANSWERED = auto()
    UNANSWERED = auto()
    """Its time is over, or nobody may wait any more: too many do, or the gateway goes down."""
    CUT = auto()
    """What the call is of was stopped, revoked, suspended or killed: it will not be made, whatever people say."""


class _Wait(msgspec.Struct, frozen=True, eq=False):
    call: Call
    over: "asyncio.Future[Ended]"

    def end(self, how: Ended) -> None:
        if not self.over.done():
            self.over.set_result(how)


class Holding:
    """Every call that is kept waiting for people."""

    __slots__ = ("_answered", "_bytes", "_count", "_pauses", "_waits")

    def __init__(self, answered: Answered, pauses: tuple[float, float] = PAUSES) -> None:
        self._answered = answered
        self._pauses = pauses
        self._waits: set[_Wait] = set()
        self._count: Counter[str] = Counter()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waits)

    async def until_answered(self, call: Call, reference: GrantId, seconds: float, tell: Told | None) -> Ended:
        """Waits until a question is answered, at most so many seconds, and says why it is over; ends with its task."""
        principal = call.principal.id
        if seconds <= 0 or self._is_full(call):
            return Ended.UNANSWERED
        loop = asyncio.get_running_loop()
        wait = _Wait(call, loop.create_future())
        asking = loop.create_task(self._ask(reference, seconds, wait))
        self._waits.add(wait)
        self._count[principal] += 1
        self._bytes += len(call.canonical)
        try:
            return await self._watched(wait, seconds, tell)
        finally:
            asking.cancel()
            self._waits.discard(wait)
            self._count -= Counter({principal: 1})
            self._bytes -= len(call.canonical)

    def _is_full(self, call: Call) -> bool:
        is_over = len(self._waits) >= MOST or self._bytes + len(call.canonical) > MOST_BYTES
        return is_over or self._count[call.principal.id] >= PER_PRINCIPAL

    def cut(self, matches: Callable[[Call], bool]) -> int:
        """Ends the wait of every call that matches; gives how many."""
        cut = [wait for wait in self._waits if matches(wait.call)]
        for wait in cut:
            wait.end(Ended.CUT)
        return len(cut)

    async def _ask(self, reference: GrantId, seconds: float, wait: _Wait) -> None:
        try:
            state = await self._answered(reference, seconds)
        except StoreError:
            # The spine looks again, and says what is wrong.
            wait.end(Ended.ANSWERED)
        else:
            wait.end(Ended.UNANSWERED if state is State.PENDING else Ended.ANSWERED)

    async def _watched(self, wait: _Wait, seconds: float, tell: Told | None) -> Ended:
        """Why a wait is over; its caller hears now and then that it goes on."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        pause, following = self._pauses
        while (left := begun + seconds - loop.time()) > 0:
            await asyncio.wait((wait.over,), timeout=min(pause, left))
            if wait.over.done():
                return wait.over.result()
            waited = loop.time() - begun
            if tell is not None and waited < seconds:
                await tell(waited)
            pause = following
        return Ended.UNANSWERED
