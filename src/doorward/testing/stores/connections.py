"""What every `ConnectionStore` must do."""

from dataclasses import replace

from doorward.credentials.connections.store import ConnectionStore, Kept, Registered
from doorward.testing.stores.rooms import Check, Opening


def kept(name: str = "c1", holder: str = "user:corp:alice", agent: str = "*", access: str = "at-1") -> Kept:
    """A connection with its tokens."""
    return Kept(
        id=name,
        holder=holder,
        upstream="crm",
        agent=agent,
        account="alice@example.com",
        issuer="https://as.example.com",
        client_id="doorward",
        audience="https://crm.example.com",
        resource="https://crm.example.com/mcp",
        scopes=("read", "write"),
        asked=("read", "write", "offline_access"),
        access=access,
        refresh="rt-é" if access == "at-1" else "",
        obtained_at=1.5,
        lifetime_seconds=3600.0,
        broken="",
        created_at=1.5,
        refreshed_at=None,
    )


def registered(client_id: str = "dyn-1", issuer: str = "https://as.example.com", secret: str = "s3cret") -> Registered:
    """Us, at an authorization server."""
    return Registered(issuer, ("https://mcp.example.com/connect/callback",), client_id, secret, "client_secret_basic", None)


async def connections_are_kept_whole(opening: Opening[ConnectionStore]) -> None:
    """With the time of their last use, which is written by itself."""
    async with opening() as store:
        assert await store.load() == ()
        await store.put(kept())
        await store.put(kept("c2", holder="user:corp:bob"))
        await store.touch({"c2": 7.5, "nobody": 9.0})
    async with opening() as store:
        assert set(await store.load()) == {(kept(), None), (kept("c2", holder="user:corp:bob"), 7.5)}


async def a_place_holds_one_connection(opening: Opening[ConnectionStore]) -> None:
    """A new one takes the place of the one before; those of other holders and agents stay."""
    others = (kept("c2", holder="user:corp:bob"), kept("c3", agent="claude"), kept("c4", holder="user:corp:alice:b"))
    async with opening() as store:
        for one in (kept(), *others, kept("c5")):
            await store.put(one)
    async with opening() as store:
        assert {found for found, _ in await store.load()} == {kept("c5"), *others}


async def only_what_is_there_is_written_anew(opening: Opening[ConnectionStore]) -> None:
    """A refresh that ends after a revocation brings nothing back."""
    async with opening() as store:
        await store.put(kept())
        await store.touch({"c1": 2.5})
        assert await store.update(kept(access="at-2")) is True
        assert await store.drop("c1") is True
        assert await store.drop("c1") is False
        assert await store.update(kept(access="at-3")) is False
        await store.put(kept("c2"))
        assert await store.update(replace(kept("c2"), broken="it has ended", access="", refresh="")) is True
    async with opening() as store:
        assert await store.load() == ((replace(kept("c2"), broken="it has ended", access="", refresh=""), None),)


async def registrations_are_kept_by_issuer_the_latest_first(opening: Opening[ConnectionStore]) -> None:
    """The same client id again takes the place of the one before."""
    elsewhere = registered(issuer="https://as.example.com/")
    async with opening() as store:
        assert await store.registered("https://as.example.com") == ()
        for one in (registered(), elsewhere, registered("dyn-2"), registered(secret="other")):
            await store.register(one)
    async with opening() as store:
        assert await store.registered("https://as.example.com") == (registered(secret="other"), registered("dyn-2"))
        await store.unregister("https://as.example.com", "dyn-1")
        assert await store.registered("https://as.example.com") == (registered("dyn-2"),)
        assert await store.registered("https://as.example.com/") == (elsewhere,)


CONNECTIONS: tuple[Check[ConnectionStore], ...] = (
    connections_are_kept_whole,
    a_place_holds_one_connection,
    only_what_is_there_is_written_anew,
    registrations_are_kept_by_issuer_the_latest_first,
)
