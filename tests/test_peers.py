"""Every peer starts on stdio from its own environment and lists its tools, without a network."""

import json
import subprocess
from pathlib import Path

import pytest

from tests import peers

pytestmark = pytest.mark.peer


def tools_of(command: tuple[str, ...]) -> list[str]:
    """Open a session with a server on stdio and give the names of its tools."""
    client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    said = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.writelines(json.dumps(message) + "\n" for message in said)
        process.stdin.flush()
        answers = (json.loads(line) for line in process.stdout)
        listed = next(answer for answer in answers if answer.get("id") == 2)
        process.stdin.close()
    return sorted(tool["name"] for tool in listed["result"]["tools"])


def test_time_server_lists_its_tools() -> None:
    assert tools_of(peers.time_server()) == ["convert_time", "get_current_time"]


def test_fetch_server_lists_its_tool() -> None:
    assert tools_of(peers.fetch_server()) == ["fetch"]


def test_git_server_lists_its_tools(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert {"git_commit", "git_log", "git_status"} <= set(tools_of(peers.git_server(tmp_path)))


def test_sqlite_server_lists_its_tools(tmp_path: Path) -> None:
    assert {"read_query", "write_query"} <= set(tools_of(peers.sqlite_server(tmp_path / "a.db")))


@pytest.mark.parametrize("era", ["dual", "session"])
def test_conformance_peer_serves_stdio(era: str) -> None:
    assert "test_simple_text" in tools_of((*peers.EVERYTHING, "--stdio", "--era", era))


@pytest.mark.parametrize(
    ("environment", "version"), [("sdk1", "1."), ("sdk1_2025_06", "1."), ("fastmcp", "2."), ("servers", "2."), ("sqlite", "1.")]
)
def test_each_environment_holds_the_sdk_line_it_is_named_for(environment: str, version: str) -> None:
    ask = "import importlib.metadata as m; print(m.version('mcp'))"
    said = subprocess.run([peers.python_of(environment), "-c", ask], capture_output=True, text=True, check=True)
    assert said.stdout.startswith(version)
