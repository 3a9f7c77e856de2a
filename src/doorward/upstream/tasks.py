"""The background tasks of one upstream: tracked, bounded, and all ended with it. (A task group cannot span `start` and `close`.)"""

import asyncio
from collections.abc import Callable, Coroutine


class Tasks:
    """Tasks that outlive the call that began them. A failure in one is told to `on_failure`, never lost."""

    __slots__ = ("_is_closed", "_most", "_on_failure", "_running")

    def __init__(self, most: int, on_failure: Callable[[str], None]) -> None:
        self._most = most
        self._on_failure = on_failure
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None] | None:
        """Begins a task, unless there are too many or the upstream is closed: then None, and the work is dropped."""
        if self._is_closed or len(self._running) >= self._most:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(f"{type(error).__name__}: {error}")

    async def settle(self, seconds: float) -> None:
        """Lets what is running end by itself for a while."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def close(self) -> None:
        """Cancels every task and waits until each has ended."""
        self._is_closed = True
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
