"""Journals: the events of streamed answers of session-era sessions, kept for a while so that a lost connection loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import islice

import msgspec

from doorward.domain.ids import SessionId
from doorward.wire.sse import frame

_EXPIRY_SECONDS = 10
"""How often expired journals are looked for."""


class Kept(msgspec.Struct, frozen=True):
    """How much is kept for clients that come back, and how long."""

    seconds: float = 300
    """After the end of an answer."""
    journals: int = 32
    """Of one session."""
    session_bytes: int = 8 * 2**20
    total_bytes: int = 64 * 2**20


class Journal:
    """The events of one streamed answer, numbered from 0. One reader at a time: a client that resumes takes it over."""

    __slots__ = ("_frames", "_grew", "_monotonic", "_turn", "done_at", "id", "is_kept", "reader", "size")

    def __init__(self, journal_id: str, grew: Callable[[int], None], monotonic: Callable[[], float]) -> None:
        self.id = journal_id
        self._grew, self._monotonic = grew, monotonic
        self._frames: list[bytes] = []
        self._turn = asyncio.Event()
        self.reader: object = None
        """Who is being sent the events; nobody else is (one message, one stream)."""
        self.done_at: float | None = None
        """Monotonic seconds."""
        self.is_kept = True
        self.size = 0

    def prime(self) -> bytes:
        """The first event, which says nothing: from it on there is an id to resume from (2025-11-25)."""
        return self.add(b"")

    def add(self, data: bytes) -> bytes:
        """One more message; gives it as an event with its id, as every reader is sent it."""
        framed = frame(data, f"{self.id}-{len(self._frames)}")
        if self.is_kept:
            self._frames.append(framed)
            self.size += len(framed)
            self._grew(len(framed))
        self._wake()
        return framed

    def end(self) -> None:
        """The answer is whole: from now on the journal is only kept."""
        self.done_at = self._monotonic()
        self._wake()

    def drop(self) -> None:
        """Keeps it no longer; whoever reads it is sent no more."""
        self.is_kept = False
        self._frames = []
        self._wake()

    async def after(self, number: int, reader: object) -> AsyncIterator[bytes]:
        """The events after a number, those to come included, until the answer is whole or another reader comes."""
        self.reader = reader
        self._wake()
        while self.reader is reader and self.is_kept:
            turn = self._turn
            for framed in islice(tuple(self._frames), number + 1, None):
                number += 1
                yield framed
            if turn is self._turn and self.done_at is not None:
                return
            await turn.wait()

    def _wake(self) -> None:
        self._turn.set()
        self._turn = asyncio.Event()


class _Shelf(msgspec.Struct):
    """The journals of one session, oldest first."""

    journals: dict[str, Journal] = msgspec.field(default_factory=dict)
    size: int = 0


class Journals:
    """Every journal, by session; the oldest make room when a bound is reached."""

    __slots__ = ("_bounds", "_expired_at", "_monotonic", "_new_id", "_shelves", "_total")

    def __init__(self, bounds: Kept, monotonic: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._bounds, self._monotonic, self._new_id = bounds, monotonic, new_id
        self._shelves: dict[SessionId, _Shelf] = {}
        self._total = 0
        self._expired_at = monotonic()

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._total

    def open(self, session: SessionId) -> Journal:
        """A new journal of a session, for one answer."""
        self._expire()
        shelf = self._shelves.setdefault(session, _Shelf())
        journal = Journal(self._new_id(), lambda count: self._grew(session, shelf, count), self._monotonic)
        shelf.journals[journal.id] = journal
        self._make_room(session, shelf)
        return journal

    def find(self, session: SessionId, event_id: str) -> tuple[Journal, int] | None:
        """The journal and number that an event id of this session names, while it is kept."""
        self._expire()
        name, _, number = event_id.rpartition("-")
        shelf = self._shelves.get(session)
        journal = shelf.journals.get(name) if shelf else None
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        return (journal, int(number)) if journal is not None and is_number else None

    def forget(self, session: SessionId) -> None:
        """Drops what was kept for a session that has ended."""
        shelf = self._shelves.get(session)
        for journal in tuple(shelf.journals.values()) if shelf else ():
            self._drop(session, journal)

    def _grew(self, session: SessionId, shelf: _Shelf, count: int) -> None:
        shelf.size += count
        self._total += count
        self._make_room(session, shelf)

    def _make_room(self, session: SessionId, shelf: _Shelf) -> None:
        while shelf.size > self._bounds.session_bytes or len(shelf.journals) > self._bounds.journals:
            self._drop(session, next(iter(shelf.journals.values())))
        while self._total > self._bounds.total_bytes:
            oldest = next(iter(self._shelves))
            self._drop(oldest, next(iter(self._shelves[oldest].journals.values())))

    def _expire(self) -> None:
        now = self._monotonic()
        if now - self._expired_at < _EXPIRY_SECONDS:
            return
        self._expired_at = now
        before = now - self._bounds.seconds
        kept = [(session, journal) for session, shelf in self._shelves.items() for journal in shelf.journals.values()]
        for session, journal in kept:
            if journal.done_at is not None and journal.done_at < before:
                self._drop(session, journal)

    def _drop(self, session: SessionId, journal: Journal) -> None:
        shelf = self._shelves[session]
        del shelf.journals[journal.id]
        shelf.size -= journal.size
        self._total -= journal.size
        journal.drop()
        if not shelf.journals:
            del self._shelves[session]
