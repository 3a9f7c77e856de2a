"""Every driver of issued certificates passes the suite."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.stores.memory_certificates import MemoryIssued
from doorward.stores.sqlite.certificates import SqliteIssued
from doorward.testing.stores.certificates import CERTIFICATES
from doorward.testing.stores.rooms import Check, Opening
from tests.stores.test_room_suites import in_memory, in_sqlite

BENCHES = (in_memory(MemoryIssued), in_sqlite(lambda _, log: SqliteIssued(log.writer)))


@pytest.mark.anyio
@pytest.mark.parametrize("bench", BENCHES, ids=("memory", "sqlite"))
@pytest.mark.parametrize("check", CERTIFICATES)
async def test_every_store_does_what_its_suite_asks(check: Check[Any], bench: Callable[[Path], Opening[Any]], tmp_path: Path) -> None:
    await check(bench(tmp_path))
