"""Where leaves are found: a second database, made of the first one's leaves and thrown away whenever in doubt.

Keeping many indexes in the transaction of each leaf would cost more than everything else about it; here they are filled in
bulk, in quiet moments and before each question, so that a question still sees all that was durable when it was asked.
"""

from collections.abc import Callable
from pathlib import Path

import apsw

from doorward.audit.query import COLUMNS, Facts, Located, Page, Query, capped, facts, marks_asked
from doorward.domain.ids import CallId
from doorward.stores.sqlite.database import BUSY_MILLISECONDS
from doorward.stores.sqlite.rows import Value, insert, select

FILE = "index.db"
VERSION = 2
"""Another number, and the index is built anew."""

_BULK = 256
MOST_BEHIND = 16_384
"""Leaves that may wait for a quiet moment; a question has to index them first, at about 20,000 a second."""
_INDEXED = ("call", "agent", "subject", "upstream, name", "effect", "reason", "type")
_SCHEMA = """
CREATE TABLE facts (
    seq INTEGER PRIMARY KEY, ts TEXT NOT NULL, type TEXT NOT NULL, call TEXT, agent TEXT, subject TEXT, upstream TEXT, name TEXT,
    effect TEXT, reason TEXT
) STRICT;
CREATE TABLE mark (value TEXT, seq INTEGER, PRIMARY KEY (value, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE state (size INTEGER NOT NULL, tip BLOB) STRICT;
INSERT INTO state VALUES (0, NULL);
""" + "".join(f"CREATE INDEX facts_{number} ON facts ({columns});\n" for number, columns in enumerate(_INDEXED))


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
        if db.pragma("user_version") != VERSION:
            _rebuild(db)
    except apsw.Error:
        db.close(force=True)
        raise
    return db


def _rebuild(db: apsw.Connection) -> None:
    with db:
        for name in ("facts", "mark", "state"):
            db.execute(f"DROP TABLE IF EXISTS {name}")
        db.execute(_SCHEMA)
        db.pragma("user_version", VERSION)


def _attached(db: apsw.Connection, log: Path) -> apsw.Connection:
    db.execute("ATTACH ? AS log", (f"{log.absolute().as_uri()}?mode=ro",))
    size, tip = db.execute("SELECT size, tip FROM main.state").get
    if size and db.execute("SELECT hash FROM log.leaf WHERE seq = ?", (size - 1,)).get != tip:
        # Another log than the one that was indexed: an older copy was put back.
        _rebuild(db)
    return db


def _remove(path: Path) -> None:
    for name in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        name.unlink(missing_ok=True)


def catch_up(db: apsw.Connection) -> bool:
    """Indexes a few of the leaves that are not yet; whether there are more."""
    start: int = db.execute("SELECT size FROM main.state").get
    rows = select(db, "SELECT seq, hash, body FROM log.leaf WHERE seq >= ? ORDER BY seq LIMIT ?", (start, _BULK))
    if not rows:
        return False
    read = [(seq, facts(body)) for seq, _, body in rows]
    with db:
        insert(db, "INSERT INTO main.facts", [_columns(seq, found) for seq, found in read])
        insert(db, "INSERT INTO main.mark", sorted((mark, seq) for seq, found in read for mark in found.marks))
        db.execute("UPDATE main.state SET size = ?, tip = ?", (rows[-1][0] + 1, rows[-1][1]))
    return len(rows) == _BULK


class QuietTimes:
    """Indexes in moments when few leaves come: both threads share one interpreter, and calls should have it."""

    __slots__ = ("_seen", "_size")

    def __init__(self, size: Callable[[], int]) -> None:
        """`size`: how many leaves there are, without a look at the disk."""
        self._size = size
        self._seen = 0

    def __call__(self, db: apsw.Connection) -> bool:
        """Indexes some, if it is quiet or too much waits; whether it should be asked again soon rather than in a while."""
        size, seen = self._size(), self._seen
        self._seen = size
        behind: int = size - db.execute("SELECT size FROM main.state").get
        return (size - seen < _BULK or behind > MOST_BEHIND) and catch_up(db)


def _columns(seq: int, found: Facts) -> tuple[Value, ...]:
    return (
        seq,
        found.ts,
        found.type,
        found.call,
        found.agent,
        found.subject,
        found.upstream,
        found.name,
        found.effect,
        found.reason,
    )


def of_call(db: apsw.Connection, call: CallId) -> tuple[Located, ...]:
    """Every leaf of a call, in order."""
    while catch_up(db):
        pass
    sql = "SELECT l.seq, l.body FROM main.facts f CROSS JOIN log.leaf l USING (seq) WHERE f.call = ? ORDER BY f.seq"
    return tuple(Located(*row) for row in select(db, sql, (call,)))


def find(db: apsw.Connection, query: Query) -> Page:
    """The leaves of a query, newest first."""
    while catch_up(db):
        pass
    size: int = db.execute("SELECT size FROM main.state").get
    first = _first_at(db, query.since, size) if query.since is not None else 0
    stop = _first_at(db, query.until, size) if query.until is not None else size
    stop = min(stop, query.before) if query.before is not None else stop
    sql, values = _selecting(query)
    limit = capped(query)
    rows = select(db, sql, [*values, first, stop, limit + 1])
    found = tuple(Located(*row) for row in rows[:limit])
    return Page(found, found[-1].index if len(rows) > limit else None)


def _first_at(db: apsw.Connection, ts: str, size: int) -> int:
    """The index of the first leaf of this moment or later, by halving: moments never go back."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if db.execute("SELECT ts FROM main.facts WHERE seq = ?", (middle,)).get < ts:
            low = middle + 1
        else:
            high = middle
    return low


def _selecting(query: Query) -> tuple[str, list[Value]]:
    """The statement of a query: driven by the rarest mark asked for, or by one of the columns."""
    marks = marks_asked(query)
    columns = [column for column in COLUMNS if getattr(query, column) is not None]
    joins = ["main.facts f", *[f"main.mark m{number}" for number in range(len(marks))]]
    joins = [*joins[1:2], joins[0], *joins[2:]] if marks else joins
    conditions = [f"m{number}.seq = f.seq AND m{number}.value = ?" for number in range(len(marks))]
    conditions += [f"f.{column} = ?" for column in columns]
    order = "m0.seq" if marks else "f.seq"
    sql = (
        f"SELECT f.seq, (SELECT body FROM log.leaf l WHERE l.seq = f.seq) FROM {' CROSS JOIN '.join(joins)}"  # noqa: S608 - our own words
        f" WHERE {' AND '.join([*conditions, f'{order} >= ?', f'{order} < ?'])} ORDER BY {order} DESC LIMIT ?"
    )
    return sql, [*marks, *[getattr(query, column) for column in columns]]
