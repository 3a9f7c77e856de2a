"""A workbench on a document and a policy in a directory, pins in memory, and everything that it tells and hands over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorward.app.screening import detached
from doorward.catalog.pins import Approval, Pins
from doorward.domain.catalog import Kind, Standing
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event
from doorward.policy.history import Entry, Kept
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot
from doorward.runtime.workbench import Places, Workbench, first, read
from doorward.stores.memory import MemoryPins
from doorward.stores.memory_policy_sets import MemoryPolicySets
from doorward.testing.clocks import Clock
from doorward.testing.house import PERMIT_ALL
from tests.catalog.shown import Showing, tool

GIT, HG = UpstreamId("git"), UpstreamId("hg")
FIRST_USE = {"trust": "first-use"}


class Pinned:
    """A pin store in memory that can fail."""

    def __init__(self) -> None:
        self.kept = MemoryPins()
        self.fails = False
        self.failures = 0
        """How many times more it fails, besides."""
        self.all = self.kept.all

    async def put(self, pins: object) -> None:
        self._check()
        await self.kept.put(pins)  # type: ignore[arg-type]

    async def drop(self, keys: object) -> None:
        self._check()
        await self.kept.drop(keys)  # type: ignore[arg-type]

    def _check(self) -> None:
        if self.fails or self.failures:
            self.failures = max(0, self.failures - 1)
            raise StoreError("the store is away")


class Sets(MemoryPolicySets):
    """Policy sets in memory that may not be kept."""

    fails = False

    async def keep(self, kept: Kept, ended_before: float) -> Entry:
        if self.fails:
            raise StoreError("the store is away")
        return await super().keep(kept, ended_before)


@dataclass
class Bench:
    """What a test works with."""

    path: Path
    workbench: Workbench
    generations: Generations
    pins: Pinned
    told: list[Event]
    handed: list[tuple[Snapshot, Snapshot]]
    sets: Sets
    log_fails: list[str] = field(default_factory=list)

    def write(self, upstreams: Mapping[str, Mapping[str, object]], policies: str = PERMIT_ALL, **more: object) -> None:
        """Another document and policy on disk."""
        write(self.path.parent, upstreams, policies, **more)

    def standing(self, name: str, upstream: UpstreamId = GIT, kind: Kind = Kind.TOOL) -> Standing | None:
        """Where a definition stands in the current generation."""
        entry = self.generations.current.index.resolve(upstream, kind, name)
        return entry.standing if entry is not None else None

    def shown(self, name: str, upstream: UpstreamId = GIT) -> Approval:
        """A person's yes to a tool as it is offered now."""
        definition = self.workbench.offers[upstream].definitions[Kind.TOOL, name]
        return Approval(upstream, Kind.TOOL, name, definition.digest)

    def events(self) -> list[str]:
        """What the log was told since the last time."""
        told = [event.type for event in self.told]
        self.told.clear()
        return told

    def again(self) -> "Bench":
        """As it is after a restart."""
        return start(self.path, self.pins, self.sets)


def write(directory: Path, upstreams: Mapping[str, Mapping[str, object]], policies: str = PERMIT_ALL, **more: object) -> Path:
    """Writes a document (JSON is YAML) and its policy; gives the document's path."""
    every = {name: {"url": f"https://{name}.example.com/mcp", **fields} for name, fields in upstreams.items()}
    (directory / "policy.cedar").write_text(policies)
    path = directory / "doorward.yaml"
    path.write_text(json.dumps({"policies": {"files": ["policy.cedar"]}, "upstreams": every, **more}))
    return path


def start(path: Path, pins: Pinned | None = None, sets: Sets | None = None) -> Bench:
    """The workbench of a document; raises `ReloadError` where it does not hold."""
    pins, sets = pins or Pinned(), sets or Sets()
    materials, snapshot = first(read(path), Pins(pins.all()), detached(), sets.last())
    generations = Generations(snapshot)
    told: list[Event] = []
    handed: list[tuple[Snapshot, Snapshot]] = []
    log_fails: list[str] = []

    async def note(event: Event) -> None:
        if log_fails:
            raise UnrecordedError(log_fails[0])
        told.append(event)

    def adopt(before: Snapshot, after: Snapshot) -> None:
        assert generations.current is before
        handed.append((before, after))

    workbench = Workbench(path, materials, generations, Places(pins, note, adopt, Clock().now, sets))
    return Bench(path, workbench, generations, pins, told, handed, sets, log_fails)


def made(directory: Path, policies: str = PERMIT_ALL, **upstreams: Mapping[str, object]) -> Bench:
    """A workbench on a new document."""
    return start(write(directory, upstreams, policies))


def showing(*names: str, description: str = "Does it.", **lists: object) -> Showing:
    """What an upstream with these tools shows."""
    return Showing(tools=[tool(name, description) for name in names], **lists)  # type: ignore[arg-type]
