"""What is waived right now: written before it holds, over before it is written, and over for good."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.waivers import MOST, MOST_OF_AGENT, NOTE_EVERY_SECONDS, Kept, Lasting, WaiverError, ended, expired, granted
from doorward.domain.actors import Actor, Agent, AuthnMethod, Principal, Subject
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import AgentId, SubjectId, TeamId, WaiverId
from doorward.domain.receipts import Event, Scalar
from doorward.domain.waivers import Waiver, nothing_waived
from doorward.stores.memory_waivers import MemoryWaivers
from doorward.testing.stores.waivers import NOW, exception, glass
from tests import made
from tests.made import Clock

pytestmark = pytest.mark.anyio

CLAUDE = AgentId("claude")


class Failing(MemoryWaivers):
    """A store that can be broken; `on_put` sees what stands while something is written."""

    broken = False

    def __init__(self) -> None:
        super().__init__()
        self.on_put: Callable[[], None] = lambda: None

    async def put(self, lasting: Lasting) -> None:
        self._answer()
        await super().put(lasting)
        self.on_put()

    async def drop(self, waivers: object) -> None:
        self._answer()
        await super().drop(waivers)  # type: ignore[arg-type]

    def _answer(self) -> None:
        if self.broken:
            raise StoreError("the disk is full")


class Bench:
    """A mirror, its store, and its two clocks."""

    def __init__(self) -> None:
        self.store = Failing()
        self.wall, self.steady = Clock(NOW), Clock(50.0)
        self.told: list[Event] = []
        self.kept = self.again()

    def again(self) -> Kept:
        """The mirror of the next process; `load` is yet to come."""
        self.kept = Kept(self.store, self.wall, self.steady)
        return self.kept

    def wait(self, seconds: float) -> None:
        self.wall.at += seconds
        self.steady.at += seconds

    async def tell(self, event: Event) -> None:
        self.told.append(event)

    async def tell_nobody(self, event: Event) -> None:
        raise UnrecordedError("no space")

    async def stored(self) -> list[str]:
        return sorted(lasting.waiver.id for lasting in await self.store.load())


async def test_what_is_granted_holds_for_its_agent_alone_until_its_end() -> None:
    it = Bench()
    await it.kept.grant(exception("a"))
    await it.kept.grant(glass("b"))
    assert (it.kept.of(CLAUDE), it.kept.of(AgentId("other"))) == ((exception("a"), glass("b")), ())
    it.wait(900)
    assert it.kept.of(CLAUDE) == (exception("a"),)
    it.wait(2700)
    assert (it.kept.of(CLAUDE), it.kept.all()) == ((), ())


async def test_nothing_holds_before_it_is_durable() -> None:
    it = Bench()
    seen: list[object] = []
    it.store.on_put = lambda: seen.append(it.kept.of(CLAUDE))
    await it.kept.grant(glass("a"))
    assert (seen, it.kept.of(CLAUDE)) == ([()], (glass("a"),))


async def test_what_could_not_be_written_does_not_hold_nor_does_it_come_back() -> None:
    it = Bench()
    it.store.broken = True
    with pytest.raises(StoreError):
        await it.kept.grant(glass("a"))
    assert it.kept.all() == ()
    it.store.broken = False
    # The write got through, though the store said that it had not.
    await it.store.put(Lasting(glass("a"), 900.0))
    await it.kept.sweep(it.tell)
    assert (await it.stored(), it.told) == ([], [])


async def test_an_end_holds_at_once_though_it_cannot_be_written_and_is_written_later() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    it.store.broken = True
    with pytest.raises(StoreError):
        await it.kept.end(WaiverId("a"), "bob")
    assert (it.kept.all(), await it.stored()) == ((), ["a"])
    with pytest.raises(StoreError):
        await it.kept.sweep(it.tell)
    it.store.broken = False
    assert (await it.kept.sweep(it.tell), await it.stored(), it.told) == ((), [], [])
    with pytest.raises(WaiverError):
        await it.kept.end(WaiverId("a"), "bob")


async def test_a_restart_keeps_what_runs_and_tells_of_what_has_ended_meanwhile() -> None:
    it = Bench()
    await it.kept.grant(exception("long"))
    await it.kept.grant(glass("short"))
    it.wait(1000)
    again = it.again()
    assert again.all() == ()
    await again.load()
    assert again.all() == (exception("long"),)
    assert await again.sweep(it.tell) == (glass("short"),)
    assert (it.told, await it.stored()) == ([expired(glass("short"))], ["long"])


async def test_an_end_by_itself_is_told_once_and_again_only_if_it_was_not_told() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    await it.kept.grant(glass("b", "other"))
    assert await it.kept.sweep(it.tell) == ()
    it.wait(901)
    with pytest.raises(UnrecordedError):
        await it.kept.sweep(it.tell_nobody)
    assert (it.kept.all(), await it.stored()) == ((), ["a", "b"])
    assert {one.id for one in await it.kept.sweep(it.tell)} == {"a", "b"}
    assert (await it.kept.sweep(it.tell), len(it.told), await it.stored()) == ((), 2, [])


async def test_what_was_ended_is_forgotten_though_the_log_is_away() -> None:
    it = Bench()
    for waiver in (glass("a"), exception("b")):
        await it.kept.grant(waiver)
    it.store.broken = True
    with pytest.raises(StoreError):
        await it.kept.end(WaiverId("b"), "bob")
    it.store.broken = False
    it.wait(901)
    with pytest.raises(UnrecordedError):
        await it.kept.sweep(it.tell_nobody)
    assert await it.stored() == ["a"]


async def test_a_clock_that_goes_back_prolongs_nothing() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    it.wait(600)
    it.wall.at -= 86_400
    assert it.kept.all() == (glass("a"),)
    it.wait(301)
    assert it.kept.all() == ()


async def test_a_clock_that_goes_forward_and_back_revives_nothing() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    it.wall.at += 1000
    assert it.kept.of(CLAUDE) == ()
    it.wall.at -= 1000
    assert it.kept.of(CLAUDE) == ()
    assert await it.kept.sweep(it.tell) == (glass("a"),)


async def test_a_clock_that_is_set_back_between_two_processes_gives_back_no_more_than_a_minute() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    it.wait(840)
    await it.kept.sweep(it.tell)
    it.wait(NOTE_EVERY_SECONDS - 1)
    it.wall.at -= 86_400
    await it.again().load()
    assert it.kept.all() == (glass("a"),)
    it.wait(60)
    assert it.kept.all() == ()


async def test_a_machine_that_slept_past_the_end_wakes_up_with_nothing_waived() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    it.wall.at += 901
    assert it.kept.of(CLAUDE) == ()


@given(st.lists(st.tuples(st.floats(-2000, 2000), st.floats(0, 200)), max_size=12))
async def test_no_clock_lets_a_glass_be_broken_for_longer_than_it_was_granted(steps: list[tuple[float, float]]) -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    begun, was_over = it.steady.at, False
    for jump, passed in steps:
        it.wait(passed)
        it.wall.at += jump
        holds = bool(it.kept.of(CLAUDE))
        assert not holds or (it.steady.at - begun < 900 and it.wall.at < NOW + 900 and not was_over)
        was_over = was_over or not holds


async def test_there_are_never_too_many() -> None:
    it = Bench()
    for number in range(MOST):
        await it.kept.grant(exception(f"e{number}", agent=f"agent-{number // MOST_OF_AGENT}"))
    assert len(it.kept.all()) == MOST
    for more in (exception("more", agent="new"), exception("more", agent="agent-0")):
        with pytest.raises(WaiverError):
            await it.kept.grant(more)
    it.wait(3600)
    await it.kept.grant(replace(exception("more", agent="agent-0"), begins=it.wall.at, ends=it.wall.at + 60))
    assert [one.id for one in it.kept.all()] == ["more"]


async def test_one_agent_has_only_so_many() -> None:
    it = Bench()
    for number in range(MOST_OF_AGENT):
        await it.kept.grant(glass(f"g{number}"))
    with pytest.raises(WaiverError):
        await it.kept.grant(exception("more"))
    await it.kept.grant(exception("more", agent="other"))


@pytest.mark.parametrize(
    "waiver",
    [
        replace(exception("a"), ends=NOW),
        replace(exception("a"), ends=float("inf")),
        replace(exception("a"), ends=float("nan")),
        replace(exception("a"), ends=NOW + 90 * 86_400 + 1),
        replace(exception("a"), begins=NOW - 86_400, ends=NOW + 90 * 86_400 - 1),
        replace(exception("a"), action=""),
        replace(glass("a"), ends=NOW + 4 * 3600 + 1),
    ],
    ids=["over", "endless", "no number", "too long", "too long from its begin", "of everything", "a glass for too long"],
)
async def test_what_has_no_near_end_or_no_bounds_is_not_granted(waiver: Waiver) -> None:
    it = Bench()
    with pytest.raises(WaiverError):
        await it.kept.grant(waiver)
    assert (it.kept.all(), await it.stored()) == ((), [])


async def test_followers_hear_what_begins_and_ends_and_channels_of_broken_glasses_alone() -> None:
    it = Bench()
    heard: list[tuple[str, str]] = []
    broken: list[Waiver] = []
    it.kept.follow(lambda event, waiver: heard.append((event.type, waiver.id)))
    it.kept.on_break(broken.append)
    await it.kept.grant(exception("a"))
    await it.kept.grant(glass("b"))
    await it.kept.grant(glass("c"))
    await it.kept.end(WaiverId("a"), "bob")
    await it.kept.end(WaiverId("b"), "bob")
    it.wait(901)
    await it.kept.sweep(it.tell)
    names = [("exception_granted", "a"), ("glass_broken", "b"), ("glass_broken", "c")]
    assert heard == [*names, ("exception_ended", "a"), ("glass_restored", "b"), ("glass_expired", "c")]
    assert broken == [glass("b"), glass("c")]


async def test_a_broken_glass_is_told_to_everybody_who_looks() -> None:
    it = Bench()
    await it.kept.grant(exception("a"))
    assert (it.kept.loud(), it.kept.broken()) == ((), 0)
    await it.kept.grant(glass("b"))
    whole = "the glass is broken: no policy holds 'claude' back from every action until 2023-11-14 22:28:20 UTC"
    assert it.kept.loud() == (f"{whole}; ada broke it: everything is down",)
    assert it.kept.broken() == 1


def test_leaves_say_who_what_why_and_until_when() -> None:
    lifts: dict[str, Scalar] = {"lifts/no-nights": "cd" * 32, "lifts/no-writes": "ab" * 32}
    said: dict[str, Scalar] = {
        "waiver": "a",
        "agent": "claude",
        "action": "git/commit",
        "reason": "Répare.",
        **lifts,
        "ends": int(NOW + 3600),
    }
    assert granted(exception("a")) == Event("exception_granted", "corp:ada", said)
    named: dict[str, Scalar] = {"waiver": "b", "agent": "claude", "action": "git"}
    assert granted(glass("b", action="git"), own=True) == Event(
        "glass_broken", "ada", {**named, "reason": "everything is down", "ends": int(NOW + 900), "own": True}
    )
    assert ended(glass("b", action="git"), "bob") == Event("glass_restored", "bob", named)
    assert expired(replace(exception("b"), action="git")) == Event("exception_expired", "doorward", named)


async def test_an_unknown_waiver_cannot_be_ended() -> None:
    it = Bench()
    assert it.kept.find(WaiverId("a")) is None
    with pytest.raises(WaiverError):
        await it.kept.end(WaiverId("a"), "bob")


def acting(
    subject: str | None = None, owner: str = "bob", handed_on_by: str | None = None, method: AuthnMethod = AuthnMethod.ACCESS_TOKEN
) -> Principal:
    """The agent `claude`, for somebody, perhaps in a chain with an agent of somebody else."""
    chain = () if handed_on_by is None else (Actor("planner", "self", Agent(AgentId("planner"), handed_on_by, TeamId("t"), "client")),)
    whom = None if subject is None else Subject(SubjectId(subject), frozenset())
    return replace(made.principal(owner=owner, method=method), subject=whom, actors=chain)


@pytest.mark.parametrize("method", AuthnMethod)
@pytest.mark.parametrize("own", ["subject", "owner", "handed_on_by"])
@pytest.mark.parametrize("name", ["corp:ada", "ada", "ADA@example.com", "other:ada", "corp:ada.l", "Ada Lovelace"])
async def test_nobody_lifts_a_rule_for_themselves_however_they_are_known(name: str, own: str, method: AuthnMethod) -> None:
    it = Bench()
    await it.kept.grant(replace(exception("a"), by="corp:ada", names=("Ada Lovelace", "ada.l@example.com")))
    mine, others = acting(**{own: name}, method=method), acting(**{own: "corp:carl"}, method=method)
    assert (it.kept.besides_own(mine)(CLAUDE), len(it.kept.besides_own(others)(CLAUDE))) == ((), 1)


async def test_a_broken_glass_counts_for_whoever_broke_it_too() -> None:
    it = Bench()
    await it.kept.grant(glass("a"))
    assert it.kept.besides_own(acting(subject="ada", owner="ada"))(CLAUDE) == (glass("a"),)


async def test_of_nothing_at_all_nobody_is_asked() -> None:
    it = Bench()
    assert it.kept.besides_own(acting(subject="ada")) is nothing_waived
    await it.kept.grant(glass("a", "other"))
    assert it.kept.besides_own(acting(subject="ada"))(CLAUDE) == ()
