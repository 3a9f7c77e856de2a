"""Another key-encryption key, and with it another store key: records are wrapped anew behind the backs of calls.

What was sealed stays readable throughout, as every key goes on opening until nothing needs it. A process that dies in the middle leaves
rows of two keys, and the next one goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from doorward.credentials.envelope import Envelope
from doorward.credentials.store_keys import KeyStore, StoreKey, Wrappings, fresh
from doorward.credentials.wrapping import Held, WrappingError
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event
from doorward.net.single import Single

AGAIN_AFTER_SECONDS = 60.0
"""How long after a failure it is tried again."""


Told = Callable[[Event], Awaitable[object]]


class Seams(msgspec.Struct, frozen=True):
    """What a rotation works with."""

    draw: Callable[[int], bytes]
    now: Callable[[], float]
    told: Told
    """The log."""


class Standing(msgspec.Struct, frozen=True):
    """A key-encryption key, and what hangs on it."""

    id: str
    made_at: float | None
    is_current: bool
    """New records are sealed under it."""
    is_held: bool
    """Its place tells of it."""
    store_keys: int
    rows: int
    """How many sealed rows could not be opened without it."""


class Rotation:
    """The keys of one store while it runs."""

    __slots__ = ("_envelope", "_places", "_rotating", "_seams", "_store", "_wanted", "trouble")

    def __init__(self, store: KeyStore, envelope: Envelope, places: Wrappings, seams: Seams) -> None:
        self._store, self._envelope, self._places, self._seams = store, envelope, places, seams
        self._rotating: Single[str] = Single()
        # Set at first: what the last process left half done.
        self._wanted = asyncio.Event()
        self._wanted.set()
        self.trouble: str | None = None
        """Why records are not all under the newest key yet, though nothing is being done about it just now."""

    async def rotate(self) -> str:
        """Makes a new key, under which everything new is sealed on return, and has the rest follow; gives its id.

        Raises `WrappingError`, `StoreError`. Of several at once, one is made for all.
        """
        return await self._rotating.run(self._rotate)

    async def standing(self) -> tuple[Standing, ...]:
        """Every key-encryption key that is there or needed, the newest last; raises `StoreError`."""
        keys, rows = await self._store.keys(), await self._store.needs()
        made = {held.id: held for held in await self._held()}
        current = keys[-1].wrapped.by
        names = dict.fromkeys([*[key.wrapped.by for key in keys if key.wrapped.by not in made], *made])
        return tuple(_standing(name, made.get(name), current, keys, rows) for name in names)

    async def run(self, troubled: Callable[[str], None]) -> None:
        """Wraps anew what needs an older key, whenever there is any, and says what keeps it from doing so; endless."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                self.trouble = await self.finish()
            except DoorwardError as error:
                self.trouble = str(error)
                asyncio.get_running_loop().call_later(AGAIN_AFTER_SECONDS, self._wanted.set)
            if self.trouble is not None:
                troubled(self.trouble)

    async def finish(self) -> str | None:
        """Wraps anew what needs an older key, and drops keys that nothing needs any more; gives what could not be. Raises a `DoorwardError`."""
        unopened = 0
        if len(await self._store.keys()) > 1:
            unopened = await self._store.rewrap(self._envelope)
            await self._store.forget()
        needed = frozenset(key.wrapped.by for key in await self._store.keys())
        for gone in await self._places.now.retire(needed):
            await self._seams.told(Event("encryption_key_retired", "doorward", {"key": gone}))
        return f"{unopened} sealed rows do not open, and were left under the keys that they name" if unopened else None

    async def _held(self) -> tuple[Held, ...]:
        try:
            return await self._places.now.held()
        except WrappingError:
            # A key service need not let us describe its keys; what the rows say is enough.
            return ()

    async def _rotate(self) -> str:
        await self._places.now.rotate(frozenset(key.wrapped.by for key in await self._store.keys()))
        key, raw = await fresh(self._places.now, self._seams.draw, self._seams.now())
        await self._store.add(key)
        self._envelope.add(key.id, raw)
        self._wanted.set()
        return key.wrapped.by


def _standing(name: str, held: Held | None, current: str, keys: tuple[StoreKey, ...], rows: Mapping[bytes, int]) -> Standing:
    under = [key for key in keys if key.wrapped.by == name]
    made_at = held.made_at if held is not None and held.made_at is not None else min((key.made_at for key in under), default=None)
    return Standing(name, made_at, name == current, held is not None, len(under), sum(rows.get(key.id, 0) for key in under))
