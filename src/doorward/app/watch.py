"""Whether files have changed on disk since the last look: the document, its policies and lists, certificates."""

from collections.abc import Iterable
from pathlib import Path

from doorward.config.check import policy_files
from doorward.config.lists import files as list_files
from doorward.config.model import Document
from doorward.config.own_files import files as own_files

Stamp = tuple[tuple[str, int, int, int], ...]


class Files:
    """Compares the change times, sizes and inodes of files; made as soon as they have been read."""

    __slots__ = ("_seen",)

    def __init__(self, files: Iterable[Path]) -> None:
        self._seen = stamps(files)

    def have_changed(self, files: Iterable[Path]) -> bool:
        """Whether anything differs from the look before, or from when this was made."""
        before, self._seen = self._seen, stamps(files)
        return before != self._seen


class Watch:
    """The files that make up a configuration."""

    __slots__ = ("_files", "_path")

    def __init__(self, path: Path, document: Document) -> None:
        self._path = path
        self._files = Files(self._named(document))

    def has_changed(self, document: Document) -> bool:
        """Whether anything differs from the look before, or from when this was made."""
        return self._files.have_changed(self._named(document))

    def _named(self, document: Document) -> tuple[Path, ...]:
        root = self._path.resolve().parent
        return self._path, *policy_files(document.policies, root), *list_files(document, root), *own_files(document, root)


def stamps(files: Iterable[Path]) -> Stamp:
    """What differs once one of some files has changed, has come or is gone."""
    return tuple(one for file in files if (one := _stamp_of(file)) is not None)


def _stamp_of(file: Path) -> tuple[str, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    # The time of change, not of writing: nobody can set it back, and a file that only became readable has another one.
    return str(file), found.st_ctime_ns, found.st_size, found.st_ino
