"""The heartbeat of long waits: whoever has waited for a while is sent a comment, so that clients and proxies stay."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import takewhile
from typing import Protocol

import anyio

_LOG = logging.getLogger("doorward.serving")
_TICK_SECONDS = 1.0


class Waiting(Protocol):
    """Somebody who waits for an answer."""

    async def beat(self) -> None:
        """Says that we are still here; must not raise, and may wait for a client that reads slowly."""
        ...


class Pulse:
    """Beats for each waiting one every so many seconds. One clock for all: entering and leaving costs a dictionary entry, no timer."""

    __slots__ = ("_due", "_every", "_monotonic")

    def __init__(self, every_seconds: float, monotonic: Callable[[], float]) -> None:
        self._every, self._monotonic = every_seconds, monotonic
        self._due: dict[Waiting, float] = {}

    def enter(self, waiting: Waiting) -> None:
        """Begins to count for one that waits."""
        self._due[waiting] = self._monotonic() + self._every

    def leave(self, waiting: Waiting) -> None:
        """Its wait is over; idempotent."""
        self._due.pop(waiting, None)

    def due(self) -> tuple[Waiting, ...]:
        """Those whose beat is due, each of which starts to count anew."""
        now = self._monotonic()
        # INVARIANT: every wait is equally long, so that insertion order is due order.
        waiting = tuple(one for one, _ in takewhile(lambda entry: entry[1] <= now, self._due.items()))
        for one in waiting:
            del self._due[one]
            self._due[one] = now + self._every
        return waiting

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Beats until cancelled."""
        async with anyio.create_task_group() as beats:
            while True:
                await sleep(_TICK_SECONDS)
                for waiting in self.due():
                    beats.start_soon(_beat, waiting)


async def _beat(waiting: Waiting) -> None:
    try:
        await waiting.beat()
    except Exception:  # noqa: BLE001 -- the root of a beat: one that fails must not end those of all others
        _LOG.exception("a beat failed")
