"""A thread that reads: questions of auditors and proofs, off the event loop and never in the writer's way."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from doorward.domain.errors import DoorwardError, StoreError
from doorward.stores.sqlite.waiters import Waiter, wake

T = TypeVar("T")
Job = Callable[[apsw.Connection], T]

Idle = Callable[[apsw.Connection], bool]
"""A piece of work for when nothing is asked; whether there is more of it."""

IDLE_SECONDS = 1.0
BREATH_SECONDS = 0.02
"""Between two pieces of idle work: calls come first."""


class Reader:
    """Owns one connection for reading."""

    __slots__ = ("_closed", "_connect", "_db", "_idle", "_queue", "_thread")

    def __init__(self, connect: Callable[[], apsw.Connection], idle: Idle | None = None, name: str = "doorward-reader") -> None:
        self._connect = connect
        self._idle = idle
        self._queue: queue.SimpleQueue[Waiter[Job[Any]] | None] = queue.SimpleQueue()
        self._db: apsw.Connection | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Queues a job; its result, or StoreError."""
        waiting: Waiter[Job[Any]] = Waiter(job)
        if self._closed:
            waiting.error = StoreError("the store cannot answer: it is closed")
            wake([waiting])
        else:
            self._queue.put(waiting)
        return waiting.future

    def close(self) -> None:
        """Answers what is queued and ends the thread. Blocks until then."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        pause = None if self._idle is None else IDLE_SECONDS
        while True:
            try:
                asked = self._queue.get(timeout=pause)
            except queue.Empty:
                pause = self._rest()
                continue
            if asked is None:
                break
            self._answer(asked)
        self._drop()

    def _answer(self, waiting: Waiter[Job[Any]]) -> None:
        try:
            waiting.result = waiting.asked(self._current())
        except DoorwardError as error:
            waiting.error = error
        except Exception as error:  # noqa: BLE001 - root of the thread: whatever it is must reach who waits, and not end the thread
            waiting.error = StoreError(f"the store cannot answer: {type(error).__name__}: {error}")
            self._drop()
        wake([waiting])

    def _rest(self) -> float:
        """Does a piece of idle work; gives how long to wait for a question before the next."""
        assert self._idle is not None, "only then is there a pause that ends"
        try:
            return BREATH_SECONDS if self._idle(self._current()) else IDLE_SECONDS
        except Exception:  # noqa: BLE001 - root of the thread: without it nobody's question would ever be answered
            # A question will fail for the same cause, and say so to somebody; until then another connection may help.
            self._drop()
            return IDLE_SECONDS

    def _current(self) -> apsw.Connection:
        if self._db is None:
            self._db = self._connect()
        return self._db

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close(force=True)
