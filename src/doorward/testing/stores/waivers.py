"""What every `WaiverStore` must do."""

from dataclasses import replace

from doorward.approval.waivers import Lasting, WaiverStore
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.testing.stores.rooms import Check, Opening

NOW = 1_700_000_000.0


def exception(name: str, agent: str = "claude", seconds: float = 3600.0) -> Waiver:
    """An exception that lifts two forbids."""
    return Waiver(
        id=WaiverId(name),
        kind=WaiverKind.EXCEPTION,
        agent=AgentId(agent),
        action="git/commit",
        lifts={PolicyId("no-writes"): Digest("ab" * 32), PolicyId("no-nights"): Digest("cd" * 32)},
        reason="Répare.",
        by="corp:ada",
        begins=NOW,
        ends=NOW + seconds,
    )


def glass(name: str, agent: str = "claude", action: str = "", seconds: float = 900.0) -> Waiver:
    """A broken glass."""
    return Waiver(WaiverId(name), WaiverKind.BREAK_GLASS, AgentId(agent), action, {}, "everything is down", "ada", NOW, NOW + seconds)


async def waivers_are_kept_whole_and_replaced_by_id(opening: Opening[WaiverStore]) -> None:
    """With what they have left."""
    async with opening() as store:
        assert await store.load() == ()
        for one in (Lasting(exception("a"), 3600.0), Lasting(glass("b"), 900.5), Lasting(exception("a", seconds=60.0), 59.25)):
            await store.put(one)
    async with opening() as store:
        assert _by_id(await store.load()) == [Lasting(exception("a", seconds=60.0), 59.25), Lasting(glass("b"), 900.5)]


async def what_is_left_is_noted(opening: Opening[WaiverStore]) -> None:
    """Of those that are there; nothing at all is no error."""
    async with opening() as store:
        await store.put(Lasting(exception("a"), 3600.0))
        await store.put(Lasting(glass("b"), 900.0))
        await store.note({WaiverId("b"): 12.5, WaiverId("nobody"): 1.0})
        await store.note({})
    async with opening() as store:
        assert _by_id(await store.load()) == [Lasting(exception("a"), 3600.0), Lasting(glass("b"), 12.5)]


async def dropped_waivers_are_gone(opening: Opening[WaiverStore]) -> None:
    """For good; unknown ones and none at all are no error."""
    async with opening() as store:
        for name in ("a", "b", "c"):
            await store.put(Lasting(glass(name), 900.0))
        await store.drop((WaiverId("a"), WaiverId("nobody"), WaiverId("c")))
        await store.drop(())
        await store.note({WaiverId("a"): 5.0})
    async with opening() as store:
        assert await store.load() == (Lasting(glass("b"), 900.0),)


async def names_that_waivers_know_need_not_be_known(opening: Opening[WaiverStore]) -> None:
    """Agents and policies come and go; any text comes back as it was."""
    odd = replace(exception("x", agent="gone"), action="git/prompt/é", lifts={PolicyId("a/b.c-d_e"): Digest("")}, reason="1\n2")
    async with opening() as store:
        await store.put(Lasting(odd, 1.0))
    async with opening() as store:
        assert await store.load() == (Lasting(odd, 1.0),)


WAIVERS: tuple[Check[WaiverStore], ...] = (
    waivers_are_kept_whole_and_replaced_by_id,
    what_is_left_is_noted,
    dropped_waivers_are_gone,
    names_that_waivers_know_need_not_be_known,
)


def _by_id(kept: tuple[Lasting, ...]) -> list[Lasting]:
    return sorted(kept, key=lambda lasting: lasting.waiver.id)
