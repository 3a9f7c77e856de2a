"""The index of a log: thrown away whenever it is in doubt, and never a reason not to find something."""

from pathlib import Path

import apsw
import pytest

from doorward.audit.query import Query
from doorward.domain.errors import StoreError
from doorward.stores.sqlite import index
from doorward.stores.sqlite.log import head
from doorward.stores.sqlite.postings import SEGMENT
from doorward.stores.sqlite.rows import delete, insert, select
from doorward.testing.stores.log import intent
from tests.stores.benches import sqlite_bench


async def found(path: Path, *calls: int) -> list[list[int]]:
    """Where the leaves of these calls are, by an index that was there before."""
    async with sqlite_bench(path).open() as store:
        return [[located.index for located in (await store.find(Query(call=f"call-{call}"))).leaves] for call in calls]


async def written(path: Path, *calls: int) -> None:
    async with sqlite_bench(path).open() as store:
        for call in calls:
            await store.append(intent(call))
        await store.find(Query())


@pytest.mark.anyio
async def test_an_index_of_another_log_is_not_believed(tmp_path: Path) -> None:
    """Somebody puts an older copy of the database back, and it goes its own way from there."""
    await written(tmp_path, 1, 2)
    older = (tmp_path / "state" / "doorward.db").read_bytes()
    await written(tmp_path, 3, 4)
    (tmp_path / "state" / "doorward.db").write_bytes(older)
    assert await found(tmp_path, 2, 3) == [[1], []]
    await written(tmp_path, 5, 6)
    assert await found(tmp_path, 2, 3, 6) == [[1], [], [3]]


@pytest.mark.anyio
async def test_an_index_of_another_version_is_built_anew(tmp_path: Path) -> None:
    await written(tmp_path, 1, 2)
    index = apsw.Connection(str(tmp_path / "state" / "index.db"))
    index.execute("DROP TABLE segment; PRAGMA user_version = 99")
    index.close()
    assert await found(tmp_path, 1, 2) == [[0], [1]]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 9, 90, 255, 256, 257, 1000])
