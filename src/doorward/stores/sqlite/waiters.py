"""Who waits for a thread's answer: a future of some event loop, told through one call of that loop for a whole batch."""

import asyncio
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Waiter(Generic[T]):
    """What somebody on the running event loop has asked for, the future that waits for it, and what that will be told."""

    __slots__ = ("asked", "error", "future", "loop", "result")

    def __init__(self, asked: T) -> None:
        self.asked = asked
        self.loop = loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: object = None
        self.error: Exception | None = None


def wake(waiters: Iterable[Waiter[Any]]) -> None:
    """Tells each waiter; from any thread."""
    for loop, waiting_there in groupby(waiters, attrgetter("loop")):
        try:
            loop.call_soon_threadsafe(_deliver, list(waiting_there))
        except RuntimeError:
            # The loop was closed while we worked: nobody is left there to be told.
            continue


def _deliver(waiters: list[Waiter[Any]]) -> None:
    for waiting in waiters:
        if waiting.future.done():
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.result)
        else:
            waiting.future.set_exception(waiting.error)
            # Read once, so that an outcome nobody waits for does not print a warning at its end.
            waiting.future.exception()
