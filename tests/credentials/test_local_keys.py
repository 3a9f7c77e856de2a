"""Key-encryption keys that the gateway holds itself."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.credentials.keyring_place import KeyringPlace
from doorward.credentials.local_keys import FilePlace, LocalKeys
from doorward.credentials.wrapping import Held, Wrapped, WrappingError
from tests.made import Clock
from tests.sealing import Text

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000.0
OTHER = "ab" * 32


def keys(place: Text) -> LocalKeys:
    return LocalKeys("file", place, os.urandom, Clock(NOW))


def in_file(path: Path) -> LocalKeys:
    return LocalKeys("file", FilePlace(path), os.urandom, Clock(NOW))


async def test_a_first_key_is_made_in_a_file_that_its_owner_alone_can_read_and_never_a_second_one(tmp_path: Path) -> None:
    path = tmp_path / "encryption.key"
    await in_file(path).prepare()
    text = path.read_text()
    await in_file(path).prepare()
    assert (path.read_text(), path.stat().st_mode & 0o777) == (text, 0o600)
    (held,) = await in_file(path).held()
    assert (held.made_at, held.id.startswith("file:"), text.split()[0] in held.id) == (NOW, True, False)


async def test_what_one_key_has_wrapped_opens_with_it_and_in_its_context_alone() -> None:
    place = Text()
    await keys(place).prepare()
    wrapped = await keys(place).wrap(b"k" * 32, b"here")
    assert await keys(place).unwrap(wrapped, b"here") == b"k" * 32
    with pytest.raises(WrappingError, match="altered"):
        await keys(place).unwrap(wrapped, b"there")
    with pytest.raises(WrappingError, match="altered"):
        await keys(place).unwrap(Wrapped(wrapped.by, wrapped.sealed[:-1] + b"?"), b"here")
    with pytest.raises(WrappingError, match=f"the key-encryption key {wrapped.by} was expected in memory, file:[0-9a-f]+ is there"):
        await keys(Text(OTHER)).unwrap(wrapped, b"here")
    with pytest.raises(WrappingError, match="nothing is there"):
        await keys(Text()).unwrap(wrapped, b"here")


async def test_a_text_of_an_operator_is_a_key_and_one_that_is_none_is_refused_without_being_quoted() -> None:
    assert [held.made_at for held in await keys(Text(f"{OTHER}\n{'cd' * 32} 2026-11-21T00:00:00Z")).held()] == [None, 1795219200.0]
    for wrong in ("", "\n", "canary", f"{OTHER}\ncanary", f"{OTHER}ab", f"{OTHER}\n\n{OTHER}", "\n" * 300):
        with pytest.raises(WrappingError) as raised:
            await keys(Text(wrong)).held()
        assert "canary" not in str(raised.value)
        assert OTHER not in str(raised.value)


async def test_keys_are_retired_when_nothing_needs_them_but_for_the_newest() -> None:
    place = Text(f"{OTHER}\n{'cd' * 32}\n{'ef' * 32}\n")
    first, second, third = [held.id for held in await keys(place).held()]
    assert await keys(place).retire(frozenset({first})) == (second,)
    assert [held.id for held in await keys(place).held()] == [first, third]
    assert await keys(place).retire(frozenset({first})) == ()
    assert await keys(place).retire(frozenset()) == (first,)


async def test_a_file_that_others_can_read_or_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "encryption.key"
    path.write_text(OTHER)
    path.chmod(0o640)
    with pytest.raises(WrappingError, match="0600"):
        await in_file(path).held()
    path.chmod(0o600)
    path.write_bytes(b"\xff" * 70)
    with pytest.raises(WrappingError, match="cannot be read"):
        await in_file(path).held()
    path.write_text("ab" * 64 * 1024)
    with pytest.raises(WrappingError, match="131072 bytes"):
        await in_file(path).held()
    with pytest.raises(WrappingError, match="cannot be read"):
        await in_file(tmp_path).held()
    with pytest.raises(WrappingError, match="cannot be written"):
        await in_file(tmp_path / "gone" / "encryption.key").prepare()


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary(max_size=30))
async def test_any_key_wraps_any_key(outer: bytes, inner: bytes, context: bytes) -> None:
    place = Text(outer.hex())
    assert await keys(place).unwrap(await keys(place).wrap(inner, context), context) == inner


class Keyring:
    """As much of a keyring as is used."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.most = 10_000
        self.locked = threading.Event()
        self.locked.set()

    def get(self, service: str, name: str) -> str | None:
        self.locked.wait()
        return self.entries.get((service, name))

    def set(self, service: str, name: str, text: str) -> None:
        if service == "refused":
            raise RuntimeError("canary of a backend")
        self.entries[service, name] = text[: self.most]


def in_keyring(ring: Keyring, service: str = "doorward") -> LocalKeys:
    return LocalKeys("keyring", KeyringPlace((service, "encryption"), ring.get, ring.set, 0.05), os.urandom, Clock(NOW))


async def test_the_keyring_of_the_system_keeps_keys_as_a_file_does() -> None:
    ring = Keyring()
    assert await in_keyring(ring).held() == ()
    await in_keyring(ring).prepare()
    wrapped = await in_keyring(ring).wrap(b"k" * 32, b"here")
    await in_keyring(ring).rotate(frozenset({wrapped.by}))
    assert (await in_keyring(ring).held())[0] == Held(wrapped.by, NOW)
    assert await in_keyring(ring).unwrap(wrapped, b"here") == b"k" * 32
    assert list(ring.entries) == [("doorward", "encryption")]


async def test_a_keyring_that_is_locked_refuses_or_cuts_is_told_apart_from_an_empty_one() -> None:
    ring = Keyring()
    with pytest.raises(WrappingError, match=r"cannot be used: RuntimeError$"):
        await in_keyring(ring, "refused").prepare()
    ring.most = 10
    with pytest.raises(WrappingError, match="does not keep what it was given"):
        await in_keyring(ring).prepare()
    ring.locked.clear()
    with pytest.raises(WrappingError, match="locked"):
        await in_keyring(ring).held()
    ring.locked.set()
