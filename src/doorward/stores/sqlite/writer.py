"""The one thread that writes: whatever gathered while the last flush ran goes into the next transaction, and all wake together.

What somebody waits for waits for no timer, but for the tasks that go on in the same pass of the loop, and in the next as long as each
brings more: the thread wakes once for all. What nobody waits for goes with the next that does, or alone after a moment. An item that fails
on its own account (a bug, a constraint) is tried again alone and fails alone; a store that cannot write fails the whole batch at once and
is tried anew with the next one, so it recovers as soon as there is space again.
"""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import apsw

from doorward.domain.errors import DoorwardError, StoreError, UnrecordedError
from doorward.stores.sqlite.waiters import Hearer, Waiter, wake

T = TypeVar("T")
Job = Callable[[apsw.Connection], T]
"""Runs in the writer's transaction; may be run again after it failed, so it must leave nothing behind but rows."""

Item = Waiter[Any] | Hearer[Any]
"""What is to be written, and who hears of it."""

BATCH = 256

ENOUGH = 64
"""So many items are written though every pass of the loop brings more: a flush costs as much as writing about ten calls."""

LINGER_SECONDS = 0.002
"""How long an item that nobody waits for may stay in memory: long enough for the next call's intent, so that one flush serves both."""

RETRY_SECONDS = 1.0
"""What is due without anybody waiting is tried again so long after it failed."""

UNABLE = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.NoMemError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.PermissionsError,
)
"""The store's own failures, whatever was to be written."""


class Group(Protocol):
    """Items that are written together, with state in memory that must agree with the rows."""

    def resume(self, db: apsw.Connection) -> None:
        """Reads the state anew: before the first batch, and after a failed one."""
        ...

    def write(self, db: apsw.Connection, items: Sequence[Any]) -> Sequence[object]:
        """Writes the items in the open transaction and gives each its result, or the exception that it alone meets.

        Called with no items when `due_in` has passed.
        """
        ...

    def committed(self) -> None:
        """What was written last is durable."""
        ...

    def due_in(self) -> float | None:
        """Seconds after which `write` wants to be called though nothing came; None for never."""
        ...


_CLOSED = RuntimeError("it is closed")


class _Job:
    """A job, where items of the group stand as they are."""

    __slots__ = ("run",)

    def __init__(self, run: Job[Any]) -> None:
        self.run = run


def _fail(item: Item, error: Exception) -> None:
    """What the waiter is told: the room's own error as it is, any other as the store's."""
    if not isinstance(error, DoorwardError):
        text = f"the store cannot write: {type(error).__name__}: {error}"
        error = StoreError(text) if type(item.asked) is _Job else UnrecordedError(text)
    item.result, item.error = None, error


def _run(db: apsw.Connection, batch: Sequence[Item]) -> None:
    """Does the jobs of a batch."""
    for item in batch:
        if type(item.asked) is _Job:
            item.result = item.asked.run(db)


def _refuse(item: Item) -> None:
    """What comes after the end."""
    _fail(item, _CLOSED)
    wake([item])


