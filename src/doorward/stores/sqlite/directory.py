"""The state directory: its owner's alone, and one process's at a time."""

import fcntl
import os
from pathlib import Path

import msgspec

from doorward.domain.errors import StoreError


class StateDirectory(msgspec.Struct, frozen=True):
    """A directory that this process owns until it closes it or dies."""

    path: Path
    _lock: int

    def close(self) -> None:
        """Lets another process have it."""
        os.close(self._lock)


def own(path: Path) -> StateDirectory:
    """The directory at `path`, made if it is not there (0700); raises StoreError while another process owns it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
        # The kernel drops the lock with the process, however it dies.
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"a state directory of our own was expected at {path}: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise StoreError(f"another process owns the state directory {path}") from error
    return StateDirectory(path, lock)
