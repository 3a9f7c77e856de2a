"""Which intents stand open: the same after any restart and any failed batch, whenever a checkpoint was made between."""

from pathlib import Path
from tempfile import TemporaryDirectory

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.stores.sqlite.database import Database, open_database
from doorward.stores.sqlite.log import LogGroup, _Seal
from doorward.testing.stores.log import Clock, committer, fill, intent, outcome
from tests.sealing import envelope
from tests.stores.benches import sqlite_bench

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("batch"), st.lists(st.integers(0, 5), max_size=6)),
        st.sampled_from([("seal", []), ("second", []), ("restart", [])]),
        st.tuples(st.just("failed"), st.lists(st.integers(0, 5), min_size=1, max_size=6)),
    ),
    max_size=25,
)


class Model:
    """A log's writing half, and which calls should stand open."""

    def __init__(self, database: Database, db: apsw.Connection) -> None:
        self.database, self.db, self.clock = database, db, Clock()
        self.open: set[int] = set()
        self.restart()

    def restart(self) -> None:
        self.group = LogGroup(committer(), self.clock, envelope())
        self.group.resume(self.db)

    def batch(self, numbers: list[int]) -> set[int]:
        """Each number opens its call, or closes it where it is open."""
        left, entries = set(self.open), []
        for number in numbers:
            entries.append(outcome(number) if number in left else intent(number))
            left ^= {number}
        self.group.write(self.db, entries)
        return left

    def take(self, step: str, numbers: list[int]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        match step:
            case "failed":
                self.batch(numbers)
                self.db.execute("ROLLBACK")
                self.group.resume(self.db)
                return
            case "batch":
                self.open = self.batch(numbers)
            case "seal":
                self.group.write(self.db, [_Seal()])
            case _:
                self.clock.pass_seconds(1.5)
        self.db.execute("COMMIT")
        if step in ("batch", "seal"):
            self.group.committed()
        if step == "restart":
            self.restart()

    @property
    def told(self) -> list[int]:
        """The open calls, as the log says, in the order of their intents."""
        return [int(located.leaf.partition(b'"call":"call-')[2].partition(b'"')[0]) for located in self.group.open_intents(self.db)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_what_stands_open_is_what_was_opened_and_not_closed(steps: list[tuple[str, list[int]]]) -> None:
    with TemporaryDirectory() as path:
        database = open_database(Path(path) / "state")
        db = database.connect()
        db.pragma("synchronous", "off")
        try:
            model = Model(database, db)
            for step, numbers in steps:
                model.take(step, numbers)
                assert sorted(model.told) == sorted(model.open)
                assert model.group.open_intents(db) == tuple(sorted(model.group.open_intents(db), key=lambda located: located.index))
        finally:
            db.close()
            database.close()


@pytest.mark.anyio
async def test_what_was_open_at_a_checkpoint_and_closed_since_is_not_open_after_a_restart(tmp_path: Path) -> None:
    bench = sqlite_bench(tmp_path)
    async with bench.open() as store:
        await fill(store, 3)
        await store.seal()
        await store.append(outcome(1))
        await store.append(intent(7))
    async with bench.open() as store:
        assert [located.index for located in await store.open_intents()] == [0, 2, 4]
