"""What the kernel says of processes and cores (proc(5)): who runs where, for how long, in how much memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")

GATEWAY_CORE = 0
LOAD_CORE = 1


def can_pin() -> bool:
    """Whether there are two cores, and processes can be bound to them."""
    return sys.platform == "linux" and {GATEWAY_CORE, LOAD_CORE} <= os.sched_getaffinity(0)


def pin(core: int) -> None:
    """Binds this process and what it starts from now on to one core."""
    if sys.platform == "linux" and can_pin():
        os.sched_setaffinity(0, {core})


@contextmanager
def on(core: int) -> Iterator[None]:
    """Whatever process is started meanwhile is bound to one core."""
    if sys.platform != "linux" or not can_pin():
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Reading(msgspec.Struct, frozen=True):
    """Seconds spent so far, by processes of interest and by whole cores; empty where the kernel does not say."""

    processes: Mapping[str, float]
    cores: Mapping[int, float]


def reading(watched: Mapping[str, int]) -> Reading:
    """What processes (name → id) and all cores have spent by now."""
    if not _PROC.is_dir():
        return Reading({}, {})
    return Reading({name: cpu_seconds(pid) for name, pid in watched.items()}, _busy())


def between(before: Reading, after: Reading) -> Reading:
    """What was spent from one reading to the next."""
    return Reading(
        {name: spent - before.processes[name] for name, spent in after.processes.items()},
        {core: spent - before.cores[core] for core, spent in after.cores.items()},
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of one process with all its threads."""
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mib(pid: int) -> float:
    """The resident set of a process; 0 where the kernel does not say."""
    path = _PROC / str(pid) / "status"
    if not path.exists():
        return 0.0
    found = next(line for line in path.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(found.split()[1]) / 1024


def _busy() -> dict[int, float]:
    """Seconds that each core has worked, or was taken from this machine by its host."""
    busy = {}
    for line in (_PROC / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, fields[:8])
            busy[int(name[3:])] = (user + nice + system + interrupts + soft + stolen) / _TICKS
    return busy
