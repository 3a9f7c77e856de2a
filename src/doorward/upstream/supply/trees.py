"""Digests of many files as one: of a directory, and of an installed Python distribution (PEP 376 `RECORD`)."""

import csv
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

from doorward.upstream.supply.parts import Component, Digests, Sort, SupplyError

MOST_FILES = 100_000
"""Of one directory or package."""

_MADE = frozenset({".pyc", ".pyo"})
"""Written by an interpreter as it runs."""


def tree(path: Path, digests: Digests) -> str:
    """The digest of a file, or of all files below a directory with their names; what a link leads to counts as what it is."""
    if path.is_file():
        return digests.of(path)
    if not path.is_dir():
        raise SupplyError(f"expected a file or directory, there is none at {str(path)[-200:]!r}")
    return together((str(file.relative_to(path)), digests.of(file)) for file in _files(path))


def together(named: Iterable[tuple[str, str]]) -> str:
    """One digest of several with their names."""
    total = sha256()
    for name, digest in sorted(named):
        total.update(f"{digest}  {name}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    for found, file in enumerate(_walked(path)):
        if found >= MOST_FILES:
            raise SupplyError(f"expected at most {MOST_FILES} files below {path.name}")
        if file.is_file():
            yield file


def _walked(path: Path) -> Iterator[Path]:
    for directory, inside, names in os.walk(path):
        inside[:] = [name for name in inside if name != "__pycache__"]
        yield from (Path(directory, name) for name in names if Path(name).suffix not in _MADE)


def distribution(record: Path, digests: Digests) -> Component:
    """An installed distribution by all files that its `RECORD` lists, as they are now."""
    site = record.parent.parent
    name, _, version = record.parent.name.removesuffix(".dist-info").rpartition("-")
    listed = [file for file in _listed(record) if Path(file).suffix not in _MADE and not file.endswith(_LOCAL)]
    present = ((file, digests.of(site / file)) for file in listed if (site / file).is_file())
    return Component(Sort.PACKAGE, f"pypi:{name.replace('_', '-').lower()}", version, together(present))


_LOCAL = (".dist-info/RECORD", ".dist-info/direct_url.json", ".dist-info/INSTALLER", ".dist-info/REQUESTED", ".dist-info/uv_cache.json")
"""What an installer writes of where and when, which differs though the package is the same."""


def site_environment(site: Path, digests: Digests) -> Component:
    """Everything that is installed in a `site-packages`: names, versions, and the files as their installer wrote them down."""
    records = sorted(site.glob("*.dist-info/RECORD"))
    named = [(record.parent.name, _noted(record)) for record in records]
    named += [(file.name, digests.of(file)) for name in _AT_START for file in site.glob(name)]
    return Component(Sort.ENVIRONMENT, f"{len(records)} distributions", "", together(named))


_AT_START = ("*.pth", "sitecustomize.py", "usercustomize.py")
"""Read by every interpreter of an environment as it starts (`site`), whoever has put them there."""


def _noted(record: Path) -> str:
    """What a `RECORD` says of the files of its package; console scripts hold the path of their environment, and differ."""
    rows = (",".join(row[:2]) for row in _rows(record) if row and not row[0].startswith("..") and not row[0].endswith((*_LOCAL, ".pyc")))
    return sha256("\n".join(sorted(rows)).encode()).hexdigest()


def owner(site: Path, script: str) -> Path | None:
    """The `RECORD` of the distribution that has installed a console script of this name."""
    for record in sorted(site.glob("*.dist-info/RECORD")):
        if any(Path(file).name == script and file.startswith("..") for file in _listed(record)):
            return record
    return None


def holding(site: Path, module: str) -> Path | None:
    """The `RECORD` of the distribution that has installed a top-level module."""
    ways = (f"{module}/__init__.py", f"{module}.py", f"{module}/__main__.py")
    for record in sorted(site.glob("*.dist-info/RECORD")):
        if any(file in ways for file in _listed(record)):
            return record
    return None


def _listed(record: Path) -> list[str]:
    return [row[0] for row in _rows(record) if row]


def _rows(record: Path) -> list[list[str]]:
    try:
        with record.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SupplyError(f"{record.parent.name} cannot be read: {error}") from error
