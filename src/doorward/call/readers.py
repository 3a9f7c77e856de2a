"""Threads in which large messages are read, beside the loop; what they give is told several at a time while more of it waits.

Each time the loop is woken for one message alone, it finds the processor's caches full of the next one's text, and so does the thread that
writes the log: eight told together cost both a third less.
"""

import asyncio
import queue
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

TOGETHER: Final = 8
"""So many are told at once though more waits."""
HELD_SECONDS: Final = 0.02
"""What has been read waits no longer for others, however long these take."""


class _Job:
    """One message to be read."""

    __slots__ = ("error", "future", "of", "result", "work")

    def __init__(self, work: Callable[..., object], of: tuple[object, ...], future: "asyncio.Future[Any]") -> None:
        self.work, self.of, self.future = work, of, future
        self.result: object = None
        self.error: BaseException | None = None

    def do(self) -> None:
        """Reads it, in a thread; not where nobody waits any more."""
        if self.future.cancelled():
            return
        try:
            self.result = self.work(*self.of)
        except StopIteration as error:
            # No future takes one: who waits for it would wait for ever.
            self.error = RuntimeError(f"expected a result, got {error!r}")
        except BaseException as error:  # noqa: BLE001 -- root of a thread: whatever it is must reach who waits, and not end the thread
            self.error = error

    def tell(self) -> None:
        """Tells who waits, on the loop."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class _Desk:
    """What readers and the loop have in common."""

    __slots__ = ("done", "jobs", "loop", "timed", "under_way")

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self.done: deque[_Job] = deque()
        """Read, and not told yet. Put in by readers, taken out on the loop."""
        self.loop: asyncio.AbstractEventLoop | None = None
        self.timed: asyncio.AbstractEventLoop | None = None
        """The loop that will look by itself, as long as anything is under way."""
        self.under_way = 0

    def put(self, job: _Job) -> None:
        """Has a message read."""
        self.loop = loop = job.future.get_loop()
        self.under_way += 1
        self.jobs.put(job)
        if self.timed is not loop:
            self.timed = loop
            loop.call_later(HELD_SECONDS, self._look)

    def tell(self) -> None:
        """Tells what has been read."""
        while self.done:
            self.under_way -= 1
            self.done.popleft().tell()

    def wake(self) -> None:
        """Has the loop tell, from any thread; nobody waits any more where that is closed."""
        if self.loop is not None:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(self.tell)

    def _look(self) -> None:
        self.tell()
        if self.under_way and self.timed is not None:
            self.timed.call_later(HELD_SECONDS, self._look)
        else:
            self.timed = None


class Readers:
    """A few threads, begun as they are needed; they end with this object. Used from the tasks of one loop at a time."""

    __slots__ = ("__weakref__", "_begun", "_desk", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = 0
        self._desk = _Desk()
        weakref.finalize(self, _send_home, self._desk.jobs, most)

    def read(self, work: Callable[..., object], *of: object) -> "asyncio.Future[Any]":
        """What the work gives or raises. Cancelling the future leaves out what is not begun; nothing ends what is.

        Raises RuntimeError where no thread can be had for it; the next one may be.
        """
        job = _Job(work, of, asyncio.get_running_loop().create_future())
        if self._begun < min(self._most, self._desk.under_way + 1):
            self._begin()
        self._desk.put(job)
        return job.future

    def _begin(self) -> None:
        """Begins one more thread; where the system gives none, the others go on alone. Raises RuntimeError where there is no other."""
        try:
            threading.Thread(target=_work, args=(self._desk,), name="doorward-reader", daemon=True).start()
        except RuntimeError:
            if not self._begun:
                raise
        else:
            self._begun += 1


def _send_home(jobs: "queue.SimpleQueue[_Job | None]", count: int) -> None:
    for _ in range(count):
        jobs.put(None)


def _work(desk: _Desk) -> None:
    """A thread's life."""
    while (job := _next(desk)) is not None:
        job.do()
        desk.done.append(job)
        # What was read is not kept until there is more to do.
        del job
        if len(desk.done) >= min(TOGETHER, desk.jobs.qsize() + 1):
            desk.wake()


def _next(desk: _Desk) -> _Job | None:
    try:
        return desk.jobs.get_nowait()
    except queue.Empty:
        # Another has taken what this one saw waiting: nothing it has done waits for that.
        if desk.done:
            desk.wake()
        return desk.jobs.get()
