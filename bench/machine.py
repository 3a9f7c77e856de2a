"""The machine and versions that figures belong to: no names of hosts, no paths."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from statistics import median

import apsw

from bench.cores import can_pin
from doorward import __version__

_PACKAGES = ("uvloop", "httptools", "msgspec", "jiter", "cedarpy", "cryptography", "jsonschema-rs", "pydantic")
_FLUSHES = 50


def described(directory: Path) -> Mapping[str, str]:
    """What is said of this machine; `directory` is on the disk that the log is written to."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "System": f"{platform.system()} {platform.machine()}, {_memory_gib()} GiB of memory",
        "Pinned": "gateway on one core, upstream and load on another" if can_pin() else "no: there is one core, or cores cannot be chosen",
        "Flush of 4 KiB to disk": f"{_flush_microseconds(directory):.0f} µs (median)",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Doorward": __version__,
        "SQLite": apsw.sqlite_lib_version(),
        "Packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor() or "unknown")


def _memory_gib() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _flush_microseconds(directory: Path) -> float:
    path = directory / "flush"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_FLUSHES):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    path.unlink()
    return 1e6 * median(times)
