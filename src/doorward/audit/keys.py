"""The key files of the log: made on first start, readable by their owner alone."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from doorward.config.whole import write_whole
from doorward.domain.errors import DoorwardError

KEY_BYTES = 32


class KeyFileError(DoorwardError):
    """A key file is missing, damaged, or readable by others."""


@dataclass(frozen=True, slots=True, repr=False)
class LogKeys:
    """The three secrets of a log."""

    signing: bytes
    """Ed25519 seed of checkpoints (`log.key`)."""
    audit: bytes
    """HMAC key of pseudonyms and fields (`audit.key`)."""
    side: bytes
    """Wraps the data keys of side records (`side.key`)."""


_FILES = ("log.key", "audit.key", "side.key")


def make(directory: Path, draw: Callable[[int], bytes]) -> LogKeys:
    """The keys of a new log: made where they are not there yet."""
    for name in _FILES:
        if not (directory / name).exists():
            _write(directory / name, draw(KEY_BYTES))
    return read(directory)


def read(directory: Path) -> LogKeys:
    """The keys of a log that has leaves; raises KeyFileError, as a new key in place of a lost one would pass for a forgery."""
    return LogKeys(*[_read(directory / name) for name in _FILES])


def kept(path: Path, draw: Callable[[int], bytes]) -> bytes:
    """The secret in one file, made on first use; for keys whose loss costs no evidence. Raises KeyFileError."""
    if not path.exists():
        _write(path, draw(KEY_BYTES))
    return _read(path)


def rotate_signing(directory: Path, draw: Callable[[int], bytes]) -> None:
    """Puts a new signing key in place of the old one, which is kept beside it; takes effect, and becomes a leaf, at the next start."""
    number = 1 + sum(1 for _ in directory.glob("log.key.retired-*"))
    (directory / "log.key").rename(directory / f"log.key.retired-{number}")
    _write(directory / "log.key", draw(KEY_BYTES))


def _write(path: Path, key: bytes) -> None:
    write_whole(path, key.hex().encode() + b"\n", 0o600)


def _read(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"a key file was expected at {path}: {error}") from error
    if mode & 0o077:
        raise KeyFileError(f"{path} must be readable by its owner alone (0600), its mode is {mode:04o}")
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise KeyFileError(f"{KEY_BYTES} bytes in hexadecimal were expected in {path}") from error
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{KEY_BYTES} bytes in hexadecimal were expected in {path}, not {len(key)}")
    return key
