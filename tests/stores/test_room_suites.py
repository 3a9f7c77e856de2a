"""Every driver of the rooms' stores passes the suites."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from doorward.audit.commit import Moment
from doorward.stores.memory import MemoryAgents, MemoryApprovals, MemoryLog, MemoryPins, MemorySessions, MemoryStops
from doorward.stores.sqlite.agents import SqliteAgents
from doorward.stores.sqlite.approvals import SqliteApprovals
from doorward.stores.sqlite.database import Database, open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.pins import SqlitePins
from doorward.stores.sqlite.sessions import SqliteSessions
from doorward.stores.sqlite.stops import SqliteStops
from doorward.testing.stores import rooms
from doorward.testing.stores.log import Clock, committer
from doorward.testing.stores.rooms import NOW, Opening
from tests.sealing import envelope


def in_memory(make: Callable[[], Any]) -> Callable[[Path], Opening[Any]]:
    """A store that stays as long as the test."""

    def bench(path: Path) -> Opening[Any]:
        del path
        store = make()

        @asynccontextmanager
        async def opened() -> AsyncIterator[Any]:
            yield store

        return opened

    return bench


def in_sqlite(make: Callable[[Database, SqliteLog], Any]) -> Callable[[Path], Opening[Any]]:
    """A store in a state directory, opened anew each time."""

    def bench(path: Path) -> Opening[Any]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Any]:
            database = open_database(path / "state")
            log = SqliteLog(database, committer(), _clock(), envelope())
            try:
                yield make(database, log)
            finally:
                log.close()
                database.close()

        return opened

    return bench


def _clock() -> Clock:
    clock = Clock()
    clock.at = Moment(int(NOW * 1_000_000), 0.0)
    return clock


def _approvals_in_memory() -> tuple[MemoryApprovals, MemoryLog]:
    approvals = MemoryApprovals()
    return approvals, MemoryLog(committer(), _clock(), approvals)


DRIVERS: dict[str, tuple[tuple[rooms.Check[Any], ...], tuple[Callable[[Path], Opening[Any]], ...]]] = {
    "pins": (rooms.PINS, (in_memory(MemoryPins), in_sqlite(lambda database, log: SqlitePins(database, log.writer, envelope())))),
    "agents": (rooms.AGENTS, (in_memory(MemoryAgents), in_sqlite(lambda _, log: SqliteAgents(log.writer, envelope())))),
    "stops": (rooms.STOPS, (in_memory(MemoryStops), in_sqlite(lambda _, log: SqliteStops(log.writer, envelope())))),
    "sessions": (
        rooms.SESSIONS,
        (in_memory(MemorySessions), in_sqlite(lambda database, log: SqliteSessions(database, log.writer, envelope()))),
    ),
    "approvals": (
        rooms.APPROVALS,
        (in_memory(_approvals_in_memory), in_sqlite(lambda _, log: (SqliteApprovals(log.writer, envelope()), log))),
    ),
}
CASES = [
    pytest.param(check, bench, id=f"{room}-{driver}-{check.__name__}")
    for room, (checks, benches) in DRIVERS.items()
    for driver, bench in zip(("memory", "sqlite"), benches, strict=True)
    for check in checks
]


@pytest.mark.anyio
@pytest.mark.parametrize(("check", "bench"), CASES)
async def test_every_store_does_what_its_suite_asks(check: rooms.Check[Any], bench: Callable[[Path], Opening[Any]], tmp_path: Path) -> None:
    await check(bench(tmp_path))
