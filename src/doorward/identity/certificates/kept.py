"""The root of our own authority in the state directory: made on first use, and the same ever after."""

import os
from collections.abc import Callable
from pathlib import Path

from doorward.identity.certificates.ca import Ca, CaError, new_root, opened

ROOT_NAME = "ca.pem"
"""In the state directory, beside the secret of its key; public."""


def kept(directory: Path, secret: bytes, trust_domain: str, now: float, draw: Callable[[int], bytes]) -> Ca:
    """The authority whose root is in a directory, made where there is none yet; raises `CaError`.

    `secret` is what the key is made of: 32 random bytes that are kept apart, readable by their owner alone.
    """
    path = directory / ROOT_NAME
    try:
        if not path.exists():
            _write(path, new_root(secret, trust_domain, now, draw))
        return opened(secret, path.read_text("ascii"), trust_domain, draw)
    except CaError as error:
        raise CaError(f"{error}, in {path}; move it away for a new root, which agents have to enrol with again") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CaError(f"the root of our own authority cannot be kept in {path}: {error}") from error


def _write(path: Path, pem: str) -> None:
    """Whole and durable, or not at all."""
    partial = path.with_name(f"{path.name}.new")
    with partial.open("w", encoding="ascii") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
