"""What every `KeyStore` must do."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from doorward.credentials.envelope import Context, Envelope
from doorward.credentials.store_keys import MARK_KEY, KeyStore, StoreKey
from doorward.credentials.wrapping import Wrapped
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000.0


@dataclass(frozen=True, slots=True)
class Rows:
    """A store of keys, and a table `waiver` beside it."""

    store: KeyStore
    put: Callable[[str, bytes], Awaitable[None]]
    """Writes the sealed record of an id."""
    get: Callable[[str], Awaitable[bytes]]


def key(name: str, by: str = "file:one") -> StoreKey:
    """A store key of eight bytes."""
    return StoreKey(name.encode().ljust(8, b"_"), Wrapped(by, b"wrapped " + name.encode()), NOW)


def envelope(*names: str) -> Envelope:
    """One that has the keys of these names, and seals with the last."""
    keys = {key(name).id: name.encode().ljust(32, b".") for name in names}
    return Envelope(keys, key(names[-1]).id, b"", os.urandom)


def place(row: str) -> Context:
    """Where a row of the table belongs."""
    return Context("waiver", (row,))


async def begun(rows: Rows) -> None:
    """A store with its first keys."""
    await rows.store.begin(key("a"), envelope("a").seal(b"marks", MARK_KEY))


async def keys_are_kept_in_the_order_in_which_they_came(opening: Opening[Rows]) -> None:
    """And with them the key of marks, from the beginning."""
    async with opening() as rows:
        assert (await rows.store.keys(), await rows.store.mark_key()) == ((), None)
        await begun(rows)
        await rows.store.add(key("c"))
        await rows.store.add(key("b"))
    async with opening() as rows:
        assert await rows.store.keys() == (key("a"), key("c"), key("b"))
        sealed = await rows.store.mark_key()
        assert sealed is not None
        assert envelope("a").open(sealed, MARK_KEY) == b"marks"


async def wrappings_are_replaced_and_nothing_else(opening: Opening[Rows]) -> None:
    """Of the keys that are named."""
    async with opening() as rows:
        await begun(rows)
        await rows.store.add(key("b"))
        await rows.store.move((key("a", "file:two"),))
    async with opening() as rows:
        assert await rows.store.keys() == (key("a", "file:two"), key("b"))


async def every_row_is_wrapped_anew_and_what_nothing_needs_is_dropped(opening: Opening[Rows]) -> None:
    """However many rows there are; contents stay, and so do keys that are needed."""
    old, both = envelope("a"), envelope("a", "b")
    async with opening() as rows:
        await begun(rows)
        for number in range(250):
            await rows.put(f"w{number:03}", old.seal(b"%d" % number, place(f"w{number:03}")))
        await rows.store.add(key("b"))
        assert await rows.store.needs() == {key("a").id: 251}
        assert await rows.store.forget() == ()
        assert await rows.store.rewrap(both) == 0
        assert await rows.store.needs() == {key("b").id: 251}
        assert await rows.store.forget() == (key("a"),)
    async with opening() as rows:
        assert await rows.store.keys() == (key("b"),)
        assert envelope("b").open(await rows.get("w249"), place("w249")) == b"249"
        assert await rows.store.forget() == ()


async def a_row_that_does_not_open_stays_and_keeps_its_key(opening: Opening[Rows]) -> None:
    """The others go on."""
    old, both = envelope("a"), envelope("a", "b")
    async with opening() as rows:
        await begun(rows)
        moved = old.seal(b"moved", place("elsewhere"))
        await rows.put("w1", moved)
        await rows.put("w2", old.seal(b"fine", place("w2")))
        await rows.store.add(key("b"))
        assert await rows.store.rewrap(both) == 1
        assert (await rows.get("w1"), both.open(await rows.get("w2"), place("w2"))) == (moved, b"fine")
        assert await rows.store.needs() == {key("a").id: 1, key("b").id: 2}
        assert await rows.store.forget() == ()


STORE_KEYS: tuple[Check[Rows], ...] = (
    keys_are_kept_in_the_order_in_which_they_came,
    wrappings_are_replaced_and_nothing_else,
    every_row_is_wrapped_anew_and_what_nothing_needs_is_dropped,
    a_row_that_does_not_open_stays_and_keeps_its_key,
)
