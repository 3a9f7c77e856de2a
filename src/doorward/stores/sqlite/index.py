"""Where leaves are found: a second database, made of the first one's leaves and thrown away whenever in doubt.

Keeping many indexes in the transaction of each leaf would cost more than everything else about it; here they are filled in
bulk, in quiet moments and before each question, so that a question still sees all that was durable when it was asked.

The index is a row of *segments* of 16,384 leaves, each written once and in order, as rows of a term and the places that have it. So a
leaf costs the same to index in a log of a thousand leaves and of a billion; a question looks each segment's terms up, newest first. What
comes after the last complete segment is held in memory, and read again after a restart.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw

from doorward.audit.query import Located, Page, Query, capped, facts, matches
from doorward.audit.terms import asked, terms
from doorward.domain.errors import StoreError
from doorward.domain.ids import CallId
from doorward.stores.sqlite.database import BUSY_MILLISECONDS, view
from doorward.stores.sqlite.postings import SEGMENT, Tail, descending, unpacked, within
from doorward.stores.sqlite.rows import insert, select

FILE = "index.db"
VERSION = 3
"""Another number, and the index is built anew."""

_BULK = 256
MOST_BEHIND = 8_192
"""Leaves that may wait for a quiet moment: a question has to index them first."""
_SCHEMA = """
CREATE TABLE segment (first INTEGER PRIMARY KEY, tip BLOB NOT NULL) STRICT;
CREATE TABLE posting (segment INTEGER, term INTEGER, places BLOB NOT NULL, PRIMARY KEY (segment, term)) STRICT, WITHOUT ROWID;
"""


def opening(log: Path) -> Callable[[], apsw.Connection]:
    """A function that opens the index beside a log, which it has read-only under the name `log`."""
    path = log.with_name(FILE)

    def connect() -> apsw.Connection:
        try:
            return _attached(_opened(path), log)
        except (apsw.CorruptError, apsw.NotADBError, apsw.SchemaChangeError):
            _remove(path)
            return _attached(_opened(path), log)

    return connect


def _opened(path: Path) -> apsw.Connection:
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI)
    try:
        path.chmod(0o600)
        db.set_busy_timeout(BUSY_MILLISECONDS)
        db.pragma("journal_mode", "wal")
        db.pragma("synchronous", "normal")
        version = db.pragma("user_version")
        if version not in (0, VERSION):
            raise apsw.SchemaChangeError(f"an index of version {VERSION} was expected, not {version}")
        if version == 0:
            with db:
                db.execute(_SCHEMA)
                db.pragma("user_version", VERSION)
    except apsw.Error:
        db.close(force=True)
        raise
    return db


def _attached(db: apsw.Connection, log: Path) -> apsw.Connection:
    try:
        view(db, log)
        last = db.execute("SELECT first, tip FROM main.segment ORDER BY first DESC LIMIT 1").get
        if last is not None and db.execute("SELECT hash FROM log.leaf WHERE seq = ?", (last[0] + SEGMENT - 1,)).get != last[1]:
            raise apsw.SchemaChangeError("another log than the one that was indexed: an older copy was put back")
    except apsw.Error:
        db.close(force=True)
        raise
    return db


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


class Index:
    """The index of one log, for the one thread that reads it."""

    __slots__ = ("_is_ending", "_tail")

    def __init__(self) -> None:
        self._is_ending = False
        self._tail = Tail(0)

    def end(self) -> None:
        """Whoever waits until much is indexed waits no longer; from any thread."""
        self._is_ending = True

    def size(self, db: apsw.Connection) -> int:
        """How many leaves are indexed."""
        stored: int = db.execute("SELECT coalesce(max(first) + ?, 0) FROM main.segment", (SEGMENT,)).get
        if stored != self._tail.first:
            # The first look, or the file was made anew meanwhile.
            self._tail = Tail(stored)
        return self._tail.size

    def catch_up(self, db: apsw.Connection) -> bool:
        """Indexes a few of the leaves that are not yet; whether there are more."""
        start, tail = self.size(db), self._tail
        most = min(_BULK, tail.first + SEGMENT - start)
        rows = select(db, "SELECT body FROM log.leaf WHERE seq >= ? ORDER BY seq LIMIT ?", (start, most))
        for (body,) in rows:
            tail.add(*terms(body))
        if tail.is_full:
            tip = db.execute("SELECT hash FROM log.leaf WHERE seq = ?", (tail.size - 1,)).get
            with db:
                insert(db, "INSERT INTO main.posting", [(tail.first, term, places) for term, places in tail.rows()])
                db.execute("INSERT INTO main.segment VALUES (?, ?)", (tail.first, tip))
            self._tail = Tail(tail.size)
        return len(rows) == most

    def of_call(self, db: apsw.Connection, call: CallId) -> tuple[Located, ...]:
        """Every leaf of a call, in order."""
        found = self._matching(db, Query(call=call), range(self._whole(db)))
        return tuple(sorted(found, key=lambda located: located.index))

    def find(self, db: apsw.Connection, query: Query) -> Page:
        """The leaves of a query, newest first."""
        size = self._whole(db)
        first = _first_at(db, query.since, size) if query.since is not None else 0
        stop = _first_at(db, query.until, size) if query.until is not None else size
        stop = min(stop, query.before) if query.before is not None else stop
        limit = capped(query)
        found: list[Located] = []
        for located in self._matching(db, query, range(first, stop)):
            if len(found) == limit:
                return Page(tuple(found), found[-1].index)
            found.append(located)
        return Page(tuple(found), None)

    def _whole(self, db: apsw.Connection) -> int:
        """How many leaves there are, with all of them indexed."""
        while self.catch_up(db):
            if self._is_ending:
                raise StoreError("the store cannot answer: it is closed")
        return self._tail.size

    def _matching(self, db: apsw.Connection, query: Query, among: range) -> Iterator[Located]:
        """The leaves of a range that a query is about, newest first."""
        wanted = asked(query)
        places = self._places(db, wanted, among) if wanted else reversed(among)
        for seq in places:
            body: bytes = db.execute("SELECT body FROM log.leaf WHERE seq = ?", (seq,)).get
            if matches(query, facts(body)):
                yield Located(seq, body)

    def _places(self, db: apsw.Connection, wanted: tuple[int, ...], among: range) -> Iterator[int]:
        """The leaves of a range that have all terms, newest first."""
        tail = self._tail
        for place in descending(within(tail.bits(wanted), among.start - tail.first, among.stop - tail.first)):
            yield tail.first + place
        joins = "".join(f" CROSS JOIN main.posting p{n} ON p{n}.segment = s.first AND p{n}.term = ?" for n in range(len(wanted)))
        columns = ", ".join(f"p{n}.places" for n in range(len(wanted)))
        sql = f"SELECT s.first, {columns} FROM main.segment s{joins} WHERE s.first > ? AND s.first < ? ORDER BY s.first DESC"  # noqa: S608 - our own words
        for start, *stored in db.execute(sql, (*wanted, among.start - SEGMENT, among.stop)):
            bits = within(-1, among.start - start, min(among.stop - start, SEGMENT))
            for places in stored:
                bits &= unpacked(places)
            for place in descending(bits):
                yield start + place


class QuietTimes:
    """Indexes in moments when few leaves come: both threads share one interpreter, and calls should have it."""

    __slots__ = ("_index", "_seen", "_size")

    def __init__(self, index: Index, size: Callable[[], int]) -> None:
        """`size`: how many leaves there are, without a look at the disk."""
        self._index = index
        self._size = size
        self._seen = 0

    def __call__(self, db: apsw.Connection) -> bool:
        """Indexes some, if it is quiet or too much waits; whether it should be asked again soon rather than in a while."""
        size, seen = self._size(), self._seen
        self._seen = size
        behind = size - self._index.size(db)
        return (size - seen < _BULK or behind > MOST_BEHIND) and self._index.catch_up(db)


def _first_at(db: apsw.Connection, ts: str, size: int) -> int:
    """The index of the first leaf of this moment or later, by halving: moments never go back."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if facts(db.execute("SELECT body FROM log.leaf WHERE seq = ?", (middle,)).get).ts < ts:
            low = middle + 1
        else:
            high = middle
    return low
