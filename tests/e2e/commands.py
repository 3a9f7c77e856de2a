"""An operator at the command line of a running gateway."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
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


def page(running: Running, path: str) -> str:
    """What a plain reader of the control socket gets."""
    connection = http.client.HTTPConnection("doorward")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(running.directory / "state/control.sock"))
    with closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, (path, answer.status)
        return answer.read().decode()


def metric(running: Running, name: str) -> float:
    """One number of the metrics page that has no labels."""
    [value] = [line.split(" ")[1] for line in page(running, "/metrics").splitlines() if line.startswith(f"{name} ")]
    return float(value)
