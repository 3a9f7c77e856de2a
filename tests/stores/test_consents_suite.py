"""Every driver of the consents' store passes the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.identity.consents import ConsentStore
from doorward.stores.memory_consents import MemoryConsents
from doorward.stores.sqlite.consents import SqliteConsents
from doorward.testing.stores.consents import CONSENTS
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite

Bench = Callable[[Path], Opening[ConsentStore]]

DRIVERS: dict[str, Bench] = {
    "memory": in_memory(MemoryConsents),
    "sqlite": in_sqlite(lambda _, log: SqliteConsents(log.writer, envelope())),
}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", CONSENTS, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[ConsentStore], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
