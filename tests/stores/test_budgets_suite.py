"""Every driver of the budgets' store, and of the log that draws on it, passes the suite."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.stores.memory import MemoryApprovals, MemoryLog
from doorward.stores.memory_budgets import MemoryBudgets
from doorward.stores.sqlite.budgets import SqliteBudgets
from doorward.testing.stores.budgets import BUDGETS
from doorward.testing.stores.log import Clock, committer
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite


def _in_memory() -> tuple[MemoryBudgets, MemoryLog]:
    budgets = MemoryBudgets()
    return budgets, MemoryLog(committer(), Clock(), MemoryApprovals(), budgets)


DRIVERS: dict[str, Callable[[Path], Opening[Any]]] = {
    "memory": in_memory(_in_memory),
    "sqlite": in_sqlite(lambda _, log: (SqliteBudgets(log.writer, envelope()), log)),
}


@pytest.mark.anyio
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("check", BUDGETS, ids=lambda check: check.__name__)
async def test_every_store_does_what_the_suite_asks(check: Check[Any], driver: str, tmp_path: Path) -> None:
    await check(DRIVERS[driver](tmp_path))
