"""What the measurements know of a peer: how it is configured and started, what it speaks, and what it had on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.speech import ECHO, Era

BOTH = (Era.SESSION, Era.EXCHANGE)


@dataclass(frozen=True, slots=True)
class Site:
    """What a peer is given to live in."""

    directory: Path
    """Its own; empty when it starts for the first time."""
    programs: Path
    """Where the programs of its environment are."""
    port: int
    """A free one, on loopback."""
    upstream: int
    """The port of the upstream, which answers at `/mcp`."""

    @property
    def url(self) -> str:
        """Where the upstream answers."""
        return f"http://127.0.0.1:{self.upstream}/mcp"

    def program(self, name: str) -> str:
        """One of its programs."""
        return str(self.programs / name)

    def write(self, name: str, text: str) -> str:
        """Writes a file of its own; gives the path."""
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@dataclass(frozen=True, slots=True)
class Launch:
    """How it is started, and how it is called then."""

    command: Sequence[str]
    """Empty: nothing is started."""
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    """Where it answers; 0: at its site's."""
    path: str = "/mcp"
    tool: str = ECHO
    """The name that the upstream's tool has here."""
    keys: tuple[str, ...] = ()
    """Bearer tokens of callers."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What a caller shows besides."""


@dataclass(frozen=True, slots=True)
class Governs:
    """What it did about each call while it was measured."""

    authentication: str = "none"
    policy: str = "none"
    inspection: str = "none"
    audit: str = "none"


@dataclass(frozen=True, slots=True)
class Peer:
    """A gateway that is measured."""

    name: str
    package: str
    """Whose version is told."""
    environment: str
    """The directory of its lock; empty for this one."""
    governs: Governs
    configured: str
    """What it was configured with, and why, as the page says it."""
    launch: Callable[[Site], Launch]
    """Writes its files and gives how it is started; called before each start, with the same site."""
    settle: Callable[[Site, Launch], None] | None = None
    """Done while it runs for the first time; then it is ended, and started again to be measured."""
    eras: Sequence[Era] = BOTH
