"""The log in SQLite: leaves, tree nodes, checkpoints, open intents and side records, each batch in one durable transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw

from doorward.audit import leaf as leaves
from doorward.audit.commit import Batch, Committer, Moment, Sealing
from doorward.audit.merkle import Span, fold, frontier_ranges, spans
from doorward.audit.query import Located, Page, Query
from doorward.audit.store import Box, Boxes, Entry, Head, Told, grant_gone
from doorward.credentials.envelope import Context, Envelope
from doorward.domain.errors import StoreError
from doorward.domain.ids import CallId
from doorward.domain.receipts import Place
from doorward.stores.sqlite.approvals import SqliteGrants
from doorward.stores.sqlite.budgets import SqliteDraws
from doorward.stores.sqlite.database import Database, viewing
from doorward.stores.sqlite.flow import SqliteRises
from doorward.stores.sqlite.index import Index, QuietTimes, opening
from doorward.stores.sqlite.opens import OpenIntents
from doorward.stores.sqlite.reader import Job, Reader
from doorward.stores.sqlite.rows import Value, delete, insert, select
from doorward.stores.sqlite.writer import Writer

T = TypeVar("T")

_SWEPT = 500
"""Side records deleted in one transaction: a sweep must not hold up calls."""


class _Seal:
    """An item that asks for a checkpoint."""


class LogGroup:
    """The writing half, in the writer's thread."""

    def __init__(self, committer: Committer, clocks: Callable[[], Moment], envelope: Envelope) -> None:
        self._committer = committer
        self._clocks = clocks
        self._grants, self._draws, self._rises = SqliteGrants(envelope), SqliteDraws(envelope), SqliteRises(envelope)
        self._opens = OpenIntents()
        self._batch: Batch | None = None
        self.note: bytes | None = None
        self.size = 0
        """How many leaves are durable."""

    def resume(self, db: apsw.Connection) -> None:
        """Goes on from the rows."""
        found = head(db)
        self._committer.resume(found)
        self._opens.resume(db)
        self.size = found.size
        self.note = db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").get

    def due_in(self) -> float | None:
        """Until a checkpoint is due."""
        return self._committer.due_in(self._clocks().steady)

    def write(self, db: apsw.Connection, items: Sequence[Entry | _Seal]) -> Sequence[object]:
        """Writes entries; a place for each, a note for each seal, an error where a grant is gone or a budget does not hold the draw."""
        at = self._clocks()
        entries = [item for item in items if type(item) is Entry]
        sealing = Sealing.WHEN_DUE if len(entries) == len(items) else Sealing.NOW
        gone = self._unfit(db, items, at)
        if gone:
            entries = [item for number, item in enumerate(items) if type(item) is Entry and number not in gone]
        batch = self._batch = self._committer.prepare(entries, at, sealing)
        self._insert(db, entries, batch)
        if len(entries) == len(items):
            return batch.places
        places = iter(batch.places)
        note = batch.note or self.note
        return [gone.get(number) or (next(places) if isinstance(item, Entry) else note) for number, item in enumerate(items)]

    def _insert(self, db: apsw.Connection, entries: Sequence[Entry], batch: Batch) -> None:
        """The rows of a batch."""
        insert(db, "INSERT INTO leaf", batch.rows)
        first = batch.frontier.size - len(entries)
        insert(db, "INSERT INTO side", [_side(seq, entry.box) for seq, entry in enumerate(entries, first) if entry.box is not None])
        self._rises.write(db, [entry.rise for entry in entries if entry.rise is not None])
        self._opens.write(entries, first)
        if batch.nodes:
            insert(db, "INSERT INTO node", [(node.level, node.index, node.hash) for node in batch.nodes])
        if batch.note is not None:
            insert(db, "INSERT INTO checkpoint", [(batch.frontier.size, batch.note)])
            self._opens.keep(db)

    def _unfit(self, db: apsw.Connection, items: Sequence[Entry | _Seal], at: Moment) -> dict[int, Exception]:
        """Uses and releases grants and budgets, in order; gives what keeps single entries from being written, by their numbers."""
        unfit: dict[int, Exception] = {}
        if not [item for item in items if type(item) is Entry and (item.draws or item.returns or item.uses or item.releases)]:
            return unfit
        opened: set[CallId] = set()
        for number, item in enumerate(items):
            if isinstance(item, Entry) and (error := self._used(db, item, opened, at)) is not None:
                unfit[number] = error
        return unfit

    def _used(self, db: apsw.Connection, entry: Entry, opened: set[CallId], at: Moment) -> Exception | None:
        """Uses all that one entry needs, or nothing of it and gives what is not there; `opened` are the intents of this batch."""
        if (entry.releases is not None or entry.returns) and (entry.closes in opened or self._opens.stands_open(entry.closes)):
            self._give_back(db, entry)
        short = self._draws.overdrawn(db, entry.draws)
        if short is not None:
            return short
        if entry.uses is not None and not self._grants.consume(db, entry.uses, at.wall_micros / 1_000_000):
            return grant_gone()
        self._draws.draw(db, entry.draws)
        if entry.opens is not None:
            opened.add(entry.opens)
        return None

    def _give_back(self, db: apsw.Connection, entry: Entry) -> None:
        if entry.releases is not None:
            self._grants.release(db, entry.releases)
        self._draws.give_back(db, entry.returns)

    def open_intents(self, db: apsw.Connection) -> tuple[Located, ...]:
        """The intents without an outcome, oldest first."""
        return self._opens.leaves(db)

    def committed(self) -> None:
        """The last batch is durable."""
        if self._batch is not None:
            self._committer.accept(self._batch)
            self.size = self._batch.frontier.size
            self.note = self._batch.note or self.note


