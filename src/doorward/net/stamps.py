"""Whether a file is still the one that was read: its time, size and place on the disk, without reading it."""

from pathlib import Path

Stamp = tuple[int, int, int] | None
"""Equal as long as nobody has written or replaced the file; None where there is none that can be looked at."""


def stamp(path: Path) -> Stamp:
    """What is on the disk under a path now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
