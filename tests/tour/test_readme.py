"""The tour of README.md works as it is written: each command is typed into a shell, and what comes of it is what the page shows."""

import os
from pathlib import Path

import pytest

from tests.peers import ROOT
from tests.tour.console import Shown, shown, typed
from tests.tour.running import open_tour, until


def checkout(directory: Path) -> Path:
    """A directory that looks like the repository to the tour's commands, with a `var/run` and policies of its own."""
    (directory / "var" / "run").mkdir(parents=True)
    (directory / "src").symlink_to(ROOT / "src")
    (directory / "examples").symlink_to(directory / "var" / "run")
    return directory


def answered(one: Shown) -> Shown:
    """What comes where a `y` is typed at a question without a terminal to show it."""
    return Shown(one.command, one.output.replace("[y/N]: y\n", "[y/N]: "))


@pytest.mark.peer
@pytest.mark.timeout(240)
def test_tour_is_as_the_readme_shows_it(tmp_path: Path) -> None:
    tour = [answered(one) for one in shown((ROOT / "README.md").read_text("utf-8"))]
    directory = checkout(tmp_path)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {"PYTHONUTF8": "1"}
    with open_tour(directory / "var" / "run") as process:
        until(process, "Ctrl-C ends it")
        said = typed([one.command for one in tour], directory, environment, "y\n")
    assert len(tour) > 20
    for one, came in zip(tour, said, strict=True):
        assert one.is_like(came), f"$ {one.command}\nshown:\n{one.output}\ncame:\n{came}"


@pytest.mark.parametrize(
    ("output", "said", "is_like"),
    [
        ("", "", True),
        ("", "Traceback\n", False),
        ("receipt …\n", "receipt 01abc\n", True),
        ("receipt …\n", "receipt 01abc\nmore\n", False),
        ("{\n  …\n}\n", '{\n  "a": 1,\n  "b": 2\n}\n', True),
        ("{\n  …\n}\n", '{\n  "a": 1\n', False),
        ("time  up   2\n", "time      up     2\n", True),
        ("time  up   2\n", "time      down   2\n", False),
        ("WHEN  …  WHO\n", "WHEN   WHO\n", True),
    ],
)
def test_output_is_compared_but_for_what_varies(output: str, said: str, is_like: bool) -> None:
    assert Shown("command", output).is_like(said) is is_like
