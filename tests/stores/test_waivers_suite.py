"""Every driver of the waivers' store passes the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.approval.waivers import WaiverStore
from doorward.stores.memory_waivers import MemoryWaivers
from doorward.stores.sqlite.waivers import SqliteWaivers
from doorward.testing.stores.rooms import Check, Opening
from doorward.testing.stores.waivers import WAIVERS
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite

Bench = Callable[[Path], Opening[WaiverStore]]

DRIVERS: dict[str, Bench] = {"memory": in_memory(MemoryWaivers), "sqlite": in_sqlite(lambda _, log: SqliteWaivers(log.writer, envelope()))}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", WAIVERS, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[WaiverStore], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