class Writer:
    """Owns the writing connection of one database."""

    __slots__ = ("_bell", "_closed", "_connect", "_db", "_group", "_is_current", "_items", "_lingers", "_ringing", "_seen", "_thread")

    def __init__(self, connect: Callable[[], apsw.Connection], group: Group) -> None:
        self._connect = connect
        self._group = group
        self._items: deque[Item] = deque()
        """What is to be written, in order. Put in by any thread, taken out by ours."""
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        """Rung for items that somebody waits for. INVARIANT: what is put in is put in before the bell is rung for it."""
        self._ringing: asyncio.AbstractEventLoop | None = None
        """The loop that will ring at the end of a pass."""
        self._seen = 0
        """How many items there were at the beginning of that pass."""
        self._lingers: asyncio.AbstractEventLoop | None = None
        """The loop that will ring after a moment, whoever waits."""
        self._db: apsw.Connection | None = None
        self._is_current = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="doorward-writer", daemon=True)
        self._thread.start()

    def add(self, item: object) -> asyncio.Future[Any]:
        """Queues an item of the group; its result once it is durable, or UnrecordedError."""
        waiting = Waiter(item)
        if self._closed:
            _refuse(waiting)
            return waiting.future
        self._items.append(waiting)
        if self._ringing is not waiting.loop:
            # Once the tasks that can go on have gone on: what they bring goes with it, and the thread wakes once for all.
            self._ringing, self._seen = waiting.loop, len(self._items)
            waiting.loop.call_soon(self._ring)
        return waiting.future

    def add_soon(self, item: T, told: Callable[[T, BaseException | None], None]) -> None:
        """As `add`, but it may wait for company, and nobody waits for it: `told` hears what came of it, on this loop."""
        hearer = Hearer(item, told)
        if self._closed:
            _refuse(hearer)
            return
        self._items.append(hearer)
        if self._lingers is not hearer.loop:
            self._lingers = hearer.loop
            hearer.loop.call_later(LINGER_SECONDS, self._linger)

    def submit(self, job: Job[T]) -> asyncio.Future[T]:
        """Queues a job; its result once it is durable, or StoreError."""
        return self.add(_Job(job))

    def close(self) -> None:
        """Writes what is queued and ends the thread. Blocks until then."""
        self._closed = True
        self._bell.put(None)
        self._thread.join()
        # Whoever passed the checks just before may have come too late for the thread.
        while late := self._gather():
            for item in late:
                _fail(item, _CLOSED)
            wake(late)

    def _ring(self) -> None:
        """Rings, unless this pass has brought more: then the next one may, too."""
        gathered = len(self._items)
        if self._seen < gathered < ENOUGH:
            self._seen = gathered
            asyncio.get_running_loop().call_soon(self._ring)
        else:
            self._ringing = None
            self._bell.put(None)

    def _linger(self) -> None:
        self._lingers = None
        if self._items:
            self._bell.put(None)

    def _run(self) -> None:
        while self._items or not self._closed:
            if self._is_due():
                batch = self._gather()
                self._attempt(batch)
                wake(batch)
        if self._db is not None:
            self._db.close()

    def _is_due(self) -> bool:
        """Waits until the bell is rung for something, or something is due; false where it was rung for what is written already."""
        if self._closed:
            return True
        due = self._group.due_in()
        try:
            self._bell.get(timeout=due if due is None or self._is_current else RETRY_SECONDS)
        except queue.Empty:
            return True
        while not self._bell.empty():
            self._bell.get_nowait()
        return bool(self._items)

    def _gather(self) -> list[Item]:
        """What has gathered, but no more than one batch; the bell is rung for the rest."""
        gathered = len(self._items)
        if gathered > BATCH:
            self._bell.put(None)
        return [self._items.popleft() for _ in range(min(gathered, BATCH))]

    def _attempt(self, batch: list[Item]) -> None:
        try:
            self._transact(batch)
        except UNABLE as error:
            self._abandon(batch, error)
        except Exception as error:  # noqa: BLE001 - root of the thread: whatever it is must reach who waits, and not end the thread
            if len(batch) == 1:
                self._abandon(batch, error)
                return
            self._abandon([], error)
            for item in batch:
                self._attempt([item])

    def _transact(self, batch: list[Item]) -> None:
        db = self._current()
        leaves = [item for item in batch if type(item.asked) is not _Job]
        db.execute("BEGIN IMMEDIATE")
        results = self._group.write(db, [item.asked for item in leaves]) if leaves or not batch else ()
        for item, result in zip(leaves, results, strict=True):
            if isinstance(result, Exception):
                item.result, item.error = None, result
            else:
                item.result, item.error = result, None
        if len(leaves) < len(batch):
            _run(db, batch)
        db.execute("COMMIT")
        if leaves or not batch:
            self._group.committed()

    def _current(self) -> apsw.Connection:
        """The connection, with the group's state read from it; opened again where it had to be given up."""
        if self._db is None:
            self._db = self._connect()
        if not self._is_current:
            self._group.resume(self._db)
            self._is_current = True
        return self._db

    def _abandon(self, batch: list[Item], error: Exception) -> None:
        """Undoes what was begun; the group's state is read anew, as nobody knows how far a failed commit got."""
        self._is_current = False
        for item in batch:
            _fail(item, error)
        try:
            if self._db is not None and self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except apsw.Error:
            self._drop()

    def _drop(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close(force=True)
