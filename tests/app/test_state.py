"""The state directory, opened again: what time it is known to be."""

from pathlib import Path

import pytest

from doorward.app import clocks
from doorward.app.state import State, open_state
from doorward.audit.leaf import encoded
from doorward.audit.store import Entry
from doorward.config.model import Document
from doorward.domain.budgets import Draw
from doorward.domain.ids import CallId
from doorward.stores.sqlite.budgets import SqliteBudgets

DAY = 86_400


async def opened(at: Path) -> State:
    return await open_state(Document.model_validate({}), at)


@pytest.mark.anyio
async def test_budgets_go_on_from_the_latest_time_at_which_one_was_seen_to_end_though_the_log_knows_of_none_so_late(tmp_path: Path) -> None:
    state = await opened(tmp_path)
    later = int(clocks.now()) + DAY
    draw = Draw("payments", "payments@1", "[]", later - 2, later - 1, 1, 1, "1 call")
    await state.evidence.log.append(Entry(encoded({"type": "intent"}), opens=CallId("c"), draws=(draw,)))
    await SqliteBudgets(state.evidence.log.writer, state.at_rest.envelope).sweep(later)
    assert state.budgets.now() < later
    await state.close()
    state = await opened(tmp_path)
    assert later <= state.budgets.now() < later + 60
    await state.close()
