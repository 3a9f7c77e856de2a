"""Solves pyproject.toml and peers/versions.toml into the committed locks: hashes of every file, names of no host.

What a lock already pins stays unless it must move; `--upgrade` moves everything to the newest that is allowed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.environments import DEV, DEV_LOCK, PEERS, ROOT, environment, node, run, uv

SOLVE = ("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate")


def main() -> int:
    """Write every lock; give a process exit code."""
    upgrade = tuple(word for word in sys.argv[1:] if word == "--upgrade")
    core = ROOT / "requirements.lock"
    project = ROOT / "pyproject.toml"
    run(uv("pip", "compile", *SOLVE, *upgrade, "--output-file", core, project))
    run(uv("pip", "compile", *SOLVE, *upgrade, "--group", f"{project}:dev", "--constraints", core, "--output-file", DEV_LOCK, project))
    versions = tomllib.loads((PEERS / "versions.toml").read_text())
    for name, requirements in versions["python"].items():
        lock_python(PEERS / name, requirements, upgrade)
    for name, requirements in versions["alone"].items():
        lock_python(PEERS / name, requirements, ("--no-deps",))
    for name, dependencies in versions["node"].items():
        lock_node(PEERS / name, dependencies)
    return 0


def lock_python(place: Path, requirements: list[str], options: tuple[str, ...]) -> None:
    """Write `requirements.lock` in the directory of a peer."""
    lock = place / "requirements.lock"
    place.mkdir(exist_ok=True)
    command = uv("pip", "compile", *SOLVE, *options, "--output-file", lock, "-")
    subprocess.run(command, cwd=ROOT, env=environment(), input="\n".join(requirements), text=True, check=True)


def lock_node(place: Path, dependencies: dict[str, str]) -> None:
    """Write `package.json` and its lock in the directory of a peer."""
    place.mkdir(exist_ok=True)
    package = {"name": f"doorward-peer-{place.name}", "private": True, "engines": {"node": ">=22"}, "dependencies": dependencies}
    (place / "package.json").write_text(json.dumps(package, indent=2) + "\n")
    run(node("npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"), directory=place)


if __name__ == "__main__":
    assert DEV.exists(), "run make setup first"
    sys.exit(main())
