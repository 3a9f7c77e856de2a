"""The keys of a store: made, wrapped by a key-encryption key, opened once at the start.

LAW: a new key is never made in the place of one that is missing. Where a key-encryption key is lost, or another one is there, nothing opens
and nothing starts, so that it can be put back.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from doorward.credentials.envelope import ID_BYTES, KEY_BYTES, Context, Envelope
from doorward.credentials.wrapping import KeyLostError, Wrapped, Wrapping, WrappingError

MARK_KEY = Context("mark_key", ("1",), "sealed")
"""Where the key of marks and hidden names is sealed: it outlives every rotation, as the rows are found by its marks."""


class StoreKey(msgspec.Struct, frozen=True):
    """A store key as it lies in the database."""

    id: bytes
    wrapped: Wrapped
    made_at: float
    """Unix seconds."""


class KeyStore(Protocol):
    """Where store keys are kept, beside the rows that need them. Durable on return; raises `StoreError`."""

    async def keys(self) -> tuple[StoreKey, ...]:
        """Every store key, the newest last: that one seals."""
        ...

    async def mark_key(self) -> bytes | None:
        """The sealed key of marks; None in a store that was never begun."""
        ...

    async def begin(self, key: StoreKey, mark_key: bytes) -> None:
        """Keeps the first store key and the key of marks, both or none."""
        ...

    async def add(self, key: StoreKey) -> None:
        """Keeps a newer store key."""
        ...

    async def move(self, keys: tuple[StoreKey, ...]) -> None:
        """Keeps these wrappings in place of the ones before, all or none."""
        ...

    async def needs(self) -> Mapping[bytes, int]:
        """How many rows need each store key."""
        ...

    async def rewrap(self, envelope: Envelope) -> int:
        """Wraps the keys of all rows anew that need another store key than the one of now, few at a time; gives how many did not open.

        What others write meanwhile is not held up, and one that was broken off is gone on with by the next.
        """
        ...

    async def forget(self) -> tuple[StoreKey, ...]:
        """Drops the store keys that no row needs, but for the newest; gives which."""
        ...


class Wrappings(msgspec.Struct, frozen=True):
    """The place of key-encryption keys that is configured, and those before it that may still be needed."""

    now: Wrapping
    former: tuple[Wrapping, ...] = ()

    async def unwrap(self, key: StoreKey) -> bytes:
        """A store key in clear; raises `WrappingError`, of the place that is configured where several do not have it."""
        kind = key.wrapped.by.partition(":")[0]
        failed: WrappingError | None = None
        for place in (self.now, *self.former):
            if place.kind != kind:
                continue
            try:
                raw = await place.unwrap(key.wrapped, context(key.id))
            except WrappingError as error:
                failed = failed or error
                continue
            if len(raw) == KEY_BYTES:
                return raw
        raise failed or KeyLostError(f"the key-encryption key {key.wrapped.by} is needed, and no place of that kind is configured")


def context(name: bytes) -> bytes:
    """What a wrapped store key is bound to."""
    return b"doorward store key " + name.hex().encode()


async def fresh(place: Wrapping, draw: Callable[[int], bytes], now: float) -> tuple[StoreKey, bytes]:
    """A new store key, wrapped and in clear; raises `WrappingError`."""
    name, raw = draw(ID_BYTES), draw(KEY_BYTES)
    return StoreKey(name, await place.wrap(raw, context(name)), now), raw


async def open_envelope(store: KeyStore, places: Wrappings, draw: Callable[[int], bytes], now: float) -> Envelope:
    """The envelope of a store, begun where it never was; raises `WrappingError`, `StoreError`."""
    keys = await store.keys()
    sealed = await store.mark_key()
    if sealed is None and not keys:
        return await _begun(store, places, draw, now)
    if sealed is None or not keys:
        raise WrappingError("the keys of the store were expected in the database, some of them are gone: put a whole copy back")
    raw = {key.id: await _opened(places, key) for key in keys}
    await _move(store, places, keys, raw)
    newest = keys[-1].id
    index = Envelope(raw, newest, b"", draw).open(sealed, MARK_KEY)
    return Envelope(raw, newest, index, draw)


async def _begun(store: KeyStore, places: Wrappings, draw: Callable[[int], bytes], now: float) -> Envelope:
    await places.now.prepare()
    key, raw = await fresh(places.now, draw, now)
    envelope = Envelope({key.id: raw}, key.id, index := draw(KEY_BYTES), draw)
    await store.begin(key, envelope.seal(index, MARK_KEY))
    return envelope


async def _opened(places: Wrappings, key: StoreKey) -> bytes:
    try:
        return await places.unwrap(key)
    except KeyLostError as error:
        raise KeyLostError(
            f"the database is sealed and cannot be opened: {error}; put that key back from a copy, as no new one is made in its place"
        ) from error
    except WrappingError as error:
        raise WrappingError(f"the database is sealed and cannot be opened: {error}") from error


async def _move(store: KeyStore, places: Wrappings, keys: tuple[StoreKey, ...], raw: Mapping[bytes, bytes]) -> None:
    """Has the configured place wrap what a former one did; all is open by now, so that a first key may be made there."""
    moved = [key for key in keys if not await places.now.has(key.wrapped.by)]
    if moved:
        await places.now.prepare()
        wrapped = [await places.now.wrap(raw[key.id], context(key.id)) for key in moved]
        await store.move(tuple(StoreKey(key.id, by, key.made_at) for key, by in zip(moved, wrapped, strict=True)))
