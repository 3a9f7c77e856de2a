"""Discovery: each look is a governed call of the gateway's own; looks that fail come again, later and later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from doorward.admission import stops
from doorward.call.discovery import FIRST_REST_SECONDS, LAST_REST_SECONDS, Discovery, Eyes
from doorward.domain.catalog import Kind
from doorward.domain.errors import StoreError, UnrecordedError
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.identity.own import own
from doorward.testing.clocks import Ids
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, leaves, playbook
from doorward.testing.trace import Counted, Leaf
from doorward.testing.upstream import tool
from doorward.upstream.sight import Sight
from tests.call.steps import GIT, PLAN
from tests.loops import JumpingLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


GIT_ID = UpstreamId("git")
DOWN = Refused(Reason.UPSTREAM_UNREACHABLE, "down", ran=Ran.MAYBE)
SEEN = [Leaf("intent", "allow", ("doorward.discovery",)), Leaf("outcome", "delivered")]


@pytest.mark.anyio
async def test_a_look_leaves_an_intent_and_an_outcome_of_the_gateways_own_principal() -> None:
    async with playbook(PLAN) as book:
        await book.house.discovery.look(GIT_ID)
        trace = await book.rest()
        assert trace == [*SEEN, Counted("git", "delivered")]
        intent, outcome = leaves(trace)
        assert intent.body["principal"] == {
            "agent": "doorward",
            "team": "doorward",
            "subject": None,
            "act": [],
            "method": "own",
            "credential_id": "own",
        }
        assert (intent.body["kind"], intent.body["name"], intent.body["method"]) == ("upstream", "git", "server/discover")
        assert outcome.body["credential"] == {"kind": "none", "id": "lease-1", "audience": "https://git.example.com", "scope": ""}


@pytest.mark.anyio
async def test_a_look_that_shows_something_new_is_in_the_catalogue_when_it_ends() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").sight = replace(GIT, tools=(*GIT.tools, tool("new")))
        await book.house.discovery.look(GIT_ID)
        assert book.house.generations.current.index.resolve(GIT_ID, Kind.TOOL, "new") is not None
        assert [step.type for step in leaves(await book.rest())] == ["intent", "outcome", "definition_approved"]


@pytest.mark.anyio
async def test_a_stop_is_for_looks_as_well() -> None:
    async with playbook(PLAN) as book:
        await book.house.watchmen.switch.stop(stops.upstream(GIT_ID), "fire", "ann")
        with pytest.raises(Refused) as caught:
            await book.house.discovery.look(GIT_ID)
        assert caught.value.reason is Reason.STOPPED
        assert leaves(await book.rest()) == [Leaf("refusal", "stopped")]


@pytest.mark.anyio
async def test_a_look_that_fails_leaves_the_catalogue_as_it_was() -> None:
    async with playbook(PLAN) as book:
        before = book.house.generations.current
        book.house.upstream("git").sight = DOWN
        with pytest.raises(Refused):
            await book.house.discovery.look(GIT_ID)
        assert book.house.generations.current is before
        assert leaves(await book.rest())[-1] == Leaf("outcome", "failed", ("upstream_unreachable",))


@dataclass
class Watch:
    """A discovery in a time that jumps, and what it did when."""

    book: Playbook
    looks: list[float] = field(default_factory=list)
    """Seconds since the look before."""
    missed: list[str] = field(default_factory=list)
    fails: Exception | None = None
    last: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    @asynccontextmanager
    async def discovery(self) -> AsyncIterator[Discovery]:
        house = self.book.house

        async def saw(name: UpstreamId, sight: Sight) -> None:
            self._looked()
            if self.fails is not None:
                raise self.fails
            await house.workbench.saw(name, sight)

        async def missed(name: UpstreamId, why: str) -> None:
            if not self.fails:
                self._looked()
            self.missed.append(f"{name}: {why}")

        eyes = Eyes(house.parts.pipeline, house.generations, house.parts.fleet, own(), Ids("kept"), saw, missed, str)
        discovery = Discovery(eyes)
        try:
            yield discovery
        finally:
            await discovery.close()

    async def until(self, count: int) -> list[float]:
        """So many looks more, and the seconds before each."""
        self.looks.clear()
        while len(self.looks) < count:  # noqa: ASYNC110 -- the time of the test jumps
            await asyncio.sleep(0.25)
        await self.book.idle()
        return [round(seconds) for seconds in self.looks]

    def _looked(self) -> None:
        now = asyncio.get_running_loop().time()
        self.looks.append(now - self.last)
        self.last = now


def within(found: list[float], *expected: float) -> bool:
    """Whether pauses are what was expected, or up to a tenth and a beat less: many gateways do not look at the same moment."""
    return len(found) == len(expected) and all(0.85 * most - 1 <= pause <= most + 1 for pause, most in zip(found, expected, strict=True))


@pytest.mark.anyio
async def test_looks_that_fail_come_again_later_and_later_and_from_the_beginning_after_one_that_does_not() -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book)
        book.house.upstream("git").sight = DOWN
        async with watch.discovery() as discovery:
            discovery.follow((GIT_ID,))
            assert within(await watch.until(9), 0, 1, 2, 4, 8, 16, 32, 60, 60)
            assert watch.missed == ["git: upstream_unreachable: down"] * 9
            assert discovery.tried == {GIT_ID}
            book.house.upstream("git").sight = GIT
            assert within(await watch.until(2), 60, 300)
            book.house.upstream("git").sight = DOWN
            assert within(await watch.until(3), 300, 1, 2)


@pytest.mark.anyio
@pytest.mark.parametrize("error", [StoreError("no store"), UnrecordedError("disk full"), ValueError("a bug of ours")])
async def test_a_sight_that_could_not_be_taken_is_looked_at_again(error: Exception) -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book, fails=error)
        async with watch.discovery() as discovery:
            discovery.follow((GIT_ID,))
            assert within(await watch.until(2), 0, 1)
            assert (watch.missed[:1], discovery.tried) == ([f"git: {type(error).__name__}: {error}"], {GIT_ID})
            watch.fails = None
            assert within(await watch.until(2), 2, 300)


@pytest.mark.anyio
async def test_an_upstream_that_says_it_changed_is_looked_at_soon() -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book)
        async with watch.discovery() as discovery:
            discovery.want(GIT_ID)
            discovery.follow((GIT_ID,))
            await watch.until(1)
            await asyncio.sleep(10)
            discovery.want(GIT_ID)
            assert within(await watch.until(1), 10)


@pytest.mark.anyio
async def test_a_wish_during_a_look_is_another_look() -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book)
        async with watch.discovery() as discovery:
            book.house.evidence.log.hold()
            discovery.follow((GIT_ID,))
            await book.idle()
            # The look is under way: what it is about to see may be older than the change.
            discovery.want(GIT_ID)
            book.house.evidence.log.release()
            assert within(await watch.until(2), 0, FIRST_REST_SECONDS)


@pytest.mark.anyio
async def test_an_upstream_that_always_says_it_changed_is_looked_at_less_and_less_often() -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book)
        async with watch.discovery() as discovery:
            fussy = asyncio.create_task(_fuss(discovery))
            discovery.follow((GIT_ID,))
            pauses = await watch.until(12)
            fussy.cancel()
            assert sorted(pauses) == pauses
            assert pauses[-1] >= LAST_REST_SECONDS


async def _fuss(discovery: Discovery) -> None:
    while True:
        discovery.want(GIT_ID)
        await asyncio.sleep(0.1)


@pytest.mark.anyio
async def test_what_is_gone_is_not_looked_at_and_what_changed_is_looked_at_anew() -> None:
    async with playbook(Plan({"git": GIT, "hg": GIT})) as book:
        watch = Watch(book)
        async with watch.discovery() as discovery:
            discovery.follow((GIT_ID, UpstreamId("hg")))
            await watch.until(2)
            assert discovery.tried == {"git", "hg"}
            document = book.house.generations.current.document
            changed = {"git": document.upstreams["git"].model_copy(update={"refresh_seconds": 7})}
            await book.rest()
            discovery.follow(book.house.parts.fleet.match(document.model_copy(update={"upstreams": changed})))
            assert discovery.tried == set()
            discovery.want(UpstreamId("hg"))
            await watch.until(3)
            assert {step.body["upstream"] for step in leaves(await book.rest())} == {"git"}


@pytest.mark.anyio
async def test_after_the_end_nothing_is_looked_at() -> None:
    async with playbook(PLAN) as book:
        watch = Watch(book)
        async with watch.discovery() as discovery:
            discovery.follow((GIT_ID,))
            await watch.until(1)
            await discovery.close()
            await book.rest()
            discovery.want(GIT_ID)
            await asyncio.sleep(1_000)
            assert await book.rest() == []
