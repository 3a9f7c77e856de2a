"""Processes of a peer (proc(5)): started on the gateway's core, looked after with all their children, and ended by their ids."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.cores import GATEWAY_CORE, memory_mib, on

_PROC = Path("/proc")
_END_SECONDS = 10.0
"""How long a peer may take to end when it is asked to; then it is killed."""
_LOOK_SECONDS = 0.02
_INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a peer sees of our environment: no setting of this machine may configure it."""


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def family(pid: int) -> Mapping[int, str]:
    """The process and all below it that live now, each with the moment it was started at, which tells it from a later one of its id."""
    fields = {process: stat for process in _processes() if (stat := _stat(process)) is not None and stat[0] != "Z"}
    children: dict[int, list[int]] = {}
    for process, stat in fields.items():
        children.setdefault(int(stat[1]), []).append(process)
    found, todo = {}, [pid] if pid in fields else []
    while todo:
        process = todo.pop()
        found[process] = fields[process][19]
        todo += children.get(process, [])
    return found


def resident(processes: Collection[int]) -> float:
    """Resident memory of these processes in MiB, added up; nothing for those that are gone."""
    return sum(_resident(process) for process in processes)


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process on the gateway's core; what it says is kept in `said.txt`; in the end nothing of it is left."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    with (directory / "said.txt").open("wb") as said, on(GATEWAY_CORE):
        process = subprocess.Popen(
            command, cwd=directory, env={**inherited, **environment}, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        _end(process)


def accepts(port: int) -> bool:
    """Whether somebody listens."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    known = family(process.pid)
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid, begun in known.items():
        _end_orphan(pid, begun)


def _end_orphan(pid: int, begun: str) -> None:
    """Ends a process whose parent has gone, if it is still the one that was known."""
    deadline = time.monotonic() + 1.0
    while (stat := _stat(pid)) is not None and stat[19] == begun and stat[0] != "Z":
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()] if sys.platform == "linux" else []


def _stat(pid: int) -> list[str] | None:
    """The fields after the name: state, parent, …, and at 19 the moment of the start."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _resident(pid: int) -> float:
    try:
        return memory_mib(pid)
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        return 0.0
