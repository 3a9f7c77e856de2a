"""What every `PolicySets` must do: what was in force is there with its texts, as long as somebody may ask for it."""

from msgspec.structs import replace

from doorward.domain.ids import Digest, Generation
from doorward.policy.history import KEPT, Entry, Kept, PolicySets, Why
from doorward.policy.rules import Source
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000.0
SHARED = Source("/p/shared.cedar", "// the same in all")


def kept(name: str, at: float = NOW, *, why: Why = Why.RELOAD, instead_of: str = "") -> Kept:
    """A set of two files, one of which every set has."""
    files = (SHARED, Source("/p/own.cedar", f"// {name} é", "finance"))
    entry = Entry(0, Digest(name * 16), at, "ada", why, Generation(7), 3, len(files), "as said", Digest(instead_of))
    return Kept(entry, files)


async def sets_are_kept_whole_and_listed_the_latest_first(opening: Opening[PolicySets]) -> None:
    """With their numbers, a page at a time."""
    one, two = kept("abcd"), kept("abff", NOW + 1, why=Why.ROLLBACK, instead_of="f" * 64)
    async with opening() as store:
        assert (store.last(), await store.entries(None, 9)) == (None, ())
        first = await store.keep(one, 0)
        second = await store.keep(two, 0)
        third = await store.keep(one, 0)
        assert store.last() == replace(one, entry=third)
        assert first.number < second.number < third.number
    async with opening() as store:
        assert store.last() == replace(one, entry=third)
        assert await store.entries(None, 9) == (third, second, first)
        assert await store.entries(third.number, 1) == (second,)
        assert second == replace(two.entry, number=second.number)
        assert [await store.sources(Digest(name * 16)) for name in ("abcd", "abff", "none")] == [one.sources, two.sources, None]


async def sets_are_found_by_how_their_digest_begins(opening: Opening[PolicySets]) -> None:
    """Two at most, each once."""
    async with opening() as store:
        for name in ("abcd", "abff", "abcd", "ab00", "cccc"):
            await store.keep(kept(name), 0)
        assert await store.named("abc") == (Digest("abcd" * 16),)
        assert len(await store.named("ab")) == 2
        assert await store.named("d") == ()


async def an_entry_taken_back_is_gone_with_its_texts(opening: Opening[PolicySets]) -> None:
    """And the one before is the newest again."""
    async with opening() as store:
        first = await store.keep(kept("abcd"), 0)
        second = await store.keep(kept("abff"), 0)
        await store.drop(second.number)
        assert store.last() == replace(kept("abcd"), entry=first)
        assert await store.sources(Digest("abff" * 16)) is None
        assert (await store.keep(kept("cccc"), 0)).number > second.number
    async with opening() as store:
        assert await store.sources(first.digest) == kept("abcd").sources


async def a_set_without_files_is_one_too(opening: Opening[PolicySets]) -> None:
    """Nothing was permitted then."""
    async with opening() as store:
        bare = Kept(kept("abcd").entry, ())
        entry = await store.keep(bare, 0)
    async with opening() as store:
        assert (store.last(), await store.sources(entry.digest)) == (replace(bare, entry=entry), ())


async def of_many_those_are_forgotten_that_had_ended(opening: Opening[PolicySets]) -> None:
    """The one that was still in force at the moment stays, and so do the last ones however old they are."""
    async with opening() as store:
        for number in range(KEPT + 5):
            await store.keep(kept(f"{number:04d}", NOW + number), 0)
        assert len(await store.entries(None, KEPT + 9)) == KEPT + 5
        await store.keep(kept("last", NOW + 2000), NOW + 2.5)
        assert [entry.digest[:4] for entry in (await store.entries(None, KEPT + 9))[-2:]] == ["0003", "0002"]
        await store.keep(kept("more", NOW + 2001), NOW + 5000)
        assert len(await store.entries(None, KEPT + 9)) == KEPT
        assert await store.sources(Digest("0003" * 16)) is None
    async with opening() as store:
        assert await store.sources(Digest("0900" * 16)) == kept("0900").sources


POLICY_SETS: tuple[Check[PolicySets], ...] = (
    sets_are_kept_whole_and_listed_the_latest_first,
    sets_are_found_by_how_their_digest_begins,
    an_entry_taken_back_is_gone_with_its_texts,
    a_set_without_files_is_one_too,
    of_many_those_are_forgotten_that_had_ended,
)
