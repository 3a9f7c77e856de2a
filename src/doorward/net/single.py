"""One piece of work for many who wait: done once at a time, and not given up because one of them is."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from doorward.domain.reasons import Ran, Refused
from doorward.net.errors import NetError, Trouble

T = TypeVar("T")


class Single(Generic[T]):
    """Runs work in a task of its own and gives its result, or an error, to all who ask meanwhile."""

    __slots__ = ("_task",)

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    @property
    def is_running(self) -> bool:
        """Whether work is under way."""
        return self._task is not None and not self._task.done()

    async def run(self, work: Callable[[], Coroutine[None, None, T]]) -> T:
        """The result of the work under way, which is begun if there is none."""
        task = self._task
        if task is None or task.done():
            task = self._task = asyncio.get_running_loop().create_task(work())
            task.add_done_callback(_seen)
        try:
            return await asyncio.shield(task)
        except Refused as refused:
            raise refused.copied() from refused
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if task.cancelled() and current is not None and not current.cancelling():
                raise NetError(Trouble.SHUT, "it was stopped", Ran.NO) from None  # the work was cancelled, not the one who waits
            raise

    async def settled(self) -> None:
        """Waits until no work is under way, however it ends; whoever waits no longer stops nothing."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def stop(self) -> None:
        """Cancels the work under way and waits until it has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _seen(task: "asyncio.Task[T]") -> None:
    """Those who waited may all be gone: the error is seen here, so that nobody calls it lost."""
    if not task.cancelled():
        task.exception()
