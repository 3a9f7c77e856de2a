"""Every driver of the store's keys passes the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.stores.memory_store_keys import MemoryStoreKeys
from doorward.stores.sqlite.log import SqliteLog
from doorward.stores.sqlite.store_keys import SqliteStoreKeys
from doorward.testing.stores.rooms import Check, Opening
from doorward.testing.stores.store_keys import STORE_KEYS, Rows, place
from tests.stores.test_room_suites import in_memory, in_sqlite

Bench = Callable[[Path], Opening[Rows]]


def _in_memory() -> Rows:
    store = MemoryStoreKeys()

    async def put(row: str, sealed: bytes) -> None:
        store.rows[place(row)] = sealed

    async def get(row: str) -> bytes:
        return store.rows[place(row)]

    return Rows(store, put, get)


def _in_sqlite(log: SqliteLog) -> Rows:
    async def put(row: str, sealed: bytes) -> None:
        await log.writer.submit(lambda db: db.execute("INSERT INTO waiver VALUES (?, 1, ?)", (row, sealed)).get)

    async def get(row: str) -> bytes:
        record: bytes = await log.writer.submit(lambda db: db.execute("SELECT record FROM waiver WHERE id = ?", (row,)).get)
        return record

    return Rows(SqliteStoreKeys(log.writer.submit, log.read), put, get)


DRIVERS: dict[str, Bench] = {"memory": in_memory(_in_memory), "sqlite": in_sqlite(lambda _, log: _in_sqlite(log))}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", STORE_KEYS, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[Rows], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
