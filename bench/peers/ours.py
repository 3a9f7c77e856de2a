"""What is ours in the run: direct calls, the floor, and Doorward with everything on."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from functools import partial

import msgspec

from bench.gateway import CALLERS, PLAIN, POLICIES, READING, READING_POLICY, SESSION, TEAM, calls_document, write
from bench.peers.port import Governs, Launch, Peer, Site
from bench.speech import ECHO, Era
from doorward.client.admin import Admin, AdminError
from tools.environments import ROOT

_SECONDS = 60.0
"""For the gateway to let its administrator in."""
_LOOK_SECONDS = 0.05
_KEYS = "keys.json"


def _direct(site: Site) -> Launch:
    return Launch([], port=site.upstream)


def _floor(site: Site) -> Launch:
    command = [sys.executable, "-m", "bench.floor", f"http://127.0.0.1:{site.upstream}", str(site.port)]
    return Launch(command, {"PYTHONPATH": str(ROOT)})


def _doorward(site: Site, upstream: str) -> Launch:
    directory = site.directory / "gateway"
    document, keys = directory / "doorward.yaml", site.directory / _KEYS
    if not document.exists():
        write(directory, {**calls_document(site.upstream), "listen": {"port": site.port}}, POLICIES, READING_POLICY)
    known = msgspec.json.decode(keys.read_bytes(), type=tuple[str, ...]) if keys.exists() else ()
    command = [sys.executable, "-m", "doorward", "serve", "-c", str(document)]
    return Launch(command, {"PYTHONPATH": str(ROOT / "src")}, tool=f"{upstream}__{ECHO}", keys=known)


def _enter(site: Site, _launch: Launch) -> None:
    """Enters the callers; their keys are the same when it is started again."""
    admin = Admin(site.directory / "gateway" / "state" / "control.sock")
    deadline = time.monotonic() + _SECONDS
    keys = [_key(admin, number, deadline) for number in range(CALLERS)]
    (site.directory / _KEYS).write_bytes(msgspec.json.encode(keys))


def _key(admin: Admin, number: int, deadline: float) -> str:
    agent = {"id": f"caller-{number}", "team": TEAM, "owner": "bench"}
    while time.monotonic() < deadline:
        with suppress(AdminError):
            return str(admin.post("/v1/agents", agent)["key"])
        time.sleep(_LOOK_SECONDS)
    return str(admin.post("/v1/agents", agent)["key"])


_GOVERNS = Governs(
    authentication="agent keys",
    policy="Cedar policies",
    inspection="requests and results",
    audit="two leaves a call, the first on disk before it is forwarded",
)


def _gateway(note: str, upstream: str, era: Era) -> Peer:
    return Peer(
        name=f"Doorward{note}",
        package="doorward",
        environment="",
        governs=_GOVERNS,
        configured="Everything on, with the policies, callers and log of [the benchmarks](benchmarks.md).",
        launch=partial(_doorward, upstream=upstream),
        settle=_enter,
        eras=(era,),
    )


DIRECT = Peer("direct", "", "", Governs(), "No gateway: the most that load and upstream can do together.", _direct)
FLOOR = Peer("floor", "doorward", "", Governs(), "A bare pass-through on Doorward's own HTTP server and client.", _floor)
DOORWARD = _gateway("", PLAIN, Era.EXCHANGE)
READS = _gateway(", policy reads argument", READING, Era.EXCHANGE)
SESSIONS = _gateway(", session era", SESSION, Era.SESSION)
OURS = (DIRECT, FLOOR, DOORWARD, READS, SESSIONS)
