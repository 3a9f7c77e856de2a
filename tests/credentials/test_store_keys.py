"""The keys of a store, opened at a start: lost, mistaken, moved."""

import os

import pytest

from doorward.credentials.envelope import Context, Envelope
from doorward.credentials.local_keys import LocalKeys
from doorward.credentials.store_keys import MARK_KEY, Wrappings, open_envelope
from doorward.credentials.wrapping import WrappingError
from doorward.stores.memory_store_keys import MemoryStoreKeys
from tests.made import Clock
from tests.sealing import Text

pytestmark = pytest.mark.anyio

ROW = Context("agent", ("claude",))
OTHER = "ab" * 32


def place(text: Text, kind: str = "file") -> LocalKeys:
    return LocalKeys(kind, text, os.urandom, Clock())


async def opened(store: MemoryStoreKeys, now: LocalKeys, *former: LocalKeys) -> Envelope:
    return await open_envelope(store, Wrappings(now, former), os.urandom, 1.0)


async def begun(text: Text) -> MemoryStoreKeys:
    store = MemoryStoreKeys()
    envelope = await opened(store, place(text))
    store.rows[ROW] = envelope.seal(b"ada", ROW)
    return store


async def test_a_store_opens_again_with_the_key_that_it_was_begun_with() -> None:
    text = Text()
    store = await begun(text)
    first, again = await opened(store, place(text)), await opened(store, place(text))
    assert again.open(store.rows[ROW], ROW) == b"ada"
    assert (first.mark("p", "ann"), first.hide("p", "ann")) == (again.mark("p", "ann"), again.hide("p", "ann"))


async def test_a_key_of_an_operator_is_taken_for_a_new_store() -> None:
    text = Text(OTHER + "\n")
    await begun(text)
    assert text.text == OTHER + "\n"


@pytest.mark.parametrize("there", [None, OTHER], ids=["lost", "another"])
async def test_where_the_key_is_lost_or_another_nothing_opens_and_none_is_made(there: str | None) -> None:
    text = Text()
    store = await begun(text)
    text.text = there
    with pytest.raises(WrappingError, match=r"is sealed and cannot be opened.*put that key back from a copy, as no new one is made"):
        await opened(store, place(text))
    assert text.text == there


async def test_an_empty_place_of_another_kind_does_not_take_over_what_it_cannot_open() -> None:
    text, elsewhere = Text(), Text()
    store = await begun(text)
    with pytest.raises(WrappingError, match="no place of that kind is configured"):
        await opened(store, place(elsewhere, "keyring"))
    assert elsewhere.text is None


@pytest.mark.parametrize("gone", ["store keys", "key of marks"])
async def test_sealed_rows_without_the_keys_of_the_store_are_not_begun_anew(gone: str) -> None:
    text = Text()
    store = await begun(text)
    if gone == "store keys":
        left = MemoryStoreKeys()
        left.rows = store.rows
        store = left
    else:
        del store.rows[MARK_KEY]
    with pytest.raises(WrappingError, match="put a whole copy back"):
        await opened(store, place(text))


@pytest.mark.parametrize("kind", ["file", "keyring"])
async def test_a_new_place_takes_over_from_a_former_one_which_is_not_needed_afterwards(kind: str) -> None:
    text, elsewhere = Text(), Text()
    store = await begun(text)
    moved = await opened(store, place(elsewhere, kind), place(text))
    assert moved.open(store.rows[ROW], ROW) == b"ada"
    alone = await opened(store, place(elsewhere, kind))
    assert alone.open(store.rows[ROW], ROW) == b"ada"
    (key,) = await store.keys()
    assert key.wrapped.by == (await place(elsewhere, kind).held())[0].id


async def test_a_store_key_of_another_store_does_not_open() -> None:
    text = Text()
    store, other = await begun(text), await begun(text)
    (mine,), (theirs,) = await store.keys(), await other.keys()
    swapped = MemoryStoreKeys()
    swapped.rows = store.rows
    await swapped.add(type(mine)(mine.id, theirs.wrapped, 1.0))
    with pytest.raises(WrappingError, match="altered"):
        await opened(swapped, place(text))
