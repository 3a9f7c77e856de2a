"""The writing thread: who fails alone, who fails together, and who is woken."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from doorward.audit.commit import Moment
from doorward.audit.store import Box, Entry
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import CallId
from doorward.domain.receipts import Place
from doorward.stores.sqlite.database import Database, open_database
from doorward.stores.sqlite.log import SqliteLog
from doorward.testing.stores.log import Clock, committer, fill, intent
from tests.sealing import envelope


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "state")
    yield opened
    opened.close()


@pytest.fixture
def log(database: Database) -> Iterator[SqliteLog]:
    opened = SqliteLog(database, committer(), Clock(), envelope())
    yield opened
    opened.close()


def _call(body: bytes) -> object:
    return json.loads(body)["call"]


@pytest.mark.anyio
async def test_an_entry_that_cannot_be_written_fails_alone(log: SqliteLog) -> None:
    no_text: Any = object()
    first, broken, second = log.append(intent(1)), log.append(Entry(b"{}", Box(no_text, b"", 0, b""))), log.append(intent(2))
    assert [(await first).seq, (await second).seq] == [0, 1]
    with pytest.raises(UnrecordedError, match="TypeError"):
        await broken


@pytest.mark.anyio
async def test_a_job_that_fails_leaves_nothing_and_harms_nobody(log: SqliteLog) -> None:
    def half(db: apsw.Connection) -> None:
        db.execute("INSERT INTO stop VALUES ('all', '', 'stopped', x'00')")
        db.execute("INSERT INTO no_such_table VALUES (1)")

    def stops(db: apsw.Connection) -> int:
        found: int = db.execute("SELECT count(*) FROM stop").get
        return found

    place, failing, counted = log.append(intent(1)), log.writer.submit(half), log.writer.submit(stops)
    assert ((await place).seq, await counted) == (0, 0)
    with pytest.raises(StoreError, match="no_such_table"):
        await failing


@pytest.mark.anyio
async def test_a_full_disk_refuses_everybody_until_there_is_space_again(log: SqliteLog) -> None:
    await fill(log, 3)
    pages = await log.writer.submit(lambda db: db.execute("PRAGMA page_count").get)
    await log.writer.submit(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").get)
    large = Entry(b'{"type":"intent","filler":"%s"}' % (b"x" * 50_000))
    refused = await asyncio.gather(*[log.append(large) for _ in range(10)], return_exceptions=True)
    assert {type(error) for error in refused} == {UnrecordedError}
    assert await log.size() == 3
    await log.writer.submit(lambda db: db.execute("PRAGMA max_page_count = 1000000").get)
    assert (await log.append(large)).seq == 3


def test_any_number_of_event_loops_may_come_and_go(log: SqliteLog) -> None:
    async def abandoned() -> None:
        for number in range(50):
            log.append(intent(number))

    async def waited() -> int:
        return (await log.append(intent(99))).seq

    seqs = []
    for _ in range(3):
        asyncio.run(abandoned())
        seqs.append(asyncio.run(waited()))
    assert seqs == [50, 101, 152]


@pytest.mark.anyio
async def test_whoever_stops_waiting_does_not_take_the_leaf_along(log: SqliteLog) -> None:
    waiting = asyncio.ensure_future(log.append(intent(1)))
    waiting.cancel()
    assert (await log.append(intent(2))).seq == 1


@pytest.mark.anyio
async def test_what_is_queued_is_written_before_the_store_closes(database: Database) -> None:
    log = SqliteLog(database, committer(), Clock(), envelope())
    waiting = [log.append(intent(number)) for number in range(1000)]
    log.close()
    assert [(await place).seq for place in waiting] == list(range(1000))
    with pytest.raises(UnrecordedError, match="closed"):
        await log.append(intent(1001))
    for asked in (log.size(), log.add_data_key(b"")):
        with pytest.raises(StoreError, match="closed"):
            await asked


@pytest.mark.anyio
async def test_a_damaged_index_is_built_anew(database: Database) -> None:
    log = SqliteLog(database, committer(), Clock(), envelope())
    await fill(log, 600)
    assert len(await log.of_call(CallId("call-5"))) == 1
    log.close()
    index = database.path.with_name("index.db")
    index.write_bytes(b"not a database at all" * 500)
    log = SqliteLog(database, committer(), Clock(), envelope())
    try:
        assert len(await log.of_call(CallId("call-5"))) == 1
    finally:
        log.close()


@pytest.mark.anyio
async def test_what_nobody_waits_for_is_written_in_order_with_the_next_or_alone_after_a_moment(log: SqliteLog) -> None:
    heard: list[object] = []
    log.append_soon(intent(1), lambda entry, error: heard.append((_call(entry.body), error)))
    assert ((await log.append(intent(2))).seq, heard) == (1, [("call-1", None)])
    alone = asyncio.Event()
    log.append_soon(intent(3), lambda entry, error: alone.set())
    await alone.wait()
    assert [_call(found.leaf) for found in await log.leaves(0, 9)] == ["call-1", "call-2", "call-3"]


@pytest.mark.anyio
async def test_what_waits_for_company_is_written_before_the_store_closes(database: Database) -> None:
    log = SqliteLog(database, committer(), Clock(), envelope())
    heard: asyncio.Queue[BaseException | None] = asyncio.Queue()

    def told(entry: Entry, error: BaseException | None) -> None:
        heard.put_nowait(error)

    log.append_soon(intent(1), told)
    log.close()
    log.append_soon(intent(2), told)
    assert (await heard.get(), str(await heard.get())) == (None, "the store cannot write: RuntimeError: it is closed")


@pytest.mark.anyio
@pytest.mark.parametrize("passes", [0, 1])
async def test_all_that_tasks_bring_in_passes_of_the_loop_that_each_bring_more_is_one_batch(database: Database, passes: int) -> None:
    looks = iter(range(1_000_000))
    log = SqliteLog(database, committer(), lambda: Moment(next(looks), 0.0), envelope())

    async def caller(number: int) -> Place:
        # Two bring something in each pass: one before the writer looks, and one that it sees was brought since.
        for _ in range(number // 2 * passes):
            await asyncio.sleep(0)
        return await log.append(intent(number))

    try:
        places = await asyncio.gather(*[caller(number) for number in range(50)])
    finally:
        log.close()
    assert [place.seq for place in places] == list(range(50))
    # The clock is looked at for each batch.
    assert len({place.ts for place in places}) == 1


@pytest.mark.anyio
async def test_more_than_one_batch_at_once_is_written_without_being_asked_again(log: SqliteLog) -> None:
    heard: list[object] = []
    for number in range(700):
        log.append_soon(intent(number), lambda entry, error: heard.append(_call(entry.body)))
    assert (await log.append(intent(700))).seq == 700
    assert heard == [f"call-{number}" for number in range(700)]
