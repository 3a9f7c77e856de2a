"""The root of our own authority in the state directory: made on first use, and the same ever after."""

from collections.abc import Callable
from pathlib import Path

from doorward.config.whole import write_whole
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
            write_whole(path, new_root(secret, trust_domain, now, draw).encode("ascii"), 0o666)
        return opened(secret, path.read_text("ascii"), trust_domain, draw)
    except CaError as error:
        raise CaError(f"{error}, in {path}; move it away for a new root, which agents have to enrol with again") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CaError(f"the root of our own authority cannot be kept in {path}: {error}") from error
