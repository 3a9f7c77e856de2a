"""A log in memory that takes its time: what is appended while it is held becomes durable when it is released, in order."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from doorward.audit.store import Entry, Told
from doorward.domain.receipts import Place
from doorward.stores.memory import MemoryLog


@dataclass(slots=True)
class Pace:
    """Whether the log writes now, and what waits for it."""

    is_held: bool = False
    waiting: deque[tuple[Entry, asyncio.Future[Place]]] = field(default_factory=deque)


class PacedLog:
    """A `LogStore` over another one in memory."""

    def __init__(self, inner: MemoryLog) -> None:
        self._inner = inner
        self._pace = Pace()
        self.seal = inner.seal
        self.checkpoint = inner.checkpoint
        self.checkpoints = inner.checkpoints
        self.size = inner.size
        self.leaves = inner.leaves
        self.hashes = inner.hashes
        self.find = inner.find
        self.of_call = inner.of_call
        self.open_intents = inner.open_intents
        self.add_data_key = inner.add_data_key
        self.data_key = inner.data_key
        self.box = inner.box
        self.boxes = inner.boxes
        self.sweep = inner.sweep

    def append(self, entry: Entry) -> asyncio.Future[Place]:
        """Writes an entry, or keeps it until the log is released."""
        if not self._pace.is_held:
            return self._inner.append(entry)
        written: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._pace.waiting.append((entry, written))
        return written

    def append_soon(self, entry: Entry, told: Told) -> None:
        """Writes an entry, or keeps it, too."""
        self.append(entry).add_done_callback(lambda done: told(entry, done.exception()))

    @property
    def held(self) -> int:
        """How many entries wait."""
        return len(self._pace.waiting)

    def hold(self) -> None:
        """From now on nothing becomes durable."""
        self._pace.is_held = True

    def release(self) -> None:
        """Writes what waits, and everything from now on; whoever has gone meanwhile is not told."""
        self._pace.is_held = False
        while self._pace.waiting:
            entry, written = self._pace.waiting.popleft()
            _settle(written, self._inner.append(entry))

    def fail(self, why: str | None) -> None:
        """Writes nothing any more and says why, until it is told None."""
        self._inner.broken = why


def _settle(waiting: asyncio.Future[Place], done: asyncio.Future[Place]) -> None:
    error = done.exception()
    if waiting.cancelled():
        return
    if error is not None:
        waiting.set_exception(error)
        # Read once, so that what nobody waits for does not print a warning at its end.
        waiting.exception()
    else:
        waiting.set_result(done.result())
