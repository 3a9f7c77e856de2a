"""Relative paths of the document lead from its own directory; a bare program name is left to PATH."""

from pathlib import Path

import pytest

from doorward.app.places import anchored
from doorward.config.model import Upstream

ROOT = Path("/etc/doorward")


def stdio(*command: str, **more: object) -> Upstream:
    return Upstream.model_validate({"stdio": {"command": command, **more}})


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("server", "./data"), ("server", "./data")),
        (("./server", "x"), ("/etc/doorward/server", "x")),
        (("bin/server",), ("/etc/doorward/bin/server",)),
        (("../server",), ("/etc/doorward/../server",)),
        (("/usr/bin/server",), ("/usr/bin/server",)),
    ],
)
def test_a_program_with_a_path_is_found_from_the_document(command: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found = anchored(stdio(*command), ROOT).stdio
    assert found is not None
    assert [str(Path(found.command[0])), *found.command[1:]] == [str(Path(expected[0])), *expected[1:]]


@pytest.mark.parametrize(("cwd", "expected"), [(None, "/etc/doorward"), ("data", "/etc/doorward/data"), ("/srv", "/srv")])
def test_a_process_runs_in_the_documents_directory_unless_it_says_otherwise(cwd: str | None, expected: str) -> None:
    found = anchored(stdio("server", **({} if cwd is None else {"cwd": cwd})), ROOT).stdio
    assert found is not None
    assert found.cwd == expected


def test_a_server_at_an_address_has_no_place() -> None:
    config = Upstream(url="https://git.example.com/mcp")
    assert anchored(config, ROOT) is config
