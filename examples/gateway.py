"""A Doorward in a process of its own: started, waited for, asked through its admin API, ended."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from doorward.client.admin import Admin, AdminError
from examples.ground import doorward

READY_SECONDS = 60.0
"""Servers that start for the first time may take a while to be read from disk."""
DRAIN_SECONDS = 20.0

AGENT, TEAM = "claude-desktop", "support"
OWNER = "support-desk"
"""Not who runs the tour: the owner of an agent never says yes to its calls."""
_RENEW_SECONDS = 86_400.0


class StartError(Exception):
    """The gateway did not start; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One running gateway."""

    directory: Path
    process: subprocess.Popen[bytes]
    admin: Admin
    port: int

    @property
    def socket(self) -> Path:
        """Where it is operated."""
        return self.directory / "state" / "control.sock"

    def url(self, upstream: str = "") -> str:
        """The endpoint of all upstreams, or of one."""
        return f"http://127.0.0.1:{self.port}/mcp" + (f"/{upstream}" if upstream else "")


@dataclass(frozen=True, slots=True)
class Journal:
    """What a gateway has written to its journal since it was started; what earlier ones wrote stands before."""

    path: Path
    start: int

    def text(self) -> str:
        """All of it."""
        return self.path.read_bytes()[self.start :].decode("utf-8", "replace")

    def last(self, event: str) -> dict[str, object] | None:
        """The last line about an event; None where there is none yet."""
        lines = [json.loads(line) for line in self.text().splitlines(keepends=True) if line.startswith("{") and line.endswith("\n")]
        return next((line for line in reversed(lines) if line["event"] == event), None)


@contextmanager
def gateway(config: Path, directory: Path) -> Iterator[Gateway]:
    """A gateway of this configuration, ready; ended with SIGTERM. Its journal goes to `journal.jsonl`. Raises StartError."""
    path = directory / "journal.jsonl"
    with path.open("ab") as stream:
        journal = Journal(path, stream.tell())
        # A session of its own: Ctrl-C and the closing of the terminal come to us, and we end it in order.
        process = subprocess.Popen(doorward("serve", "--config", str(config)), stdout=stream, stderr=stream, start_new_session=True)
    try:
        admin = Admin(directory / "state" / "control.sock")
        yield Gateway(directory, process, admin, _port(process, admin, journal))
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a gateway: it drains first, and is killed where that takes too long."""
    process.terminate()
    try:
        process.wait(DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def agent_key(running: Gateway) -> str:
    """The key of the tour's agent: from the file beside the state, else a new one, for Doorward itself keeps no more than its digest."""
    file = running.directory / "agent.key"
    try:
        known = running.admin.get(f"/v1/agents/{AGENT}")
    except AdminError as error:
        if error.reason == "unreachable":
            raise
        return _kept(file, running.admin.post("/v1/agents", {"id": AGENT, "team": TEAM, "owner": OWNER}))
    if known["owner"] != OWNER:
        running.admin.post(f"/v1/agents/{AGENT}/edit", {"owner": OWNER})
    if file.exists() and _is_good(known, time.time() + _RENEW_SECONDS):
        return file.read_text("ascii").strip()
    return _kept(file, running.admin.post(f"/v1/agents/{AGENT}/rotate"))


def _port(process: subprocess.Popen[bytes], admin: Admin, journal: Journal) -> int:
    """Where a gateway listens, once it is ready; raises StartError."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartError(_why(journal))
        started = journal.last("gateway_started")
        if started is not None and _is_ready(admin):
            return int(str(started["port"]))
        time.sleep(0.05)
    raise StartError(f"it was not ready in {READY_SECONDS:.0f} seconds; see {journal.path}")


def _is_ready(admin: Admin) -> bool:
    try:
        return bool(admin.get("/readyz")["ready"])
    except AdminError:
        return False


def _why(journal: Journal) -> str:
    """What the journal says of a start that failed, in its own words."""
    told = journal.last("not_started")
    return str(told["why"]) if told is not None else journal.text().strip()


def _is_good(known: dict[str, object], at: float) -> bool:
    keys = known["keys"]
    assert isinstance(keys, list)
    return any(key["revoked_at"] is None and key["expires_at"] > at for key in keys)


def _kept(file: Path, issued: dict[str, object]) -> str:
    key = str(issued["key"])
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f"{key}\n")
    return key
