"""Who waits for a thread's answer: a future of some event loop, told through one call of that loop for a whole batch."""

import asyncio
from collections.abc import Callable, Iterable
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

    def tell(self) -> None:
        """Tells the future, unless nobody waits for it any more."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)
            # Read once, so that what nobody waits for does not print a warning at its end.
            self.future.exception()


class Hearer(Generic[T]):
    """The same for who does not wait: a function is told what was asked for, and why it could not be done. It raises nothing."""

    __slots__ = ("_told", "asked", "error", "loop", "result")

    def __init__(self, asked: T, told: Callable[[T, BaseException | None], None]) -> None:
        self.asked = asked
        self._told = told
        self.loop = asyncio.get_running_loop()
        self.result: object = None
        self.error: Exception | None = None

    def tell(self) -> None:
        """Tells the function."""
        self._told(self.asked, self.error)


def wake(waiters: Iterable[Waiter[Any] | Hearer[Any]]) -> None:
    """Tells each waiter; from any thread."""
    for loop, waiting_there in groupby(waiters, attrgetter("loop")):
        try:
            loop.call_soon_threadsafe(_deliver, list(waiting_there))
        except RuntimeError:
            # The loop was closed while we worked: nobody is left there to be told.
            continue


def _deliver(waiters: Iterable[Waiter[Any] | Hearer[Any]]) -> None:
    for waiting in waiters:
        waiting.tell()
