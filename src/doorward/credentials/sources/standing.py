"""Secrets of sources that the gateway itself uses, outside of upstreams' credentials: read when the configuration is taken, kept fresh, and
there at once for whoever asks.
"""

import asyncio
from collections.abc import Iterable
from math import inf
from typing import Final

from doorward.config.references import Remote, UnresolvedError
from doorward.credentials.sources.custody import Custody
from doorward.credentials.sources.held import Taken
from doorward.domain.errors import DoorwardError

OWNER: Final = ""
"""No upstream is called so."""
LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 30.0
"""How long after a failure it is tried again: ever longer, up to this."""

Place = tuple[str, str]


class _BorrowedError(UnresolvedError):
    """A secret that would have to be given back, which nobody here does."""


class Standing:
    """What the configuration refers to, by reference."""

    __slots__ = ("_custody", "_pauses", "_taken", "_wanted", "_why")

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._wanted: dict[Place, tuple[Remote, ...]] = {}
        self._taken: dict[Place, Taken] = {}
        self._why: dict[Place, str] = {}
        self._pauses: dict[Place, tuple[float, float]] = {}

    def adopt(self, pointers: Iterable[Remote]) -> None:
        """From now on these are wanted; what is new is read within a second, once `run` is under way."""
        wanted: dict[Place, tuple[Remote, ...]] = {}
        for pointer in dict.fromkeys(pointers):
            place = (pointer.scheme, pointer.place)
            wanted[place] = (*wanted.get(place, ()), pointer)
        self._wanted = wanted
        self._pauses.clear()

    def value(self, pointer: Remote) -> str:
        """What a reference leads to, as it was last read; raises `UnresolvedError`."""
        place = (pointer.scheme, pointer.place)
        taken = self._taken.get(place)
        if taken is None:
            raise UnresolvedError(self._why.get(place, f"{pointer} has not been read yet"))
        return taken.value(pointer)

    async def run(self) -> None:
        """Keeps them read, for ever."""
        while True:
            await self.refresh(asyncio.get_running_loop().time())
            await asyncio.sleep(1.0)

    async def refresh(self, now: float) -> None:
        """Reads what is wanted and not there, or not as its source has it now; gives back what is wanted no longer. `now`: any clock."""
        for place in [place for place in self._taken if place not in self._wanted]:
            await self._taken.pop(place).release()
        due = [place for place in self._wanted if self._is_due(place, now)]
        async with asyncio.TaskGroup() as group:
            for place in due:
                group.create_task(self._read(place, now))

    def _is_due(self, place: Place, now: float) -> bool:
        taken = self._taken.get(place)
        is_read = taken is not None and taken.is_current()
        return not is_read and now >= self._pauses.get(place, (0.0, 0.0))[0]

    async def _read(self, place: Place, now: float) -> None:
        try:
            taken = await self._custody.take(OWNER, self._wanted[place])
            if taken.is_borrowed:
                await taken.release()
                raise _BorrowedError(f"{place[0]}:{place[1]} is made for each who asks, and ends; only upstreams' credentials may be so")
        except DoorwardError as error:
            before = self._pauses.get(place, (0.0, LEAST_SECONDS / 2))[1]
            # What is borrowed stays so until the configuration changes.
            pause = inf if isinstance(error, _BorrowedError) else min(MOST_SECONDS, before * 2)
            self._pauses[place] = (now + pause, pause)
            self._why[place] = str(error)
            # It is not what its source would say now, or its source says that it is gone.
            old = self._taken.pop(place, None)
        else:
            self._pauses.pop(place, None)
            self._why.pop(place, None)
            old, self._taken[place] = self._taken.get(place), taken
        if old is not None:
            await old.release()
