"""The gateway that is measured: its documents, policies and callers, and a process of its own on a core of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bench.cores import GATEWAY_CORE, on
from bench.speech import BIG, ECHO, PAGE
from bench.upstream import LISTS
from doorward.client.admin import Admin, AdminError

READY_SECONDS = 60.0
_LOOK_SECONDS = 0.005

PLAIN, READING, SESSION, STREAMED = "swift", "guarded", "steady", "flowing"
"""The upstreams behind the gateway: no policy reads arguments; one does; the session era is spoken to it; it answers with streams."""

TEAM = "bench"
CALLERS = 8
"""Agents with a key each: what one agent may do in a minute is bounded, and the connections share them out."""
SEEN_LISTS = range(1, LISTS, 2)
"""The lists that policy lets the callers see."""

POLICIES = """
@id("reads")
@reason("The team may read.")
permit (principal in Team::"bench", action in Action::"read", resource in Team::"shared");

@id("writers")
@reason("Writers may write.")
permit (principal in Team::"writers", action in Action::"write", resource);

@id("operators")
@reason("Operators may do everything but destroy.")
permit (principal in Team::"operators", action, resource) unless { action in Action::"destructive" };

@id("no-destruction-at-night")
@reason("Nothing is destroyed outside office hours.")
forbid (principal, action in Action::"destructive", resource) unless { context.time.hour >= 8 && context.time.hour < 18 };

@id("no-strangers")
@reason("Contractors do not reach what the finance team owns.")
forbid (principal in Team::"contractors", action, resource in Team::"finance");

@id("no-machines")
@reason("Who has nothing but a certificate does not read.")
forbid (principal, action in Action::"read", resource) when { context.authn == "certificate" };

@id("known-networks")
@reason("Calls come from this machine.")
forbid (principal in Team::"bench", action in Action::"read", resource)
when { context has network && !context.network.isInRange(ip("127.0.0.0/8")) };
"""

READING_POLICY = "\n".join(
    f"""
@id("no-secrets-{name}")
@reason("What is confidential is not echoed.")
forbid (principal, action == Action::"{READING}/{name}", resource)
when {{ context.input.text like "*confidential*" || context.input.text like "*secret*" }};
"""
    for name in (ECHO, BIG)
)

_ADMISSION = {"calls_per_minute": 1_000_000, "burst": 1_000_000, "concurrent": 1024}
_RUNAWAY = {"repeated": {"mode": "observe"}, "cycles": {"mode": "observe"}}
"""A load is a runaway: it is watched as everybody is, and let go on."""


def calls_document(port: int) -> dict[str, Any]:
    """Four upstreams on one server, everything on."""
    rule = {"groups": ["read"], "reversibility": "read"}

    def upstream(path: str = "mcp", **more: object) -> dict[str, object]:
        return {**_upstream(f"http://127.0.0.1:{port}/{path}", "shared"), "tools": {ECHO: rule, PAGE: rule, BIG: rule}, **more}

    return _document({PLAIN: upstream(), READING: upstream(), SESSION: upstream(era="session"), STREAMED: upstream("sse")})


def lists_document(port: int) -> dict[str, Any]:
    """A catalogue of many tools, half of which the callers may see."""
    return _document(
        {
            f"records-{number}": {
                **_upstream(f"http://127.0.0.1:{port}/list/{number}", "shared" if number in SEEN_LISTS else "finance"),
                "hints": "believe",
            }
            for number in range(LISTS)
        }
    )


def _upstream(url: str, team: str) -> dict[str, object]:
    return {"url": url, "plain_http": True, "private": True, "trust": "first-use", "team": team}


def _document(upstreams: Mapping[str, object]) -> dict[str, Any]:
    return {
        "listen": {"port": 0},
        "upstreams": upstreams,
        "policies": {"files": ["*.cedar"]},
        "admission": _ADMISSION,
        "runaway": _RUNAWAY,
        "sessions": {"per_principal": 10_000},
        "audit": {"origin": "doorward.local/bench", "anchor_file": "anchor/checkpoints.txt"},
    }


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs and is ready."""

    process: subprocess.Popen[bytes]
    port: int
    admin: Admin
    ready_seconds: float
    """From starting the process."""

    def keys(self, agents: int = CALLERS, called: str = "caller") -> tuple[str, ...]:
        """New agents' keys."""
        names = [f"{called}-{number}" for number in range(agents)]
        return tuple(str(self.admin.post("/v1/agents", {"id": name, "team": TEAM, "owner": "bench"})["key"]) for name in names)


def write(directory: Path, document: Mapping[str, Any], *policies: str) -> Path:
    """Writes a document (JSON is YAML) and its policies; gives the document's path."""
    (directory / "anchor").mkdir(parents=True)
    (directory / "policies.cedar").write_text("\n".join(policies))
    path = directory / "doorward.yaml"
    path.write_bytes(msgspec.json.encode(document))
    return path


@contextmanager
def running(document: Path) -> Iterator[Gateway]:
    """The gateway of a document, ended with SIGTERM."""
    journal = document.parent / "journal.jsonl"
    with journal.open("wb") as stream, on(GATEWAY_CORE):
        start = time.perf_counter()
        command = [sys.executable, "-m", "doorward", "serve", "-c", str(document)]
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, "DOORWARD_JOURNAL": "info"})
    try:
        admin = Admin(document.parent / "state" / "control.sock")
        _wait(process, admin, journal)
        seconds = time.perf_counter() - start
        yield Gateway(process, _port(journal), admin, seconds)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], admin: Admin, journal: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(admin):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the gateway did not become ready: {journal.read_text()}")
        time.sleep(_LOOK_SECONDS)


def _is_ready(admin: Admin) -> bool:
    try:
        return bool(admin.get("/readyz")["ready"])
    except AdminError:
        return False


def _port(journal: Path) -> int:
    lines = [msgspec.json.decode(line) for line in journal.read_bytes().splitlines() if line.startswith(b"{")]
    return int(next(line["port"] for line in lines if line["event"] == "gateway_started"))
