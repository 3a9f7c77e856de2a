"""Every driver of policy sets passes the suite."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.stores.memory_policy_sets import MemoryPolicySets
from doorward.stores.sqlite.policy_sets import SqlitePolicySets
from doorward.testing.stores.policy_sets import POLICY_SETS
from doorward.testing.stores.rooms import Check, Opening
from tests.sealing import envelope
from tests.stores.test_room_suites import in_memory, in_sqlite

BENCHES = (in_memory(MemoryPolicySets), in_sqlite(lambda database, log: SqlitePolicySets(database, log.writer, envelope())))


@pytest.mark.anyio
@pytest.mark.parametrize("bench", BENCHES, ids=("memory", "sqlite"))
@pytest.mark.parametrize("check", POLICY_SETS)
async def test_every_store_does_what_its_suite_asks(check: Check[Any], bench: Callable[[Path], Opening[Any]], tmp_path: Path) -> None:
    await check(bench(tmp_path))
