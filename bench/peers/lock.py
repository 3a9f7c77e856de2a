"""Solves versions.toml into the committed locks of the peers: hashes of every file, names of no host. `python -m bench.peers.lock`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from bench.peers.install import LOCKS
from tools.locks import lock_node, lock_python

VERSIONS = Path(__file__).parent / "versions.toml"


def main() -> int:
    """Writes every lock, or those that are named; gives a process exit code."""
    versions = tomllib.loads(VERSIONS.read_text(encoding="utf-8"))
    wanted = set(sys.argv[1:]) or {*versions["python"], *versions["node"]}
    for name, requirements in versions["python"].items():
        if name in wanted:
            lock_python(LOCKS / name, requirements, ())
    for name, dependencies in versions["node"].items():
        if name in wanted:
            lock_node(LOCKS / name, dependencies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
