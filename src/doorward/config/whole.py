"""Files that this process keeps for itself, written whole and durably or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, raw: bytes, mode: int) -> None:
    """Puts a file in the place of the one before, durable on return; never readable by more than `mode` (and the umask) says. Raises `OSError`."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(descriptor)
    partial.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
