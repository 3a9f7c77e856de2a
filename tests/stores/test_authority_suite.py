"""Every driver of the authority's store passes the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.identity.authority.families import AuthorityStore
from doorward.stores.memory_authority import MemoryAuthority
from doorward.stores.sqlite.authority import SqliteAuthority
from doorward.testing.stores.authority import AUTHORITY
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite

Bench = Callable[[Path], Opening[AuthorityStore]]

DRIVERS: dict[str, Bench] = {
    "memory": in_memory(MemoryAuthority),
    "sqlite": in_sqlite(lambda _, log: SqliteAuthority(log.writer, envelope())),
}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", AUTHORITY, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[AuthorityStore], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
