"""The private keys of our authority in one file that only its owner can read."""

import stat
from pathlib import Path

import msgspec

from doorward.config.whole import write_whole
from doorward.domain.errors import DoorwardError
from doorward.identity.authority.keys import StoredKey

NAME = "authority.keys"
"""In the state directory."""


class KeyFileError(DoorwardError):
    """The file is damaged, readable by others, or cannot be written."""


class _Line(msgspec.Struct):
    kid: str
    scalar: str
    signs_from: float


class KeyFile:
    """The keys of one file (`Vault`)."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[StoredKey, ...]:
        """Every key; raises `KeyFileError` for a file that others can read, or that is none of ours."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
            text = self._path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise KeyFileError(f"a key file was expected at {self._path}: {error.strerror}") from error
        if mode & 0o077:
            raise KeyFileError(f"{self._path} must be readable by its owner alone (0600), its mode is {mode:04o}")
        try:
            return tuple(StoredKey(line.kid, int(line.scalar, 16), line.signs_from) for line in msgspec.json.decode(text, type=list[_Line]))
        except (msgspec.MsgspecError, ValueError) as error:
            # Without the cause: it may quote what is there.
            raise KeyFileError(f"signing keys were expected in {self._path}, something else is there") from error

    def write(self, keys: tuple[StoredKey, ...]) -> None:
        """Whole and durable, or not at all; raises `KeyFileError`."""
        text = msgspec.json.encode([_Line(key.kid, f"{key.scalar:064x}", key.signs_from) for key in keys])
        try:
            write_whole(self._path, text, 0o600)
        except OSError as error:
            raise KeyFileError(f"signing keys cannot be written to {self._path}: {error.strerror}") from error
