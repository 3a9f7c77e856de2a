"""`make demo` shows what it says it shows: it ends with 0 only if every step did what it should."""

from pathlib import Path

import pytest

from tests.tour.running import tour

pytestmark = [pytest.mark.peer, pytest.mark.timeout(240)]


def test_every_step_of_the_demonstration_holds(tmp_path: Path) -> None:
    done = tour("demo", tmp_path / "demo")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.rstrip().endswith("All of it held.")


def test_nothing_of_somebody_else_is_removed(tmp_path: Path) -> None:
    kept = tmp_path / "letters.txt"
    kept.write_text("dear")
    done = tour("demo", tmp_path)
    assert (done.returncode, kept.read_text()) == (2, "dear")
