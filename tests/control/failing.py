"""Stores in memory that can be broken, for what operators order while nothing can be written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from doorward.domain.errors import StoreError
from doorward.stores.memory import MemoryAgents, MemoryStops
from doorward.stores.memory_waivers import MemoryWaivers


@dataclass(slots=True)
class FailingAgents(MemoryAgents):
    """An agent store that can be broken; `on_put` hears of each change that it took."""

    broken: bool = False
    on_put: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        MemoryAgents.__init__(self)

    async def put(self, agents: Any, keys: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await MemoryAgents.put(self, agents, keys)
        self.on_put()


@dataclass(slots=True)
class FailingStops(MemoryStops):
    """A stop store that can be broken."""

    broken: bool = False

    def __post_init__(self) -> None:
        MemoryStops.__init__(self)

    async def put(self, stop: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await MemoryStops.put(self, stop)


class FailingWaivers(MemoryWaivers):
    """A store of waivers that can be broken; `on_put` hears of each that it took."""

    broken = False

    def __init__(self) -> None:
        super().__init__()
        self.on_put: Callable[[], None] = lambda: None

    async def put(self, lasting: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await super().put(lasting)
        self.on_put()

    async def drop(self, waivers: Any) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        await super().drop(waivers)
