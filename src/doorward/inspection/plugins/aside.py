"""Work that others wrote, done beside the loop: for a bounded time, by a bounded number of threads that nobody waits for.

A thread cannot be ended from outside. One that hangs is left alone; where all of them hang nothing more is begun, and who asks hears so
at once.
"""

import asyncio
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import msgspec

from doorward.domain.errors import DoorwardError

THREADS = 4
"""Of one guard that is not asynchronous."""
TASKS = 64
"""Messages that one asynchronous guard is shown at a time."""


Work = Callable[[], object]
"""What is to be done; gives a coroutine where it is done on a loop."""


class LateError(DoorwardError):
    """The time is over."""


class BusyError(DoorwardError):
    """Everything that could do it hangs with earlier work."""


class Broke(msgspec.Struct, frozen=True):
    """What became of work that failed: the kind of its error, and not its message, which may hold what was looked at."""

    kind: str


class Job(msgspec.Struct, eq=False):
    """One piece of work."""

    work: Work
    loop: asyncio.AbstractEventLoop
    """Of who asks."""
    done: "asyncio.Future[object]"
    ends: float
    """When its time is over, by the clock of that loop."""
    finish: Callable[["Job", object], None]

    def tell(self, outcome: object) -> None:
        """Hands over what became of it, from any thread; to nobody where who asked is gone with its loop."""
        with suppress(RuntimeError):  # that loop is closed
            self.loop.call_soon_threadsafe(self.finish, self, outcome)


class Means(Protocol):
    """By what work is done."""

    @property
    def most(self) -> int:
        """So much at a time."""
        ...

    def begin(self, job: Job, running: int) -> None:
        """Begins, as one of so many that run; the job is told once it is done, whatever becomes of it. Raises `RuntimeError` where it cannot."""
        ...

    def leave(self, job: Job) -> None:
        """Nobody waits for this job any more; it may go on all the same."""
        ...


class Aside:
    """Work of one kind, done beside the loop. Used from the tasks of one loop at a time."""

    __slots__ = ("_free", "_means", "_running")

    def __init__(self, means: Means) -> None:
        self._means = means
        self._free = asyncio.Semaphore(means.most)
        self._running: set[Job] = set()

    @property
    def running(self) -> int:
        """How much is being done, or hangs."""
        return len(self._running)

    async def do(self, work: Work, seconds: float) -> object:
        """What the work gives, or `Broke`; raises `LateError` and `BusyError`. Its time begins now, not when its turn comes."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        if sum(job.ends <= loop.time() for job in self._running) >= self._means.most:
            raise BusyError(f"all {self._means.most} hang")
        job: Job | None = None
        try:
            async with asyncio.timeout_at(ends):
                await self._free.acquire()
                job = self._begun(Job(work, loop, loop.create_future(), ends, self._finish))
                return await job.done
        except TimeoutError:
            raise LateError(f"expected an answer in {seconds:g} s") from None
        finally:
            if job is not None and job in self._running:
                self._means.leave(job)

    def _begun(self, job: Job) -> Job:
        self._running.add(job)
        try:
            self._means.begin(job, len(self._running))
        except RuntimeError as error:
            self._finish(job, None)
            raise BusyError("no thread can be begun") from error
        return job

    def _finish(self, job: Job, outcome: object) -> None:
        self._running.discard(job)
        self._free.release()
        if not job.done.done():
            job.done.set_result(outcome)


_Queue = queue.SimpleQueue[Job | None]


class Threads:
    """A few threads (`Means`), begun as they are needed; they end with this object."""

    __slots__ = ("__weakref__", "_begun", "_name", "_queue", "most")

    def __init__(self, name: str, most: int = THREADS) -> None:
        self.most = most
        self._name = name
        self._queue: _Queue = queue.SimpleQueue()
        self._begun = 0
        weakref.finalize(self, _send_home, self._queue, most)

    def begin(self, job: Job, running: int) -> None:
        """Puts it before the threads, one more of them where more is to be done than there are."""
        if self._begun < running:
            threading.Thread(target=_work, args=(self._queue,), name=f"guard {self._name}", daemon=True).start()
            self._begun += 1
        self._queue.put(job)

    def leave(self, job: Job) -> None:
        """Goes on: nothing ends a thread."""


def _send_home(jobs: _Queue, count: int) -> None:
    for _ in range(count):
        jobs.put(None)


def _work(jobs: _Queue) -> None:
    """A thread's life."""
    while (job := jobs.get()) is not None:
        try:
            outcome = job.work()
        except BaseException as error:  # noqa: BLE001 -- a task root: whatever the code of others raises is what became of it
            outcome = Broke(type(error).__name__)
        job.tell(outcome)
        # What was worked on is not kept until there is more to do.
        del job, outcome


_Tasks = dict[Job, asyncio.Task[object]]
"""What is under way on a side loop; touched there alone."""


class SideLoop:
    """A loop in a thread of its own (`Means`), for work that is a coroutine; begun with the first work, and ended with this object."""

    __slots__ = ("__weakref__", "_loop", "_name", "_tasks", "most")

    def __init__(self, name: str, most: int = TASKS) -> None:
        self.most = most
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: _Tasks = {}

    def begin(self, job: Job, running: int) -> None:
        """Puts it on that loop."""
        if self._loop is None:
            loop = asyncio.new_event_loop()
            threading.Thread(target=_turn, args=(loop,), name=f"guard {self._name}", daemon=True).start()
            self._loop = loop
            weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
        self._loop.call_soon_threadsafe(_spawn, job, self._tasks)

    def leave(self, job: Job) -> None:
        """Cancels it; a coroutine that never waits hears nothing of that."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(_cancel, job, self._tasks)


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _spawn(job: Job, tasks: _Tasks) -> None:
    task = tasks[job] = asyncio.get_running_loop().create_task(_attend(job))

    # Not at the end of the coroutine: one that is cancelled before its first step never gets there.
    def over(done: asyncio.Task[object]) -> None:
        del tasks[job]
        job.tell(Broke("CancelledError") if done.cancelled() else done.result())

    task.add_done_callback(over)


def _cancel(job: Job, tasks: _Tasks) -> None:
    task = tasks.get(job)
    if task is not None:
        task.cancel()


async def _attend(job: Job) -> object:
    try:
        made = job.work()
        return await made if isinstance(made, Awaitable) else Broke("no coroutine")
    except BaseException as error:  # noqa: BLE001 -- a task root, as above; nobody waits for this task but its job
        return Broke(type(error).__name__)
