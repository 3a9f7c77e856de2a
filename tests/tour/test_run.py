"""`make run` prepares its world, says how to use it, keeps it for the next run and ends when it is told to."""

import json
import re
import signal
import socket
import stat
import sys
import textwrap
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from examples.ground import CONFIG, ROOT, relocated
from tests.tour.running import READY, open_tour, tour, until

pytestmark = [pytest.mark.peer, pytest.mark.timeout(240)]


def key_of(welcome: str) -> str:
    [key] = re.findall(r"its key +(dw_\S+)", welcome)
    return str(key)


def test_second_run_goes_on_where_the_first_one_ended_and_a_lost_key_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "agent.key"
    first, second = (tour("run", tmp_path, "--port", "0", "--check") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stdout + first.stderr + second.stderr
    assert READY in second.stdout
    assert key_of(first.stdout) == key_of(second.stdout) == file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.unlink()
    third = tour("run", tmp_path, "--port", "0", "--check")
    assert key_of(third.stdout) == file.read_text().strip() != key_of(first.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with open_tour(tmp_path) as process:
        until(process, "Ctrl-C ends it")
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    assert (process.returncode, said.strip()) == (0, "Doorward has ended; everything is kept for the next run.")
    assert '"gateway_stopped"' in (tmp_path / "journal.jsonl").read_text()


def test_taken_port_is_said_in_plain_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = tour("run", tmp_path, "--port", str(port), "--check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Doorward did not start: port {port} is taken")


def entry_of(welcome: str, client: str) -> dict[str, Any]:
    """What the welcome tells a client to have under `mcpServers`."""
    [block] = re.findall(rf"^  {client}[^\n]*\n(    \{{\n.*?^    \}}\n)", welcome, re.MULTILINE | re.DOTALL)
    return dict(json.loads(textwrap.dedent(block))["mcpServers"]["doorward"])


async def tools_over_stdio(entry: dict[str, Any]) -> set[str]:
    async with Client(StdioServerParameters(command=entry["command"], args=entry["args"])) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


def test_what_clients_are_told_to_configure_works(tmp_path: Path) -> None:
    with open_tour(tmp_path) as process:
        welcome = until(process, "Ctrl-C ends it")
        tools = anyio.run(tools_over_stdio, entry_of(welcome, "Claude Desktop"))
    assert {"time__get_current_time", "git__git_log", "sqlite__read_query", "fetch__fetch"} <= tools
    assert not any(name.endswith("write_query") for name in tools)
    [url] = re.findall(r"all servers +(\S+)", welcome)
    assert entry_of(welcome, "Cursor") == {"url": url, "headers": {"Authorization": f"Bearer {key_of(welcome)}"}}
    assert f'--transport http doorward {url} --header "Authorization: Bearer {key_of(welcome)}"' in welcome


def test_second_one_at_the_same_time_is_told_so_and_harms_nothing(tmp_path: Path) -> None:
    with open_tour(tmp_path) as process:
        until(process, "Ctrl-C ends it")
        journal = (tmp_path / "journal.jsonl").read_text()
        done = tour("run", tmp_path, "--port", "0", "--check")
        assert (done.returncode, done.stderr) == (1, "Doorward did not start: it is running already, in another shell\n")
        assert process.poll() is None
        assert (tmp_path / "journal.jsonl").read_text().startswith(journal)


def test_default_configuration_is_the_one_that_a_reader_sees(tmp_path: Path) -> None:
    moved = relocated(tmp_path, 8420).read_text()
    for there, here in (
        (sys.executable, "../.venv/bin/python"),
        (str(tmp_path), "../var/run"),
        (f"{ROOT}/.venvs", "../.venvs"),
        (f"cwd: {ROOT}\n", "cwd: ..\n"),
    ):
        moved = moved.replace(there, here)
    assert moved == CONFIG.read_text()
