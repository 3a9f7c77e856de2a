"""One thing that a process is made of, and the manifest of all of them: what is pinned, and compared at each start."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path

import msgspec

from doorward.domain.errors import DoorwardError


class SupplyError(DoorwardError):
    """What a process is made of cannot be told; the message says what was expected."""


class Sort(StrEnum):
    """What a part is."""

    PROGRAM = "program"
    """The file that is executed, or the interpreter of a script."""
    SCRIPT = "script"
    """A file that a program is told to run."""
    PACKAGE = "package"
    """A package of a registry: all of its files."""
    ENVIRONMENT = "environment"
    """What else is installed beside a package: names, versions, and what their installers wrote down of their files."""
    PATHS = "paths"
    """Files and directories that the configuration names."""
    IMAGE = "image"
    """A container image."""


class Component(msgspec.Struct, frozen=True):
    """A part with its digest; an empty one where nothing can be told, such as of an image by its tag."""

    sort: Sort
    name: str
    version: str
    sha256: str


def manifest(parts: Iterable[Component]) -> Mapping[str, object]:
    """The parts as a definition that people can review: the same for the same parts, in whatever order they were found."""
    told = [
        {
            key: value
            for key, value in (("sort", part.sort.value), ("name", part.name), ("version", part.version), ("sha256", part.sha256))
            if value
        }
        for part in sorted(set(parts), key=lambda part: (part.sort, part.name, part.version))
    ]
    return {"parts": told}


class Digests:
    """SHA-256 of files, remembered for as long as a file is the same one: device, inode, size and both times."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def of(self, path: Path) -> str:
        """The digest of a file's content; raises `SupplyError`."""
        try:
            stat = path.stat()
            key = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            found = self._known.get(key)
            return found if found is not None else self._keep(key, _digest(path))
        except OSError as error:
            raise SupplyError(f"{path.name} cannot be read: {error.strerror}") from error

    def _keep(self, key: tuple[int, ...], digest: str) -> str:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = digest
        return digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


_MOST_KNOWN = 65_536
"""Files of all servers together; a large environment has some ten thousand."""
