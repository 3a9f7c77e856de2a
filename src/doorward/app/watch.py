"""Whether the document or a policy file has changed on disk since the last look."""

from collections.abc import Iterable
from pathlib import Path

from doorward.config.check import policy_files
from doorward.config.model import Document

Stamp = tuple[tuple[str, int, int, int], ...]


class Watch:
    """Compares the change times, sizes and inodes of the files that make up a configuration; made as soon as they have been read."""

    __slots__ = ("_path", "_seen")

    def __init__(self, path: Path, document: Document) -> None:
        self._path = path
        self._seen = self._stamp(document)

    def has_changed(self, document: Document) -> bool:
        """Whether anything differs from the look before, or from when this was made."""
        stamp = self._stamp(document)
        before, self._seen = self._seen, stamp
        return before != stamp

    def _stamp(self, document: Document) -> Stamp:
        return stamps((self._path, *policy_files(document.policies, self._path.resolve().parent)))


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
