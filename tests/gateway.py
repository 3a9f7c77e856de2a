"""A real Doorward in a process of its own, on a free port, for tests that go through all of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doorward.client.admin import Admin, AdminError

READY_SECONDS = 60
PERMIT_ALL = '@id("all")\n@reason("Everything.")\npermit (principal, action, resource);\n'


@dataclass(slots=True)
class Running:
    """One gateway: where it listens, how it is operated, and its process."""

    directory: Path
    process: subprocess.Popen[str]
    port: int
    admin: Admin
    journal: Path
    keys: dict[str, str] = field(default_factory=dict)

    def url(self, upstream: str = "") -> str:
        """The endpoint of all upstreams, or of one."""
        return f"http://127.0.0.1:{self.port}/mcp" + (f"/{upstream}" if upstream else "")

    def key(self, agent: str = "tester", team: str = "testers") -> str:
        """The key of an agent, who is made known first if need be."""
        if agent not in self.keys:
            self.keys[agent] = str(self.admin.post("/v1/agents", {"id": agent, "team": team, "owner": "somebody"})["key"])
        return self.keys[agent]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the journal about one event."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def write_config(directory: Path, document: Mapping[str, Any], policies: str = PERMIT_ALL) -> Path:
    """Writes a document (JSON is YAML) and its one policy file; gives the document's path."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "policy.cedar").write_text(policies)
    whole = {"listen": {"port": 0}, "policies": {"files": ["policy.cedar"]}, **document}
    path = directory / "doorward.yaml"
    path.write_text(json.dumps(whole, indent=1))
    return path


def start(directory: Path, environment: Mapping[str, str] | None = None) -> Running:
    """Starts the gateway of a directory that holds a configuration, and waits until it is ready."""
    journal = directory / f"journal-{time.monotonic_ns()}.jsonl"
    with journal.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "doorward", "serve", "-c", str(directory / "doorward.yaml")],
            stdout=stream,
            stderr=stream,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    running = Running(directory, process, 0, Admin(directory / "state" / "control.sock"), journal)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the gateway ended with {process.returncode}: {journal.read_text()}"
        if _is_ready(running):
            running.port = running.events("gateway_started")[0]["port"]
            return running
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the gateway was not ready in {READY_SECONDS} s: {journal.read_text()}")


@contextmanager
def doorward(
    directory: Path, document: Mapping[str, Any], policies: str = PERMIT_ALL, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """A gateway of this document, ended with SIGTERM."""
    write_config(directory, document, policies)
    running = start(directory, environment)
    try:
        yield running
    finally:
        stop(running)


def stop(running: Running) -> int:
    """Ends a gateway with SIGTERM and gives its exit code."""
    running.process.terminate()
    try:
        return running.process.wait(20)
    except subprocess.TimeoutExpired:
        running.process.kill()
        raise


def _is_ready(running: Running) -> bool:
    try:
        return bool(running.admin.get("/readyz")["ready"])
    except AdminError:
        return False


def http_upstream(url: str, **more: Any) -> dict[str, Any]:
    """The configuration of a server on loopback, trusted at once."""
    return {"url": url, "plain_http": True, "private": True, "trust": "first-use", **more}


def stdio_upstream(command: tuple[str, ...], **more: Any) -> dict[str, Any]:
    """The configuration of a server process, trusted at once."""
    return {"stdio": {"command": list(command)}, "trust": "first-use", **more}
