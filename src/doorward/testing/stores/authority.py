"""What every `AuthorityStore` must do: what is used once is used once, and nothing acknowledged is lost."""

import asyncio

from msgspec.structs import replace

from doorward.identity.authority.families import DAY_SECONDS, AuthorityStore, Code, Family, Registered, Use
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000.0


def code(name: str, family: str = "f1", client: str = "c1", subject: str = "corp:ann") -> Code:
    """A code that is good for a minute."""
    redirect, challenge = "https://c1.example/cb", "x" * 43
    return Code(name, family, client, redirect, challenge, "", "https://gate.example/mcp", ("mcp",), subject, ("corp:sales",), NOW + 60)


def family(name: str, client: str = "c1", subject: str = "corp:ann", refresh: str = "r1") -> Family:
    """A family that is good for an hour."""
    return Family(
        id=name,
        client=client,
        subject=subject,
        groups=("corp:sales",),
        scopes=("mcp",),
        resource="https://gate.example/mcp",
        created_at=NOW,
        expires_at=NOW + 3600,
        refresh=refresh,
    )


def registered(name: str, at: float = NOW) -> Registered:
    """A client that has registered itself."""
    return Registered(name, "A client", ("http://127.0.0.1/cb",), at)


async def a_code_opens_one_family(opening: Opening[AuthorityStore]) -> None:
    """Its second use ends that family, also after a restart."""
    async with opening() as store:
        await store.keep(code("s1"))
        assert await store.redeem("s1", family("f1")) is Use.FIRST
        assert await store.family("f1") == family("f1")
    async with opening() as store:
        assert await store.code("s1") == code("s1")
        assert await store.redeem("s1", replace(family("f1"), created_at=NOW + 5, refresh="r9")) is Use.AGAIN
        assert await store.family("f1") == replace(family("f1"), ended_at=NOW + 5, ended_why="code_reused")
        assert await store.redeem("s1", replace(family("f1"), created_at=NOW + 6)) is Use.AGAIN
        assert await store.family("f1") == replace(family("f1"), ended_at=NOW + 5, ended_why="code_reused")


async def a_code_that_is_late_or_unknown_opens_nothing(opening: Opening[AuthorityStore]) -> None:
    """At its end it is over."""
    async with opening() as store:
        await store.keep(code("s1"))
        assert await store.redeem("s1", replace(family("f1"), created_at=NOW + 60)) is Use.NEVER
        assert await store.redeem("s2", family("f2")) is Use.NEVER
        assert (await store.code("s2"), await store.family("f1"), await store.family("f2")) == (None, None, None)


async def of_many_uses_at_once_one_is_the_first(opening: Opening[AuthorityStore]) -> None:
    """Of a code, of a refresh token, of a name."""
    async with opening() as store:
        await store.keep(code("s1"))
        await store.open(family("f2"))
        codes = await asyncio.gather(*(store.redeem("s1", family("f1")) for _ in range(64)))
        tokens = await asyncio.gather(*(store.rotate("f2", "r1", f"n{number}", NOW) for number in range(64)))
        names = await asyncio.gather(*(store.spend("j1", NOW + 60, NOW) for _ in range(64)))
    assert (codes.count(Use.FIRST), codes.count(Use.AGAIN)) == (1, 63)
    # The second look ended the family, so that later ones find none that stands.
    assert (tokens.count(Use.FIRST), tokens.count(Use.AGAIN), tokens.count(Use.NEVER)) == (1, 1, 62)
    assert sum(names) == 1


async def a_refresh_token_is_good_once(opening: Opening[AuthorityStore]) -> None:
    """An old one ends the family, and then none is good."""
    async with opening() as store:
        await store.open(family("f1"))
        assert await store.rotate("f1", "r1", "r2", NOW + 1) is Use.FIRST
    async with opening() as store:
        assert await store.family("f1") == replace(family("f1"), refresh="r2", refreshed=1)
        assert await store.rotate("f1", "r1", "r3", NOW + 2) is Use.AGAIN
        assert await store.rotate("f1", "r2", "r4", NOW + 3) is Use.NEVER
        assert await store.rotate("f9", "r2", "r4", NOW + 3) is Use.NEVER
        ended = replace(family("f1"), refresh="r2", refreshed=1, ended_at=NOW + 2, ended_why="refresh_reused")
        assert await store.family("f1") == ended
        assert await store.ended_since(NOW + 2) == (ended,)
        assert await store.ended_since(NOW + 2.5) == ()


