"""Who may open the database of a state directory, and which."""

import stat
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from doorward.domain.errors import StoreError
from doorward.stores.sqlite.database import connect, open_database
from doorward.stores.sqlite.migrate import Migration, migrate
from doorward.stores.sqlite.migrations import MIGRATIONS

STEPS = (Migration(1, "one", "CREATE TABLE a (x);"), Migration(2, "two", "CREATE TABLE b (y);"))


def test_the_state_directory_and_its_files_are_their_owners_alone(tmp_path: Path) -> None:
    database = open_database(tmp_path / "state")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "state", *(tmp_path / "state").iterdir()]}
    database.close()
    assert modes == {"state": 0o700, "doorward.db": 0o600, "lock": 0o600}


def test_one_state_directory_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = open_database(tmp_path)
    with pytest.raises(StoreError, match="another process owns"):
        open_database(tmp_path)
    first.close()
    open_database(tmp_path).close()


def test_leaves_are_written_with_full_durability(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as db:
        assert (db.pragma("journal_mode"), db.pragma("synchronous"), db.pragma("foreign_keys")) == ("wal", 2, 1)


def test_steps_are_taken_once_and_in_order(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as db:
        migrate(db, STEPS[:1])
        migrate(db, STEPS)
        migrate(db, STEPS)
        assert db.execute("SELECT number, name FROM migration").fetchall() == [(1, "one"), (2, "two")]


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as db:
        migrate(db, STEPS)
        with pytest.raises(StoreError, match="is of step 2, this version of Doorward knows 1"):
            migrate(db, STEPS[:1])


def test_an_altered_step_is_refused(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as db:
        migrate(db, STEPS)
        with pytest.raises(StoreError, match=r"step 2 \(two\)"):
            migrate(db, (STEPS[0], Migration(2, "two", "CREATE TABLE c (z);")))


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "x.db")) as db:
        with pytest.raises(apsw.SQLError):
            migrate(db, (Migration(1, "half", "CREATE TABLE a (x); CREATE TABLE a (x);"),))
        migrate(db, STEPS)
        assert db.execute("SELECT count(*) FROM a").get == 0


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "doorward.db")) as db:
        db.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program's"):
        open_database(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "doorward.db").write_bytes(b"hello" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        open_database(tmp_path)


def test_the_steps_that_were_released_are_as_they_were() -> None:
    numbers = [migration.number for migration in MIGRATIONS]
    assert numbers == list(range(1, len(MIGRATIONS) + 1))
