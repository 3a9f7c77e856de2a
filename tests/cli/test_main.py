"""The table of commands: each is there, has help, and starts without loading what it does not need."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from doorward.cli.main import COMMANDS, main
from doorward.config.schema import json_schema
from tests.cli.published import PAGE, commands, page_text

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_committed_page_is_current() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    assert page == page_text(page), "run python -m tests.cli.published"


def test_every_command_argument_and_option_has_help() -> None:
    for words, command in commands():
        assert command.help, words
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, f"{words} {parameter.name}"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_given_for_each_command_of_the_table(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert (result.exit_code, result.output.startswith(f"Usage: main {name}")) == (0, True)


def test_the_list_of_commands_is_told_without_loading_any() -> None:
    result = CliRunner().invoke(main, ["-h"])
    assert result.exit_code == 0
    assert all(f"  {name} " in result.output for name in COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(main, ["sevre"]).exit_code == 2


def test_the_schema_of_the_document_is_printed_without_a_gateway() -> None:
    result = CliRunner().invoke(main, ["schema"])
    assert json.loads(result.stdout) == json_schema()


def test_a_command_of_an_operator_loads_neither_the_gateway_nor_its_libraries() -> None:
    heavy = ("doorward.app", "doorward.serving", "doorward.control", "cedarpy", "apsw", "pydantic", "uvicorn", "starlette")
    program = f"import sys, doorward.cli.main, doorward.cli.status; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
