"""What is waived, across processes: what was given holds after a restart, and nothing that ended does."""

from pathlib import Path

import pytest

from doorward.approval.waivers import Kept
from doorward.domain.ids import AgentId, WaiverId
from doorward.domain.receipts import Event
from doorward.stores.sqlite.waivers import SqliteWaivers
from doorward.testing.stores.waivers import NOW, exception, glass
from tests.made import Clock
from tests.sealing import envelope
from tests.stores.test_room_suites import in_sqlite

pytestmark = pytest.mark.anyio


async def test_each_process_takes_over_what_holds_and_nothing_that_is_over(tmp_path: Path) -> None:
    opening = in_sqlite(lambda _, log: SqliteWaivers(log.writer, envelope()))(tmp_path)
    clock = Clock(NOW)
    told: list[Event] = []

    async def tell(event: Event) -> None:
        told.append(event)

    async with opening() as store:
        kept = Kept(store, clock, clock)
        await kept.load()
        for waiver in (exception("stays"), exception("ended"), glass("over")):
            await kept.grant(waiver)
        await kept.end(WaiverId("ended"), "bob")
    clock.at += 900
    async with opening() as store:
        kept = Kept(store, clock, clock)
        assert kept.all() == ()
        await kept.load()
        assert kept.of(AgentId("claude")) == (exception("stays"),)
        assert await kept.sweep(tell) == (glass("over"),)
    async with opening() as store:
        kept = Kept(store, clock, clock)
        await kept.load()
        assert (await kept.sweep(tell), kept.all(), [event.type for event in told]) == ((), (exception("stays"),), ["glass_expired"])
