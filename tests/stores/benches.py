"""The logs that the suites are run on: one in SQLite, one in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from doorward.audit.store import LogStore
from doorward.stores.memory import MemoryApprovals, MemoryLog
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.testing.stores.log import Bench, Clock, committer
from tests.sealing import envelope


def memory_bench(path: Path) -> Bench:
    """A log that stays as long as the bench."""
    del path
    clock = Clock()
    store = MemoryLog(committer(), clock, MemoryApprovals())

    @asynccontextmanager
    async def opened() -> AsyncIterator[LogStore]:
        yield store

    return Bench(opened, clock)


def sqlite_bench(path: Path) -> Bench:
    """A log in a state directory."""
    clock = Clock()

    @asynccontextmanager
    async def opened() -> AsyncIterator[LogStore]:
        database = open_database(path / "state")
        store = SqliteLog(database, committer(), clock, envelope())
        try:
            yield store
        finally:
            store.close()
            database.close()

    return Bench(opened, clock)


BENCHES = (memory_bench, sqlite_bench)