def _side(seq: int, box: Box) -> tuple[Value, ...]:
    return (seq, box.key, box.nonce, box.size_bytes, box.sealed)


def head(db: apsw.Connection) -> Head:
    """Where the stored log stands."""
    last = db.execute("SELECT seq, body FROM leaf ORDER BY seq DESC LIMIT 1").get
    size = last[0] + 1 if last else 0
    roots = tuple(fold(hashes(db, spans(part))) for part in frontier_ranges(size))
    signed = db.execute("SELECT coalesce(max(size), 0) FROM checkpoint").get
    return Head(size, leaves.micros(last[1]) if last else 0, roots, signed)


def hashes(db: apsw.Connection, wanted: Sequence[Span]) -> tuple[tuple[bytes, ...], ...]:
    """The tree hashes of each span; raises StoreError where one is not there."""
    return tuple(_hashes(db, span) for span in wanted)


def _hashes(db: apsw.Connection, span: Span) -> tuple[bytes, ...]:
    within = (span.first, span.first + span.count)
    if span.level == 0:
        rows = db.execute("SELECT hash FROM leaf WHERE seq >= ? AND seq < ? ORDER BY seq", within)
    else:
        rows = db.execute("SELECT hash FROM node WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx", (span.level, *within))
    found = tuple(row[0] for row in rows)
    if len(found) != span.count:
        raise StoreError(f"{span.count} hashes of level {span.level} from {span.first} were expected, {len(found)} are there")
    return found


