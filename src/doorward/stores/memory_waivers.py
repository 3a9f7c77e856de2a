"""Waivers in memory (`WaiverStore`): for tests and trials."""

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from doorward.approval.waivers import Lasting
from doorward.domain.ids import WaiverId


class MemoryWaivers:
    """Every waiver since the process began that was not dropped."""

    def __init__(self) -> None:
        self._kept: dict[WaiverId, Lasting] = {}

    async def load(self) -> tuple[Lasting, ...]:
        """Every one that was put and not dropped."""
        return tuple(self._kept.values())

    async def put(self, lasting: Lasting) -> None:
        """Adds or replaces by id."""
        self._kept[lasting.waiver.id] = lasting

    async def note(self, left_seconds: Mapping[WaiverId, float]) -> None:
        """Notes what some have left."""
        for name, left in left_seconds.items():
            if name in self._kept:
                self._kept[name] = replace(self._kept[name], left_seconds=left)

    async def drop(self, waivers: Collection[WaiverId]) -> None:
        """Forgets these."""
        for name in waivers:
            self._kept.pop(name, None)