async def a_family_that_is_over_is_not_refreshed(opening: Opening[AuthorityStore]) -> None:
    """And not ended either: it has ended."""
    async with opening() as store:
        await store.open(family("f1"))
        assert await store.rotate("f1", "r1", "r2", NOW + 3600) is Use.NEVER
        assert not await store.end("f1", "operator", NOW + 3600)


async def families_end_by_id_person_and_client(opening: Opening[AuthorityStore]) -> None:
    """Each that stood is told once; codes of the person or client are void."""
    async with opening() as store:
        await store.keep(code("s1", "f8"))
        await store.keep(code("s2", "f9", client="c2", subject="corp:bob"))
        await store.open(family("f1"))
        await store.open(family("f2"))
        await store.open(family("f3", client="c2", subject="corp:bob"))
        assert [await store.end("f1", "revoked", NOW + 1), await store.end("f1", "revoked", NOW + 1)] == [True, False]
        assert await store.end_subject("corp:ann", "operator", NOW + 2) == ("f2",)
        assert await store.end_client("c2", "operator", NOW + 2) == ("f3",)
    async with opening() as store:
        assert await store.end_client("c2", "operator", NOW + 3) == ()
        assert await store.redeem("s1", family("f8")) is Use.NEVER
        assert await store.redeem("s2", family("f9")) is Use.NEVER
        assert [one.id for one in await store.ended_since(NOW)] == ["f1", "f2", "f3"]


async def groups_are_those_of_the_newest_family_that_stands_and_has_any(opening: Opening[AuthorityStore]) -> None:
    """So those of the last sign-in, whatever a client's assertion leaves out."""
    async with opening() as store:
        for name, at, groups in (("f1", 0, ("a",)), ("f2", 2, ("b",)), ("f3", 4, ("c",)), ("f4", 6, ())):
            await store.open(replace(family(name), created_at=NOW + at, groups=groups))
        await store.end("f3", "revoked", NOW + 7)
        assert await store.groups("corp:ann", NOW + 8) == ("b",)
        assert await store.groups("corp:ann", NOW + 3600) == ()
        assert await store.groups("corp:bob", NOW + 8) == ()


async def a_name_is_new_once(opening: Opening[AuthorityStore]) -> None:
    """Until its time is over."""
    async with opening() as store:
        assert await store.spend("j1", NOW + 60, NOW)
    async with opening() as store:
        assert not await store.spend("j1", NOW + 90, NOW + 59)
        assert await store.spend("j2", NOW + 60, NOW)
        assert await store.spend("j1", NOW + 120, NOW + 60)
        assert not await store.spend("j1", NOW + 180, NOW + 61)


async def clients_are_kept_up_to_a_number(opening: Opening[AuthorityStore]) -> None:
    """One more is not."""
    async with opening() as store:
        assert [await store.add(registered(name), 2) for name in ("c1", "c2", "c3")] == [True, True, False]
    async with opening() as store:
        assert await store.registered("c2") == registered("c2")
        assert await store.registered("c3") is None


async def what_has_been_over_for_a_day_is_forgotten(opening: Opening[AuthorityStore]) -> None:
    """Clients that have a family stay, and so does what is not over."""
    later = NOW + DAY_SECONDS
    async with opening() as store:
        await store.add(registered("c1"), 9)
        await store.add(registered("idle"), 9)
        await store.add(registered("young", later), 9)
        await store.keep(code("s1"))
        await store.redeem("s1", replace(family("f1"), expires_at=later + 1))
        await store.open(replace(family("f2"), expires_at=NOW))
        await store.spend("j1", later, NOW)
        await store.sweep(later + 60)
    async with opening() as store:
        assert [await store.registered(name) for name in ("c1", "idle", "young")] == [registered("c1"), None, registered("young", later)]
        assert await store.code("s1") is None
        assert await store.family("f1") == replace(family("f1"), expires_at=later + 1)
        assert await store.family("f2") is None
        assert await store.spend("j1", later + 90, later + 60)


AUTHORITY: tuple[Check[AuthorityStore], ...] = (
    a_code_opens_one_family,
    a_code_that_is_late_or_unknown_opens_nothing,
    of_many_uses_at_once_one_is_the_first,
    a_refresh_token_is_good_once,
    a_family_that_is_over_is_not_refreshed,
    families_end_by_id_person_and_client,
    groups_are_those_of_the_newest_family_that_stands_and_has_any,
    a_name_is_new_once,
    clients_are_kept_up_to_a_number,
    what_has_been_over_for_a_day_is_forgotten,
)