class SqliteLog:
    """The log store on one database (`LogStore`)."""

    def __init__(self, database: Database, committer: Committer, clocks: Callable[[], Moment], envelope: Envelope) -> None:
        self._group = LogGroup(committer, clocks, envelope)
        self._envelope = envelope
        database.now(self._group.resume)
        self.writer = Writer(database.connect, self._group)
        """For the other stores of the same database."""
        self._reader = Reader(viewing(database.path))
        self._index = Index()
        self._finder = Reader(opening(database.path), QuietTimes(self._index, lambda: self._group.size), "doorward-finder")
        """Apart from the other, so that no proof waits while an index is built."""

    def close(self) -> None:
        """Writes what is queued, ends all threads. Blocks until then."""
        self._index.end()
        self._finder.close()
        self._reader.close()
        # Last, so that it leaves one whole file behind.
        self.writer.close()

    def read(self, job: Job[T]) -> asyncio.Future[T]:
        """Has the reader do a job, on the database as `log`; its result, or StoreError."""
        return self._reader.submit(job)

    def append(self, entry: Entry) -> asyncio.Future[Place]:
        """Queues an entry."""
        return self.writer.add(entry)

    def append_soon(self, entry: Entry, told: Told) -> None:
        """Queues an entry that may wait a little."""
        self.writer.add_soon(entry, told)

    def seal(self) -> asyncio.Future[bytes | None]:
        """A checkpoint over everything queued before."""
        return self.writer.add(_Seal())

    def checkpoint(self) -> bytes | None:
        """The last durable one."""
        return self._group.note

    async def checkpoints(self, after: int, limit: int) -> tuple[bytes, ...]:
        """Notes of sizes above `after`."""
        sql = "SELECT note FROM log.checkpoint WHERE size > ? ORDER BY size LIMIT ?"
        return await self._reader.submit(lambda db: tuple(row[0] for row in db.execute(sql, (after, limit))))

    async def size(self) -> int:
        """How many leaves are durable."""
        return await self._reader.submit(lambda db: db.execute("SELECT coalesce(max(seq) + 1, 0) FROM log.leaf").get)

    async def leaves(self, first: int, stop: int) -> tuple[Located, ...]:
        """The leaves of a range."""
        sql = "SELECT seq, body FROM log.leaf WHERE seq >= ? AND seq < ? ORDER BY seq"
        return await self._reader.submit(lambda db: tuple(Located(*row) for row in db.execute(sql, (first, stop))))

    async def hashes(self, wanted: Sequence[Span]) -> tuple[tuple[bytes, ...], ...]:
        """Tree hashes."""
        return await self._reader.submit(lambda db: hashes(db, wanted))

    async def find(self, query: Query) -> Page:
        """The leaves of a query."""
        return await self._finder.submit(lambda db: self._index.find(db, query))

    async def of_call(self, call: CallId) -> tuple[Located, ...]:
        """The leaves of a call."""
        return await self._finder.submit(lambda db: self._index.of_call(db, call))

    async def open_intents(self) -> tuple[Located, ...]:
        """Intents without an outcome."""
        return await self.writer.submit(self._group.open_intents)

    async def add_data_key(self, wrapped: bytes) -> int:
        """Keeps a wrapped key."""
        return await self.writer.submit(lambda db: _add_data_key(db, self._envelope, wrapped))

    async def data_key(self, number: int) -> bytes | None:
        """A wrapped key."""
        return await self._reader.submit(lambda db: _data_keys(db, self._envelope, (number,)).get(number))

    async def box(self, seq: int) -> Box | None:
        """The side record of a leaf."""
        sql = "SELECT key, nonce, size, sealed FROM log.side WHERE seq = ?"
        row = await self._reader.submit(lambda db: db.execute(sql, (seq,)).get)
        return Box(*row) if row else None

    async def boxes(self, indexes: Sequence[int]) -> Boxes:
        """The side records of some leaves."""
        return await self._reader.submit(lambda db: _boxes(db, self._envelope, indexes))

    async def sweep(self, before_micros: int) -> int:
        """Deletes old side records."""
        swept = 0
        while found := await self.writer.submit(lambda db: _sweep(db, before_micros)):
            swept += found
        return swept


def _add_data_key(db: apsw.Connection, envelope: Envelope, wrapped: bytes) -> int:
    """Sealed to its number, which the row has to have first."""
    number: int = db.execute("INSERT INTO data_key (wrapped) VALUES (x'') RETURNING number").get
    db.execute("UPDATE data_key SET wrapped = ? WHERE number = ?", (envelope.seal(wrapped, _data_key(number)), number))
    return number


def _data_keys(db: apsw.Connection, envelope: Envelope, numbers: Sequence[int]) -> dict[int, bytes]:
    places = ",".join("?" * len(numbers))
    rows = select(db, f"SELECT number, wrapped FROM log.data_key WHERE number IN ({places})", numbers)  # noqa: S608 - places only
    return {number: envelope.open(sealed, _data_key(number)) for number, sealed in rows}


def _data_key(number: int) -> Context:
    return Context("data_key", (str(number),), "wrapped")


def _boxes(db: apsw.Connection, envelope: Envelope, indexes: Sequence[int]) -> Boxes:
    places = ",".join("?" * len(indexes))
    rows = select(db, f"SELECT seq, key, nonce, size, sealed FROM log.side WHERE seq IN ({places})", indexes)  # noqa: S608 - places only
    found = {seq: Box(*row) for seq, *row in rows}
    return Boxes(found, _data_keys(db, envelope, tuple({box.key for box in found.values()})))


def _sweep(db: apsw.Connection, before_micros: int) -> int:
    """Some of the oldest side records; index order is time order, so only the first rows need be looked at."""
    oldest = select(db, "SELECT seq, body FROM side JOIN leaf USING (seq) ORDER BY seq LIMIT ?", (_SWEPT,))
    old = [seq for seq, body in oldest if leaves.micros(body) < before_micros]
    delete(db, "DELETE FROM side WHERE seq", old)
    # A key is used by no record older than the oldest that is left; the newest key may be about to be used.
    db.execute(
        "DELETE FROM data_key WHERE number < coalesce((SELECT key FROM side ORDER BY seq LIMIT 1), (SELECT max(number) FROM data_key))"
    )
    return len(old)
