"""Every driver of the contexts' store, and of the log that writes to it, passes the suite."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.stores.memory import MemoryApprovals, MemoryLog
from doorward.stores.memory_flow import MemoryFlow
from doorward.stores.sqlite.flow import SqliteFlow
from doorward.testing.stores.flow import FLOW
from doorward.testing.stores.log import Clock, committer
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite


def _in_memory() -> tuple[MemoryFlow, MemoryLog]:
    contexts = MemoryFlow()
    return contexts, MemoryLog(committer(), Clock(), MemoryApprovals(), contexts=contexts)


DRIVERS: dict[str, Callable[[Path], Opening[Any]]] = {
    "memory": in_memory(_in_memory),
    "sqlite": in_sqlite(lambda _, log: (SqliteFlow(log.writer, envelope()), log)),
}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", FLOW, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[Any], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
