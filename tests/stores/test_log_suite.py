"""Every driver of the log passes the suite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.testing.stores import log
from tests.stores.benches import BENCHES


@pytest.mark.anyio
@pytest.mark.parametrize("check", log.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.__name__)
async def test_every_log_store_does_what_the_suite_asks(bench: Callable[[Path], log.Bench], check: log.Check, tmp_path: Path) -> None:
    await check(bench(tmp_path))
