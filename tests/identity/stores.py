"""An agent store in memory that can be held up or fail."""

from collections.abc import Mapping

import anyio

from doorward.domain.errors import StoreError
from doorward.domain.ids import AgentId, KeyId
from doorward.identity.keys import KeyRecord
from doorward.identity.registry import AgentRecord


class Memory:
    """Keeps what was put; `fails` makes every answer an error, `gate` (if set) holds puts up until it is opened."""

    def __init__(self) -> None:
        self.agents: dict[AgentId, AgentRecord] = {}
        self.keys: dict[KeyId, KeyRecord] = {}
        self.touched: dict[AgentId, float] = {}
        self.fails = False
        self.gate: anyio.Event | None = None
        self.waiting = anyio.Event()

    async def load(self) -> tuple[tuple[AgentRecord, ...], tuple[KeyRecord, ...]]:
        self._answer()
        return tuple(self.agents.values()), tuple(self.keys.values())

    async def put(self, agents: tuple[AgentRecord, ...], keys: tuple[KeyRecord, ...]) -> None:
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        self._answer()
        self.agents.update((record.agent.id, record) for record in agents)
        self.keys.update((record.id, record) for record in keys)

    async def touch(self, seen: Mapping[AgentId, float]) -> None:
        self._answer()
        self.touched.update(seen)

    def _answer(self) -> None:
        if self.fails:
            raise StoreError("the store is away")


class Draws:
    """Random bytes that are all different, and the same in each run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(2, "big") * (length // 2)
