"""Brings the peers' environments to what their locks say; a peer that cannot be installed on this machine is told of, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from tools.environments import PEER_ENVIRONMENTS, PEERS, SetupError, install_node_peer, install_python_peer, one_at_a_time

LOCKS = Path(__file__).parent / "locks"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that holds what its lock says."""

    place: Path
    programs: Path
    mebibytes: float
    """Its size on disk."""
    versions: Mapping[str, str]
    """Of every package in it, by name."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An environment that could not be made."""

    why: str


def installed(names: Iterable[str]) -> Mapping[str, Installed | Missing]:
    """Every named environment, made where it is not there yet."""
    wanted = sorted(set(names))
    with one_at_a_time(), ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return dict(zip(wanted, pool.map(_installed, wanted), strict=True))


def _installed(name: str) -> Installed | Missing:
    packages = LOCKS / name / "package-lock.json"
    try:
        if packages.exists():
            install_node_peer(packages)
            return _node(packages.parent / "node_modules")
        install_python_peer(_lock(name))
    except SetupError as error:
        return Missing(str(error))
    return _python(PEER_ENVIRONMENTS / name)


def _lock(name: str) -> Path:
    """The lock of a peer, which may be one of the tests' as well."""
    own = LOCKS / name / "requirements.lock"
    return own if own.exists() else PEERS / name / "requirements.lock"


def _python(place: Path) -> Installed:
    [packages] = place.glob("lib/python*/site-packages")
    found = {one.name.lower(): one.version for one in distributions(path=[str(packages)])}
    return Installed(place, place / "bin", _mebibytes(place), found)


def _node(place: Path) -> Installed:
    lock = msgspec.json.decode((place.parent / "package-lock.json").read_bytes())
    found = {name.rpartition("node_modules/")[2]: str(one.get("version", "")) for name, one in lock["packages"].items() if name}
    return Installed(place, place / ".bin", _mebibytes(place), found)


def _mebibytes(place: Path) -> float:
    """What was installed; compiled files come with use."""
    return sum(file.lstat().st_size for file in place.rglob("*") if file.suffix != ".pyc" and not file.is_dir()) / 2**20
