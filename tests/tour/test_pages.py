"""What the pages about the code say of it is so: files exist, rooms and reasons are the ones there are, limits are those of the checks."""

import re
from pathlib import Path

import pytest

from checks import limits
from doorward.cli.main import COMMANDS
from doorward.domain.reasons import Reason
from tests.peers import ROOT

SOURCE = ROOT / "src" / "doorward"
FILE = re.compile(r"`((?:[a-z0-9_.-]+/)*[a-z0-9_]+\.py)(?:::\w+)?`")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = {name for name in FILE.findall(page.read_text("utf-8")) if name != "tests/<room>/test_<file>.py"}
    assert {name for name in named if not any((place / name).is_file() for place in (ROOT, SOURCE))} == set()


def architecture(heading: str) -> str:
    """One chapter of ARCHITECTURE.md."""
    [chapter] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(chapter)


def test_every_room_stands_on_a_floor_and_has_its_line() -> None:
    floors, rooms = architecture("Floors").split("| room |")
    packages = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    assert set(re.findall(r"`(\w+)`", floors.split("|---|---|")[1])) == packages
    assert set(re.findall(r"^\| `(\w+)` \|", rooms, re.MULTILINE)) == packages - {"cli", "testing", "client", "telemetry"}


def test_reasons_in_the_way_of_a_call_are_the_ones_there_are() -> None:
    rows = re.findall(r"^\| \d+ \|.*\| ([^|]+) \|$", architecture("The way of a call"), re.MULTILINE)
    named = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    elsewhere = {"invalid_params", "missing_capability", "unknown_method", "unknown_session", "cancelled", "draining", "internal"}
    assert named | elsewhere == {reason.value for reason in Reason}


def test_stated_limits_of_the_code_are_those_of_the_checks() -> None:
    said = (
        f"{limits.FILE_LINES} lines a file, {limits.FUNCTION_LINES} a function, {limits.BRANCHES} branches, {limits.PARAMETERS} parameters"
    )
    assert said in architecture("Laws")


def test_commands_that_pages_type_exist() -> None:
    typed = {
        word for page in PAGES for word in re.findall(r"(?:^|`|\$ )doorward ([a-z]+(?:-[a-z]+)*)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert typed - set(COMMANDS) == set()
