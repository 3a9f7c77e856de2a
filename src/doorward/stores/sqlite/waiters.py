"""Who waits for a thread's answer: a future of some event loop, told through one call of that loop for a whole batch."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Waiter:
    """One future, its loop, and what it will be told."""

    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: object = None
    error: Exception | None = None


def waiter() -> Waiter:
    """A waiter of the running event loop."""
    loop = asyncio.get_running_loop()
    return Waiter(loop.create_future(), loop)


def wake(waiters: Iterable[Waiter]) -> None:
    """Tells each waiter; from any thread."""
    loops: defaultdict[asyncio.AbstractEventLoop, list[Waiter]] = defaultdict(list)
    for waiting in waiters:
        loops[waiting.loop].append(waiting)
    for loop, waiting_there in loops.items():
        try:
            loop.call_soon_threadsafe(_deliver, waiting_there)
        except RuntimeError:
            # The loop was closed while we worked: nobody is left there to be told.
            continue


def _deliver(waiters: list[Waiter]) -> None:
    for waiting in waiters:
        if waiting.future.done():
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.result)
        else:
            waiting.future.set_exception(waiting.error)
            # Read once, so that an outcome nobody waits for does not print a warning at its end.
            waiting.future.exception()
