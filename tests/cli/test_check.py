"""`doorward check`: everything that is wrong, with its place, and nothing written."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from doorward.catalog.pins import Pins, first_use
from doorward.cli.main import main
from doorward.domain.errors import StoreError
from doorward.stores.sqlite.database import open_database
from doorward.stores.sqlite.pins import peek
from tests.catalog.shown import AT, offer, tool

POLICY = '@id("p") @reason("r")\npermit (principal, action == Action::"git/push", resource);\n'
SCHEMA = {"type": "object", "properties": {"force": {"type": "boolean"}}, "required": ["force"], "additionalProperties": False}


def written(directory: Path, policy: str = POLICY, **fields: object) -> Path:
    path = directory / "doorward.yaml"
    document = {"upstreams": {"git": {"url": "https://git.example.com/mcp"}}, "policies": {"files": ["p.cedar"]}, **fields}
    path.write_text(json.dumps(document, indent=1))
    (directory / "p.cedar").write_text(policy)
    return path


def checked(path: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["check", "-c", str(path), *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def accept(directory: Path, *names: str) -> Path:
    """A state directory whose database holds pins of these tools of git."""
    database = open_database(directory / "state")
    rows = [
        (pin.upstream, pin.kind.value, pin.name, pin.digest, pin.canonical, "ann", AT)
        for pin in first_use(offer("git", *(tool(name, inputSchema=SCHEMA) for name in names)), Pins(), frozenset(), AT)
    ]
    database.now(lambda db: db.executemany("INSERT INTO pin VALUES (?, ?, ?, ?, ?, ?, ?)", rows))
    database.close()
    return database.path


def test_a_sound_configuration_ends_with_0_and_says_what_it_was_checked_against(tmp_path: Path) -> None:
    accept(tmp_path, "push", "pull")
    result = checked(written(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines()[-1].endswith("is sound (upstreams: 1, policies: 1, checked against 2 accepted definitions)")


def test_every_problem_of_the_document_is_told_with_line_and_column(tmp_path: Path) -> None:
    result = checked(written(tmp_path, listen={"port": "many"}, polices={}))
    assert result.exit_code == 1
    assert [line.split(" ")[0].removeprefix(str(tmp_path)) for line in result.stdout.splitlines()] == [
        "/doorward.yaml:13:3:",
        "/doorward.yaml:15:2:",
    ]


def test_every_problem_of_the_policies_is_told_with_line_and_column(tmp_path: Path) -> None:
    bad = '@id("a") permit (principal, action, resource);\n@id("b") @reason("r") permit (principal, action, resource) when { context.inptu.x };\n'
    result = checked(written(tmp_path, bad))
    assert result.exit_code == 1
    assert [line.removeprefix(f"{tmp_path}/p.cedar:").split(":")[0] for line in result.stdout.splitlines()] == ["1", "2"]


def test_a_teams_policies_are_checked_as_its_own(tmp_path: Path) -> None:
    upstreams = {"git": {"url": "https://git.example.com/mcp"}, "bank": {"url": "https://bank.example.com/mcp", "team": "finance"}}
    (tmp_path / "finance.cedar").write_text('@id("f") @reason("r")\npermit (principal, action in Action::"git", resource);\n')
    layers = {"files": ["p.cedar"], "teams": {"finance": {"files": ["finance.cedar"]}, "sales": {"files": ["*.cedar"]}}}
    result = checked(written(tmp_path, upstreams=upstreams, policies=layers))
    assert result.exit_code == 1
    assert result.stdout.count("a file belongs to one layer") == 2
    layers = {"files": ["p.cedar"], "teams": {"finance": {"files": ["finance.cedar"]}}}
    result = checked(written(tmp_path, upstreams=upstreams, policies=layers))
    told = "`git` is owned by team `platform`, and the policies of team `finance` decide for its own upstreams alone"
    assert result.stdout.splitlines()[0] == f"{tmp_path}/finance.cedar:2:38: error: policy f: {told}"


def test_policies_are_checked_against_what_was_accepted(tmp_path: Path) -> None:
    reading = '@id("p") @reason("r") permit (principal, action == Action::"git/push", resource) when { context.input.forse };'
    path = written(tmp_path, reading)
    assert "nothing of git is approved yet" in checked(path).stdout
    accept(tmp_path, "push")
    result = checked(path)
    assert (result.exit_code, "p.cedar:1:" in result.stdout, "did you mean `force`?" in result.stdout) == (0, True, True)
    assert checked(path, "--strict").exit_code == 1
    assert "nothing of git is approved yet" in checked(path, "--without-catalog").stdout


def test_a_catalogue_that_cannot_be_read_is_a_note_and_no_failure(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / "state" / "doorward.db").write_text("no database at all, but long enough to look like a file with something in it")
    result = checked(written(tmp_path))
    assert (result.exit_code, "policies are checked without the accepted catalogue" in result.stderr) == (0, True)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    result = checked(tmp_path / "none.yaml")
    assert (result.exit_code, "cannot be read" in result.stdout) == (1, True)


def test_checking_writes_nothing_and_needs_no_lock(tmp_path: Path) -> None:
    path = written(tmp_path)
    file = accept(tmp_path, "push")
    owner = open_database(tmp_path / "state")
    try:
        before = sorted(entry.name for entry in file.parent.iterdir())
        assert checked(path).exit_code == 0
        assert sorted(entry.name for entry in file.parent.iterdir()) == before
    finally:
        owner.close()


def test_peeking_where_there_is_no_database_finds_nothing_and_makes_none(tmp_path: Path) -> None:
    assert peek(tmp_path / "doorward.db") == ()
    assert list(tmp_path.iterdir()) == []


def test_peeking_at_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "doorward.db").write_bytes(b"x" * 100)
    with pytest.raises(StoreError, match="cannot be read"):
        peek(tmp_path / "doorward.db")
