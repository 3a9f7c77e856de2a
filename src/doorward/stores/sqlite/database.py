"""One SQLite database in one state directory: how it is opened, and by whom it is owned."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import apsw
import msgspec

from doorward.domain.errors import StoreError
from doorward.stores.sqlite.directory import StateDirectory, own
from doorward.stores.sqlite.migrate import migrate
from doorward.stores.sqlite.migrations import MIGRATIONS

T = TypeVar("T")

FILE = "doorward.db"
BUSY_MILLISECONDS = 5000


class Database(msgspec.Struct, frozen=True):
    """A database at its last step, owned by this process."""

    directory: StateDirectory

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory.path / FILE

    def connect(self) -> apsw.Connection:
        """A connection that writes durably."""
        return connect(self.path)

    def now(self, job: Callable[[apsw.Connection], T]) -> T:
        """The result of a job, done at once in this thread: for the start, before anything runs."""
        try:
            with closing(self.connect()) as db:
                return job(db)
        except apsw.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error

    def close(self) -> None:
        """Lets another process own it. The writer and reader must have been closed before."""
        self.directory.close()


def open_database(path: Path) -> Database:
    """The database of a state directory, made if need be, brought to the last step; raises StoreError."""
    directory = own(path)
    try:
        _make_private(path / FILE)
        database = Database(directory)
        database.now(lambda db: migrate(db, MIGRATIONS))
    except (StoreError, OSError) as error:
        directory.close()
        raise StoreError(str(error)) from error
    return database


def connect(path: Path) -> apsw.Connection:
    """A connection with the settings that durability rests on."""
    db = apsw.Connection(
        str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI, statementcachesize=200
    )
    db.set_busy_timeout(BUSY_MILLISECONDS)
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    db.pragma("foreign_keys", True)
    # Contents of deleted side records are overwritten where that costs no extra write.
    db.pragma("secure_delete", "fast")
    db.pragma("trusted_schema", False)
    # An auditor's long look keeps the write-ahead log from being reset; afterwards it shrinks to this again.
    db.pragma("journal_size_limit", 64 * 2**20)
    return db


def viewing(path: Path) -> Callable[[], apsw.Connection]:
    """A function that opens a database read-only, under the name `log`."""

    def connect() -> apsw.Connection:
        db = apsw.Connection(":memory:", flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI)
        try:
            view(db, path)
        except apsw.Error:
            db.close(force=True)
            raise
        return db

    return connect


def view(db: apsw.Connection, path: Path) -> None:
    """Has a connection see a database besides its own, read-only, under the name `log`."""
    db.set_busy_timeout(BUSY_MILLISECONDS)
    db.execute("ATTACH ? AS log", (f"{path.absolute().as_uri()}?mode=ro",))


def _make_private(path: Path) -> None:
    """The file exists with mode 0600 before SQLite opens it; its journal and shared memory files inherit that."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