def test_any_number_of_rows_is_written_and_deleted_in_few_statements(count: int) -> None:
    db = apsw.Connection(":memory:")
    db.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    statements: list[str] = []

    def traced(_: object, sql: str, __: object) -> bool:
        statements.append(sql)
        return True

    db.set_exec_trace(traced)
    insert(db, "INSERT INTO t", [(number, str(number)) for number in range(count)])
    assert select(db, "SELECT count(*) FROM t") == [(count,)]
    delete(db, "DELETE FROM t WHERE a", list(range(0, count, 2)))
    assert select(db, "SELECT a FROM t ORDER BY a") == [(number,) for number in range(1, count, 2)]
    assert len(statements) <= 2 + 2 * 3 + 2 * (count // 256)


@pytest.mark.anyio
@pytest.mark.parametrize(("came", "is_indexed"), [(0, True), (255, True), (256, False), (index.MOST_BEHIND + 1, True)])
async def test_leaves_are_indexed_when_few_come_or_too_many_wait(tmp_path: Path, came: int, is_indexed: bool) -> None:
    async with sqlite_bench(tmp_path).open() as store:
        await store.append(intent(1))
    db = index.opening(tmp_path / "state" / "doorward.db")()
    try:
        found = index.Index()
        index.QuietTimes(found, lambda: came)(db)
        assert found.size(db) == int(is_indexed)
    finally:
        db.close()


def made(path: Path, leaves: int) -> Path:
    """A database with nothing but a log in which every 7,000th leaf is about `ann`, and every third about `bob`."""
    log = path / "doorward.db"
    db = apsw.Connection(str(log))
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE leaf (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL)")
    insert(db, "INSERT INTO leaf", [(seq, seq.to_bytes(4, "big"), _leaf(seq)) for seq in range(leaves)])
    db.close()
    return log


def _leaf(seq: int) -> bytes:
    agent = "ann" if seq % 7_000 == 0 else "bob" if seq % 3 == 0 else "cat"
    return b'{"ts":"%06d","type":"intent","call":"c%d","principal":{"agent":"%s"}}' % (seq, seq, agent.encode())


def asked(log: Path, *queries: Query) -> list[tuple[list[int], int | None]]:
    """What an index that was just opened gives: indexes of leaves, and where the next page begins."""
    db = index.opening(log)()
    try:
        found = index.Index()
        pages = [found.find(db, query) for query in queries]
        return [([located.index for located in page.leaves], page.next) for page in pages]
    finally:
        db.close()


def test_leaves_are_found_in_complete_segments_and_after_the_last(tmp_path: Path) -> None:
    log = made(tmp_path, 2 * SEGMENT + 5_000)
    anns = [35_000, 28_000, 21_000, 14_000, 7_000, 0]
    queries = (
        Query(agent="ann"),
        Query(agent="ann", limit=2),
        Query(agent="ann", limit=2, before=28_000),
        Query(agent="ann", since="014000", until="028000"),
        Query(agent="ann", type="refusal"),
        Query(agent="bob", limit=3, until="016384"),
        Query(call="c16383"),
        Query(limit=2, until="032769"),
    )
    expected = [
        (anns, None),
        ([35_000, 28_000], 28_000),
        ([21_000, 14_000], 14_000),
        ([21_000, 14_000], None),
        ([], None),
        ([16_383, 16_380, 16_377], 16_377),
        ([16_383], None),
        ([32_768, 32_767], 32_767),
    ]
    assert asked(log, *queries) == expected
    assert asked(log, *queries) == expected


def test_a_start_reads_nothing_but_what_comes_after_the_last_complete_segment(tmp_path: Path) -> None:
    log = made(tmp_path, 2 * SEGMENT + 7)
    asked(log, Query(agent="ann"))
    db = apsw.Connection(str(log))
    db.execute("DELETE FROM leaf WHERE seq NOT IN (?, ?, ?) AND seq < ?", (14_000, 21_000, 2 * SEGMENT - 1, 2 * SEGMENT))
    db.close()
    assert asked(log, Query(agent="ann", limit=1, before=28_000)) == [([21_000], 21_000)]


def test_an_index_that_is_gone_or_damaged_is_built_anew(tmp_path: Path) -> None:
    log = made(tmp_path, SEGMENT + 7)
    whole = asked(log, Query(agent="ann"))
    stored = tmp_path / "index.db"
    stored.write_bytes(b"no database at all, and long enough to be read as the head of one" * 100)
    assert asked(log, Query(agent="ann")) == whole
    stored.unlink()
    assert asked(log, Query(agent="ann")) == whole


def test_a_segment_that_could_not_be_written_is_written_once_it_can_be(tmp_path: Path) -> None:
    """A disk that is full just then fails this question, and none after it."""
    db = index.opening(made(tmp_path, SEGMENT + 7))()
    try:
        found = index.Index()
        db.pragma("query_only", True)
        with pytest.raises(apsw.ReadOnlyError):
            found.find(db, Query(agent="ann"))
        db.pragma("query_only", False)
        assert [located.index for located in found.find(db, Query(agent="ann")).leaves] == [14_000, 7_000, 0]
        assert select(db, "SELECT first, tip FROM main.segment") == [(0, (SEGMENT - 1).to_bytes(4, "big"))]
    finally:
        db.close()


def test_whoever_waits_for_much_to_be_indexed_is_told_when_the_store_closes(tmp_path: Path) -> None:
    db = index.opening(made(tmp_path, 1_000))()
    try:
        found = index.Index()
        found.end()
        with pytest.raises(StoreError):
            found.find(db, Query(agent="ann"))
    finally:
        db.close()


@pytest.mark.anyio
async def test_a_log_goes_on_from_its_end_alone(tmp_path: Path) -> None:
    """Nothing but the hashes of its complete subtrees is read of what was written before."""
    store = sqlite_bench(tmp_path)
    async with store.open() as log:
        for written in [log.append(intent(number)) for number in range(2 * 256 + 5)]:
            await written
    path = tmp_path / "state" / "doorward.db"
    db = apsw.Connection(str(path))
    before = head(db)
    db.execute("DELETE FROM leaf WHERE seq < 512")
    assert (head(db), before.size) == (before, 517)
    db.close()
