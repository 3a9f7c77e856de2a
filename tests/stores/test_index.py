"""The index of a log: thrown away whenever it is in doubt, and never a reason not to find something."""

from pathlib import Path

import apsw
import pytest

from doorward.audit.query import Query
from doorward.stores.sqlite import index
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
    index.execute("DELETE FROM facts; PRAGMA user_version = 99")
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
        index.QuietTimes(lambda: came)(db)
        assert db.execute("SELECT size FROM main.state").get == int(is_indexed)
    finally:
        db.close()
