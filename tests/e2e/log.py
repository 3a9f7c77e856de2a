"""The log of a state directory as its auditor sees it: leaves read from the database, and the standalone verifier as a process."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from doorward.audit import keys
from doorward.audit.checkpoint import Signer
from doorward.audit.veil import Veil
from tests.peers import ROOT

ORIGIN = "doorward.local/log"
VERIFIER = ROOT / "src/doorward/verifier.py"
_WAIT_SECONDS = 15

Leaf = dict[str, Any]
T = TypeVar("T")


def leaves(state: Path, after: int = -1) -> list[Leaf]:
    """Every leaf above an index, in order; also while the gateway runs."""
    with closing(sqlite3.connect(f"{(state / 'doorward.db').as_uri()}?mode=ro", uri=True)) as database:
        return [json.loads(body) for (body,) in database.execute("SELECT body FROM leaf WHERE seq > ? ORDER BY seq", (after,))]


def of_call(state: Path, call: str) -> list[Leaf]:
    """The leaves of one call, once the last of them is there."""

    def whole() -> list[Leaf]:
        found = [leaf for leaf in leaves(state) if leaf.get("call") == call]
        return found if found and found[-1]["type"] != "intent" else []

    return until(whole)


def events(state: Path, kind: str) -> list[Leaf]:
    """The leaves of one type."""
    return [leaf for leaf in leaves(state) if leaf["type"] == kind]


def until(fact: Callable[[], T | None]) -> T:
    """What a question gives, once that is something; fails when it stays nothing for too long."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while not (found := fact()):
        assert time.monotonic() < deadline, f"waited {_WAIT_SECONDS} s in vain for {getattr(fact, '__qualname__', fact)}"
        time.sleep(0.01)
    return found


PATIENT = {"repeated": {"mode": "observe"}, "cycles": {"mode": "observe"}}
"""The section `runaway` of a gateway that is asked the same until the answer is another."""


def vkey(state: Path) -> str:
    """The log's public key."""
    return str(Signer(ORIGIN, keys.read(state).signing).vkey)


def veil(state: Path) -> Veil:
    """What turns a value into what leaves say of it."""
    return Veil(keys.read(state).audit)


def verified(path: Path, key: str, *trusted: Path) -> tuple[int, str]:
    """Exit code and words of the standalone verifier, run alone: without the gateway's code on its path."""
    command = [
        sys.executable,
        "-I",
        str(VERIFIER),
        str(path),
        "--key",
        key,
        *[word for file in trusted for word in ("--trusted", str(file))],
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr
