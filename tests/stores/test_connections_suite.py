"""Every driver of the connections' store passes the suite; what SQLite has on disk says nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.credentials.connections.store import ConnectionStore
from doorward.stores.memory_connections import MemoryConnections
from doorward.stores.sqlite.connections import SqliteConnections
from doorward.testing.stores.connections import CONNECTIONS, kept, registered
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite

Bench = Callable[[Path], Opening[ConnectionStore]]

DRIVERS: dict[str, Bench] = {
    "memory": in_memory(MemoryConnections),
    "sqlite": in_sqlite(lambda _, log: SqliteConnections(log.writer, envelope())),
}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", CONNECTIONS, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[ConnectionStore], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))


@pytest.mark.anyio
async def test_nothing_of_a_connection_is_readable_on_disk(tmp_path: Path) -> None:
    async with DRIVERS["sqlite"](tmp_path)() as store:
        await store.put(kept(access="at-canary-1"))
        await store.update(kept(access="at-canary-2"))
        await store.register(registered(secret="secret-canary"))
        written = b"".join(file.read_bytes() for file in (tmp_path / "state").rglob("*") if file.is_file())
    for text in ("at-canary", "rt-é", "alice", "crm", "as.example.com", "secret-canary", "dyn-1"):
        assert text.encode() not in written, text
    assert b"c1" in written
