"""Key-encryption keys in a real OpenBao."""

import os
import time
from collections.abc import Iterator

import pytest

from doorward.credentials.envelope import Context
from doorward.credentials.local_keys import LocalKeys
from doorward.credentials.rotation import Rotation, Seams
from doorward.credentials.sources.bao import Bao, Place
from doorward.credentials.sources.logins import AppRoleLogin
from doorward.credentials.store_keys import Wrappings, open_envelope
from doorward.credentials.transit import Transit
from doorward.credentials.wrapping import Wrapped, WrappingError
from doorward.domain.receipts import Event
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Fetch
from doorward.stores.memory_store_keys import MemoryStoreKeys
from tests import openbao
from tests.made import Clock
from tests.sealing import Text

pytestmark = pytest.mark.anyio

ROW = Context("agent", ("claude",))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openbao.Bao]:
    with openbao.openbao(tmp_path_factory.mktemp("openbao")) as bao:
        bao.ask("POST", "sys/mounts/transit", {"type": "transit"})
        yield bao


def transit(server: openbao.Bao, key: str, *, create: bool = True) -> Transit:
    """A key of its own for each test."""
    if create:
        server.ask("POST", f"transit/keys/{key}", {"type": "aes256-gcm96"})
    role, secret = server.approle(name=key)
    login = AppRoleLogin("approle", role, secret, Secret)
    fetch = Fetch(Rule(Reach.PRIVATE, frozenset({"http"})))
    return Transit(Bao(Place(server.address), login, fetch, time.monotonic), "transit", key)


async def test_a_key_that_never_leaves_it_wraps_and_unwraps_in_its_context_alone(server: openbao.Bao) -> None:
    place = transit(server, "alone")
    wrapped = await place.wrap(b"k" * 32, b"here")
    assert (wrapped.by, wrapped.sealed[:9]) == ("openbao:transit/alone:v1", b"vault:v1:")
    assert await place.unwrap(wrapped, b"here") == b"k" * 32
    with pytest.raises(WrappingError, match="cannot be used"):
        await place.unwrap(wrapped, b"there")
    with pytest.raises(WrappingError, match="cannot be used"):
        await place.unwrap(Wrapped(wrapped.by, wrapped.sealed[:-4] + b"AAA="), b"here")
    with pytest.raises(WrappingError, match="transit/alone is configured"):
        await place.unwrap(Wrapped("openbao:transit/other:v1", wrapped.sealed), b"here")


async def test_a_key_that_is_not_there_is_told_of_and_not_made(server: openbao.Bao) -> None:
    place = transit(server, "mistyped", create=False)
    await place.prepare()
    with pytest.raises(WrappingError, match="transit/mistyped of OpenBao cannot be used"):
        await place.wrap(b"k" * 32, b"here")


async def test_a_store_is_rotated_to_a_new_version_and_the_old_one_is_not_needed_any_more(server: openbao.Bao) -> None:
    place, store = transit(server, "rotated"), MemoryStoreKeys()
    envelope = await open_envelope(store, Wrappings(place), os.urandom, 1.0)
    store.rows[ROW] = envelope.seal(b"ada", ROW)

    async def told(event: Event) -> None:
        raise AssertionError(event)

    rotation = Rotation(store, envelope, Wrappings(place), Seams(os.urandom, Clock(), told))
    assert await rotation.rotate() == "openbao:transit/rotated:v2"
    await rotation.finish()
    server.ask("POST", "transit/keys/rotated/config", {"min_decryption_version": 2})
    again = await open_envelope(store, Wrappings(place), os.urandom, 1.0)
    assert again.open(store.rows[ROW], ROW) == b"ada"
    # Its policy does not let it read the key's description: what the rows say is enough.
    assert [(one.id, one.rows, one.is_held) for one in await rotation.standing()] == [("openbao:transit/rotated:v2", 2, False)]


async def test_a_store_moves_from_a_file_into_it(server: openbao.Bao) -> None:
    place, store, text = transit(server, "moved"), MemoryStoreKeys(), Text()
    file = LocalKeys("file", text, os.urandom, Clock())
    envelope = await open_envelope(store, Wrappings(file), os.urandom, 1.0)
    store.rows[ROW] = envelope.seal(b"ada", ROW)
    await open_envelope(store, Wrappings(place, (file,)), os.urandom, 1.0)
    alone = await open_envelope(store, Wrappings(place), os.urandom, 1.0)
    assert alone.open(store.rows[ROW], ROW) == b"ada"
    assert [key.wrapped.by for key in await store.keys()] == ["openbao:transit/moved:v1"]


async def test_versions_are_told_with_their_age_to_who_may_read_them(server: openbao.Bao) -> None:
    role, secret = server.approle(name="described")
    place = transit(server, "described")
    with pytest.raises(WrappingError, match="denies"):
        await place.held()
    server.ask("PUT", "sys/policies/acl/reads", {"policy": 'path "transit/keys/*" { capabilities = ["read", "update"] }'})
    server.ask("POST", "auth/approle/role/described", {"token_policies": ["doorward", "reads"]})
    login = AppRoleLogin("approle", role, secret, Secret)
    place = Transit(
        Bao(Place(server.address), login, Fetch(Rule(Reach.PRIVATE, frozenset({"http"}))), time.monotonic), "transit", "described"
    )
    await place.rotate(frozenset())
    held = await place.held()
    assert [one.id for one in held] == ["openbao:transit/described:v1", "openbao:transit/described:v2"]
    assert all(one.made_at is not None and abs(one.made_at - time.time()) < 600 for one in held)
