"""An operator at the command line of a running gateway."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from doorward.cli.main import main
from tests.gateway import Running


def told(running: Running | None, *words: str) -> tuple[int, str]:
    """Exit code and output of `doorward WORDS`, told to a gateway or to none."""
    environment = {"DOORWARD_SOCKET": str(running.directory / "state" / "control.sock")} if running else {}
    done = CliRunner().invoke(main, list(words), env=environment)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def ordered(running: Running, *words: str) -> str:
    """The output of a command that succeeds."""
    code, output = told(running, *words)
    assert code == 0, output
    return output


def asked(running: Running, *words: str) -> Any:
    """The JSON of a command that succeeds."""
    return json.loads(ordered(running, *words, "--json"))
