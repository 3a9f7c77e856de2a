"""Stages 7 and 11: no record, no call; and whatever way a call ends, the log is told, once."""

import asyncio
from dataclasses import replace

import pytest

from doorward.domain.reasons import Ran, Reason
from doorward.inspection.view import Carrier
from doorward.testing.guards import Faulty
from doorward.testing.playbook import leaves, playbook, tool_call
from doorward.testing.trace import Counted, Gone, Got, GotRefusal, Leaf
from doorward.testing.upstream import breaks, text, waits
from tests.call.steps import PLAN, got, sent

CALL = tool_call("git__commit", {"n": 1})
INTENT = Leaf("intent", "allow", ("all",))
STRICT = replace(PLAN, document={"audit": {"receipts": "strict"}})


@pytest.mark.anyio
async def test_a_log_that_cannot_write_lets_nothing_through() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.fail("disk full")
        trace = await book.play(CALL)
        assert trace == [GotRefusal(Reason.UNRECORDED), Counted("git", "unrecorded")]
        assert [step.sentence for step in trace if isinstance(step, GotRefusal)] == ["The call could not be recorded, so it was not made."]
        assert book.house.upstream("git").orders == []
        # As soon as it writes again, calls go through again.
        book.house.evidence.log.fail(None)
        assert leaves(await book.play(CALL)) == [INTENT, Leaf("outcome", "delivered")]


@pytest.mark.anyio
async def test_nothing_goes_upstream_while_the_intent_is_on_its_way() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        assert (await book.rest(), book.house.evidence.log.held) == ([], 1)
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [INTENT, sent(n=1), Leaf("outcome", "delivered"), got(), Counted("git", "delivered")]


@pytest.mark.anyio
async def test_an_intent_that_fails_after_waiting_lets_nothing_through() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.hold()
        running = await book.begin(CALL)
        book.house.evidence.log.fail("disk full")
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [GotRefusal(Reason.UNRECORDED), Counted("git", "unrecorded")]


@pytest.mark.anyio
async def test_whoever_hangs_up_during_the_intent_has_made_no_call() -> None:
    async with playbook(PLAN) as book:
        book.house.evidence.log.hold()
        await book.hang_up(await book.begin(CALL))
        book.house.evidence.log.release()
        assert await book.rest() == [Gone(), INTENT, Leaf("outcome", "not_forwarded", ("cancelled",)), Counted("git", "cancelled")]


@pytest.mark.anyio
async def test_whoever_hangs_up_while_the_call_runs_leaves_an_outcome() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(waits(asyncio.Event(), text("never")))
        await book.hang_up(await book.begin(CALL))
        assert await book.rest() == [
            INTENT,
            sent(n=1),
            Leaf("outcome", "cancelled", ("cancelled",)),
            Gone(),
            Counted("git", "cancelled"),
        ]
        assert (book.house.flight.count(), book.house.watchmen.gate.inside) == (0, 0)


@pytest.mark.anyio
async def test_a_reply_does_not_wait_for_its_outcome() -> None:
    async with playbook(PLAN) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, text("ok")))
        running = await book.begin(CALL)
        book.house.evidence.log.hold()
        held.set()
        await running
        assert [step for step in await book.rest() if isinstance(step, Got)] == [got({"content": [{"type": "text", "text": "ok"}]})]
        book.house.evidence.log.release()
        assert await book.rest() == [Leaf("outcome", "delivered")]


@pytest.mark.anyio
async def test_a_strict_reply_waits_for_its_outcome() -> None:
    async with playbook(STRICT) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, text("ok")))
        running = await book.begin(CALL)
        book.house.evidence.log.hold()
        held.set()
        await book.idle()
        assert not running.done()
        book.house.evidence.log.release()
        await running
        assert await book.rest() == [
            INTENT,
            sent(n=1),
            Leaf("outcome", "delivered"),
            got({"content": [{"type": "text", "text": "ok"}]}),
            Counted("git", "delivered"),
        ]


@pytest.mark.anyio
async def test_a_strict_reply_that_cannot_be_recorded_is_withheld_and_its_outcome_follows_once() -> None:
    async with playbook(STRICT) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, text("ok")))
        running = await book.begin(CALL)
        book.house.evidence.log.fail("disk full")
        held.set()
        await running
        trace = await book.rest()
        assert trace == [INTENT, sent(n=1), GotRefusal(Reason.UNRECORDED, Ran.YES), Counted("git", "delivered")]
        assert "The call ran" in told(trace)
        book.house.evidence.log.fail(None)
        await book.house.evidence.recorder.tick()
        assert await book.rest() == [Leaf("outcome", "delivered")]


@pytest.mark.anyio
async def test_a_strict_refusal_that_cannot_be_recorded_says_what_became_of_the_call() -> None:
    async with playbook(STRICT) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, breaks(Reason.UPSTREAM_UNREACHABLE, Ran.NO)))
        running = await book.begin(CALL)
        book.house.evidence.log.fail("disk full")
        held.set()
        await running
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.UNRECORDED, Ran.NO)]
        assert "ran" not in told(trace).split()
        book.house.evidence.log.fail(None)
        await book.house.evidence.recorder.tick()
        assert await book.rest() == [Leaf("outcome", "not_forwarded", ("upstream_unreachable",))]


@pytest.mark.anyio
async def test_whoever_hangs_up_on_a_strict_receipt_leaves_one_outcome() -> None:
    async with playbook(STRICT) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, text("ok")))
        running = await book.begin(CALL)
        book.house.evidence.log.hold()
        held.set()
        await book.idle()
        await book.hang_up(running)
        book.house.evidence.log.release()
        assert [step.type for step in leaves(await book.rest())] == ["intent", "outcome"]


@pytest.mark.anyio
async def test_a_log_that_fails_after_the_intent_owes_the_outcome() -> None:
    async with playbook(PLAN) as book:
        held = asyncio.Event()
        book.house.upstream("git").will(waits(held, text("ok")))
        running = await book.begin(CALL)
        book.house.evidence.log.fail("disk full")
        held.set()
        await running
        assert (await book.rest())[2:] == [got({"content": [{"type": "text", "text": "ok"}]}), Counted("git", "delivered")]
        assert (book.house.evidence.recorder.owed, book.house.evidence.recorder.failure) == (1, "the store cannot write: disk full")
        book.house.evidence.log.fail(None)
        await book.house.evidence.recorder.tick()
        assert await book.rest() == [Leaf("outcome", "delivered")]


@pytest.mark.anyio
async def test_what_failed_is_told_without_the_values_it_failed_on() -> None:
    guards = (Faulty(ValueError("hunter2"), frozenset({Carrier.REQUEST})),)
    async with playbook(replace(PLAN, guards=guards)) as book:
        (found,) = leaves(await book.play(CALL))
        assert found.body["detail"].startswith("ValueError in guards.py, line ")
        assert "hunter2" not in str(found.body)


def told(trace: object) -> str:
    """The sentence of the only refusal."""
    assert isinstance(trace, list)
    (sentence,) = [step.sentence for step in trace if isinstance(step, GotRefusal)]
    return str(sentence)
