"""Thinking for operators takes its turn: one at a time, with few in the queue, so that calls do not go without a processor for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doorward.control.routes import ControlError

MOST_WAITING = 16
"""More than people ask at the same time."""


class Turns:
    """A queue before what is costly. Used from the tasks of one event loop."""

    __slots__ = ("_lock", "_waiting")

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Waits for its turn, and has it until the end; raises `ControlError` 429 where too many wait already."""
        if self._waiting >= MOST_WAITING:
            raise ControlError(429, "busy", f"{self._waiting} others wait for an answer of this kind; ask again in a moment")
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._lock.release()
