"""Where an operator's sign-ins are kept between commands: a file for each gateway, in the user's own state directory, for nobody else."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """One sign-in."""

    url: str
    token: str
    expires_at: float
    """Unix seconds."""
    name: str
    ca_file: str | None = None
    """The only authorities (PEM) that the gateway's certificate may come from."""

    def __repr__(self) -> str:
        return f"Kept({self.url})"


class OperatorFiles:
    """The sign-ins of one user."""

    __slots__ = ("_directory",)

    def __init__(self, environment: Mapping[str, str]) -> None:
        """`XDG_STATE_HOME` (an absolute path), else `~/.local/state`."""
        named = environment.get("XDG_STATE_HOME", "")
        home = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
        self._directory = home / "doorward" / "operator"

    def find(self, url: str) -> Kept | None:
        """The sign-in at a gateway; None where there is none that can be read."""
        try:
            held: Any = json.loads(self._path(url).read_text("utf-8"))
            return Kept(**held)
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, kept: Kept) -> Path:
        """Writes a sign-in down, readable for its user alone from its first moment; raises `OSError`."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(kept.url)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(kept), file)
        beside.replace(path)
        return path

    def forget(self, url: str) -> None:
        """Removes a sign-in."""
        self._path(url).unlink(missing_ok=True)

    def _path(self, url: str) -> Path:
        return self._directory / f"{sha256(url.encode()).hexdigest()[:32]}.json"
