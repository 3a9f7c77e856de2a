"""mcp-hangar as a front door: its upstreams' own tools, for callers with a key of a tenant."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from bench.peers.port import Governs, Launch, Peer, Site

_PROGRAM = Path(__file__).parent / "programs" / "key_of_hangar.py"
_SECONDS = 120.0
"""For a program that writes one key."""


def document(url: str, keys: str) -> dict[str, object]:
    """One upstream, callers by key from a database of its own; everything else as it is shipped."""
    return {
        "tool_access": {"mode": "front_door"},
        "auth": {"enabled": True, "storage": {"driver": "sqlite", "path": keys}},
        "logging": {"level": "ERROR"},
        # As shipped, all callers together may burst to 20 calls.
        "rate_limit": {"rps": 1_000_000, "burst": 1_000_000},
        "mcp_servers": {"bench": {"mode": "remote", "endpoint": url}},
    }


def _launch(site: Site) -> Launch:
    keys, key = str(site.directory / "keys.sqlite"), site.directory / "key.txt"
    if not key.exists():
        command = [site.program("python"), str(_PROGRAM), keys]
        key.write_bytes(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS, check=True).stdout)
    path = site.write("config.yaml", json.dumps(document(site.url, keys)))
    command = [site.program("mcp-hangar"), "serve", "--http", "--port", str(site.port), "--log-level", "ERROR", "-c", path]
    return Launch(command, headers={"X-API-Key": key.read_text(encoding="utf-8").split()[-1]})


HANGAR = Peer(
    name="mcp-hangar, front door",
    package="mcp-hangar",
    environment="hangar",
    governs=Governs(authentication="API key of a tenant", policy="roles (RBAC)", audit="events, in memory"),
    configured=(
        "`tool_access: front_door` (the upstream's own tools instead of its meta tool), keys in SQLite, its limit of 20 calls at once for all "
        "callers together lifted, logs at ERROR, the rest as shipped."
    ),
    launch=_launch,
)
