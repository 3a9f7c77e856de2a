"""A stop store in memory that can be held up or fail."""

import anyio

from doorward.admission.stops import Effect, Matter, Stop
from doorward.domain.errors import StoreError


class Memory:
    """Keeps what was put; `fails` makes every answer an error, `gate` (if set) holds writes up until it is opened."""

    def __init__(self, *stops: Stop) -> None:
        self.stops = {(stop.matter, stop.effect): stop for stop in stops}
        self.fails = False
        self.gate: anyio.Event | None = None
        self.waiting = anyio.Event()

    async def load(self) -> tuple[Stop, ...]:
        await self._answer()
        return tuple(self.stops.values())

    async def put(self, stop: Stop) -> None:
        await self._answer()
        self.stops[stop.matter, stop.effect] = stop

    async def drop(self, matter: Matter, effect: Effect) -> None:
        await self._answer()
        self.stops.pop((matter, effect), None)

    async def _answer(self) -> None:
        if self.gate is not None:
            self.waiting.set()
            await self.gate.wait()
        if self.fails:
            raise StoreError("the store is away")
