"""Callers who are kept waiting while people answer: their call on the whole way again, or the reason why not."""

import asyncio
import gc
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from doorward.admission import stops
from doorward.approval.question import State
from doorward.call.holding import PER_PRINCIPAL, Holding
from doorward.domain.actors import Principal
from doorward.domain.calls import Notice
from doorward.domain.ids import Generation, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.runtime.snapshot import Snapshot
from doorward.testing.playbook import playbook
from doorward.testing.trace import Counted, Gone, GotRefusal, Leaf
from doorward.testing.upstream import DONE, says, tells
from tests.call.asking import (
    ASKED_LEAF,
    BOB,
    FIRST,
    HELD,
    LONG,
    PAGED,
    PENDING,
    PLAIN,
    PUSH,
    approve,
    body,
    ran,
    retry,
    state_of,
)
from tests.call.steps import sent


@pytest.mark.anyio
async def test_a_call_that_is_approved_while_its_caller_waits_runs_on_the_whole_way_again() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        assert (running.done(), book.house.watchmen.gate.inside, len(book.house.dispatch.holding)) == (False, 0, 1)
        await approve(book)
        await running
        assert await book.rest() == [*ASKED_LEAF, *ran("call-2")[:-1], Counted("git", "pending"), Counted("git", "delivered")]
        assert len(book.house.dispatch.holding) == 0


@pytest.mark.anyio
async def test_a_call_that_is_rejected_while_its_caller_waits_is_told_so() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.desk.reject(FIRST, BOB)
        await running
        assert (await book.rest())[1:3] == [Leaf("refusal", "rejected", ("asks",)), GotRefusal(Reason.REJECTED)]


@pytest.mark.anyio
async def test_a_caller_that_waits_hears_so_and_its_calls_own_progress_goes_on_from_there() -> None:
    async with playbook(HELD) as book:
        heard: list[Mapping[str, object]] = []
        hears = asyncio.Event()

        async def hear(notice: Notice) -> None:
            heard.append(notice.params)
            hears.set()

        book.house.dispatch.holding = Holding(book.house.watchmen.desk.answered, (0.001, 60))
        inbound = replace(PLAIN, progress_token="p").inbound(await book.principal())
        running = asyncio.create_task(book.house.dispatch.handle(inbound, hear))
        await hears.wait()
        own = Notice("notifications/progress", {"progressToken": "other", "progress": 1, "total": 2, "message": "half"})
        book.house.upstream("git").will(tells(own, then=says(DONE)))
        await approve(book)
        await running
        first, second = heard
        waited = first["progress"]
        assert isinstance(waited, float)
        words = f"A person must approve this call; waiting. Approval: {FIRST}."
        assert first == {"progressToken": "p", "progress": waited, "total": 60, "message": words}
        assert isinstance(second["progress"], float)
        assert isinstance(second["total"], float)
        assert (second["progressToken"], second["message"], second["total"] - second["progress"]) == ("p", "half", 1)
        assert second["progress"] > waited


@pytest.mark.anyio
async def test_a_caller_that_has_waited_long_enough_gets_the_words_and_its_retry_finds_the_yes() -> None:
    async with playbook(replace(HELD, document={"approvals": {"wait_seconds": 0.01}})) as book:
        assert await book.play(PLAIN) == PENDING
        await approve(book)
        assert await book.play(PLAIN) == ran("call-2")


@pytest.mark.anyio
async def test_a_retry_of_who_was_shown_the_page_waits_too() -> None:
    async with playbook(replace(PAGED, document=LONG)) as book:
        asked = body(await book.play(PUSH))
        running = await book.begin(retry(PUSH, asked["requestState"]))
        assert not running.done()
        await approve(book)
        await running
        assert sent("push", n=1) in await book.rest()


@pytest.mark.anyio
async def test_whoever_waits_is_verified_again_before_the_call_is_made() -> None:
    async with playbook(HELD) as book:
        principal = await book.principal()

        def again() -> Principal:
            raise Refused(Reason.UNAUTHENTICATED, "the key has expired")

        async def unheard(notice: Notice) -> None:
            pass

        running = asyncio.create_task(book.house.dispatch.handle(replace(PLAIN.inbound(principal), again=again), unheard))
        await book.idle()
        await approve(book)
        with pytest.raises(Refused) as refused:
            await running
        assert (refused.value.reason, book.house.upstream("git").orders, state_of(book)) == (Reason.UNAUTHENTICATED, [], State.APPROVED)


@pytest.mark.anyio
async def test_a_stop_ends_the_wait_and_is_what_the_caller_is_told() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "push"), "fire", "ann")
        await running
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.STOPPED)]
        assert state_of(book) is State.PENDING


@pytest.mark.anyio
async def test_a_stop_while_a_call_is_turned_back_is_not_missed() -> None:
    async with playbook(HELD) as book:
        book.house.evidence.log.hold()
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "push"), "fire", "ann")
        book.house.evidence.log.release()
        await running
        assert [step for step in await book.rest() if isinstance(step, GotRefusal)] == [GotRefusal(Reason.STOPPED)]


@pytest.mark.anyio
async def test_a_stop_of_something_else_leaves_it_waiting() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        await book.house.watchmen.switch.stop(stops.tool(UpstreamId("git"), "commit"), "fire", "ann")
        await book.idle()
        assert not running.done()
        await book.hang_up(running)


@pytest.mark.anyio
async def test_who_hangs_up_waits_no_longer_and_its_question_stands() -> None:
    async with playbook(HELD) as book:
        await book.hang_up(await book.begin(PLAIN))
        assert await book.rest() == [*ASKED_LEAF, Gone(), Counted("git", "pending")]
        assert (len(book.house.dispatch.holding), state_of(book)) == (0, State.PENDING)


@pytest.mark.anyio
async def test_a_gateway_that_goes_down_lets_everybody_go_with_the_words() -> None:
    async with playbook(HELD) as book:
        running = await book.begin(PLAIN)
        book.house.watchmen.desk.close()
        await running
        assert await book.rest() == PENDING
        assert await book.play(PLAIN) == PENDING


@pytest.mark.anyio
async def test_one_principal_keeps_a_few_waiting_and_the_next_is_told_at_once() -> None:
    async with playbook(HELD) as book:
        waiting = [await book.begin(PLAIN) for _ in range(PER_PRINCIPAL)]
        assert not any(running.done() for running in waiting)
        assert (await book.begin(PLAIN)).done()
        for running in waiting:
            await book.hang_up(running)


@pytest.mark.anyio
async def test_who_waits_holds_no_generation() -> None:
    async with playbook(HELD) as book:
        generations = book.house.generations
        generations.swap(msgspec.structs.replace(generations.current, generation=Generation(7_001)))
        running = await book.begin(PLAIN)
        generations.swap(msgspec.structs.replace(generations.current, generation=Generation(7_002)))
        await book.idle()
        gc.collect()
        kept = [one.generation for one in gc.get_objects() if isinstance(one, Snapshot) and one.generation > 7_000]
        assert kept == [Generation(7_002)]
        await book.hang_up(running)
