"""The desk: from a question to a grant for one call, once."""

from dataclasses import replace
from datetime import UTC, datetime

import anyio
import pytest

from doorward.approval.desk import Approver, DeskError, Terms
from doorward.approval.question import Question, State
from doorward.domain.approvals import Grant
from doorward.domain.decisions import Need
from doorward.domain.errors import StoreError
from doorward.domain.ids import Digest, GrantId
from doorward.domain.reasons import Reason
from tests.approval.house import ASK, BOB, CALL, CAROL, House
from tests.approval.stores import MemoryUse
from tests.made import call, principal, target

pytestmark = pytest.mark.anyio


async def test_a_call_that_needs_a_yes_ends_pending_with_a_reference_and_is_shown_whole() -> None:
    house = House()
    refused = await house.refusal()
    assert refused.public == "A person must approve this call. Ask again later with exactly the same arguments. Approval: q1."
    (question,) = house.desk.questions()
    assert question == house.store.rows[GrantId("q1")]
    assert (question.canonical, question.approvers, question.owner, question.state) == (CALL.canonical, ASK.approvers, "ada", State.PENDING)


async def test_the_same_call_is_asked_once() -> None:
    house = House()
    assert [await house.asked() for _ in range(3)] == ["q1"] * 3
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(house.asked, call({"amount": 8}))
    assert list(house.store.rows) == ["q1", "q2"]


async def test_a_yes_is_a_grant_for_exactly_that_call() -> None:
    house = House()
    reference = await house.asked()
    await house.desk.approve(reference, BOB)
    until = house.clock.at + Terms().use_seconds
    assert await house.desk.clear(CALL, ASK) == Grant(
        id=reference,
        digest=CALL.digest,
        definition=CALL.target.definition,
        principal="claude",
        approved_by="bob",
        expires_at=datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    for other in (call({"amount": 8}), call({"amount": 7}, by=principal("other")), call({"amount": 7}, to=target(definition="d2"))):
        assert (await house.refusal(other)).reason is Reason.PENDING
    assert (await house.refusal(CALL, replace(ASK, basis=Digest("b2")))).reason is Reason.PENDING


async def test_a_new_key_of_the_same_agent_does_not_void_a_grant() -> None:
    house = House()
    await house.granted()
    assert await house.desk.clear(call({"amount": 7}, by=principal("claude", key="key2")), ASK)


async def test_a_no_is_remembered_until_its_time_is_over_and_then_asked_anew() -> None:
    house = House()
    await house.desk.reject(await house.asked(), BOB)
    refused = await house.refusal()
    assert (refused.reason, "bob" in refused.public) == (Reason.REJECTED, False)
    house.clock.at += Terms().answer_seconds
    assert await house.asked() == "q2"


async def test_only_the_named_teams_answer() -> None:
    house = House()
    reference = await house.asked()
    for by in (Approver("eve", frozenset({"ops"})), Approver("eve", frozenset()), Approver(" ", frozenset({"finance"}))):
        for answer in (house.desk.approve, house.desk.reject):
            with pytest.raises(DeskError):
                await answer(reference, by)
    assert house.store.rows[reference].state is State.PENDING


@pytest.mark.parametrize("name", ["ada", "Ada", " ADA "])
async def test_the_owner_of_an_agent_does_not_approve_its_calls_but_may_reject_them(name: str) -> None:
    house = House()
    reference = await house.asked()
    owner = Approver(name, frozenset({"finance"}))
    with pytest.raises(DeskError):
        await house.desk.approve(reference, owner)
    await house.desk.reject(reference, owner)
    assert (await house.refusal()).reason is Reason.REJECTED


async def test_the_owner_may_where_the_need_says_so() -> None:
    house, ask = House(), replace(ASK, needs=(Need("finance", owner_may=True),))
    await house.refusal(CALL, ask)
    await house.desk.approve(GrantId("q1"), Approver("ada", frozenset({"finance"})))
    assert (await house.desk.clear(CALL, ask)).approved_by == "ada"


async def test_no_answer_in_time_is_a_no() -> None:
    house = House()
    reference = await house.asked()
    house.clock.at += Terms().answer_seconds
    with pytest.raises(DeskError):
        await house.desk.approve(reference, BOB)
    assert await house.asked() == "q2"
    assert house.store.rows[reference].state is State.EXPIRED


async def test_a_grant_that_is_not_used_in_time_is_gone() -> None:
    house = House()
    grant = await house.granted()
    house.clock.at += Terms().use_seconds
    assert not house.consumed(grant)
    assert await house.asked() == "q2"


async def test_a_grant_is_used_once_and_the_next_call_is_asked_about_again() -> None:
    house = House()
    grant = await house.granted()
    assert [house.consumed(grant), house.consumed(grant)] == [True, False]
    house.desk.used(grant)
    assert await house.asked() == "q2"


async def test_what_was_used_is_not_approved_again() -> None:
    house = House()
    grant = await house.granted()
    house.consumed(grant)
    for _ in range(2):
        with pytest.raises(DeskError):
            await house.desk.approve(grant.id, CAROL)
        house.desk.used(grant)
    assert house.row(grant.id).state is State.USED


async def test_of_two_calls_that_found_one_grant_only_one_is_made() -> None:
    house = House()
    await house.granted()
    grants = [await house.desk.clear(CALL, ASK) for _ in range(8)]
    assert sorted(house.consumed(grant) for grant in grants) == [False] * 7 + [True]


async def test_a_grant_for_something_else_is_not_consumed() -> None:
    house = House()
    grant = await house.granted()
    other = Digest("other")
    for forged in (replace(grant, digest=other), replace(grant, definition=other), replace(grant, principal="other")):
        assert not house.consumed(forged)
    assert house.consumed(grant)


async def test_a_call_that_was_not_forwarded_gives_its_grant_back() -> None:
    house = House()
    grant = await house.granted()
    assert house.consumed(grant)
    house.desk.used(grant)
    MemoryUse().release(house.store.rows, grant.id)
    house.desk.released(grant)
    assert await house.desk.clear(CALL, ASK) == grant
    assert house.consumed(grant)


async def test_a_yes_can_be_taken_back_until_it_is_used() -> None:
    house = House()
    grant = await house.granted()
    await house.desk.reject(grant.id, BOB)
    assert not house.consumed(grant)
    assert (await house.refusal()).reason is Reason.REJECTED


async def test_a_yes_that_was_used_meanwhile_cannot_be_taken_back() -> None:
    house = House()
    grant = await house.granted()
    house.consumed(grant)
    with pytest.raises(DeskError):
        await house.desk.reject(grant.id, BOB)
    assert house.store.rows[grant.id].state is State.USED


async def test_of_a_yes_and_a_no_at_once_the_no_holds() -> None:
    house = House()
    reference = await house.asked()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.desk.approve, reference, BOB)
        tasks.start_soon(house.desk.reject, reference, BOB)
    assert house.store.rows[reference].state is State.REJECTED
    assert house.desk.question(reference) == house.store.rows[reference]


async def test_a_yes_that_comes_after_a_no_at_the_same_time_is_told() -> None:
    house = House()
    reference = await house.asked()
    late: list[DeskError] = []

    async def approve() -> None:
        try:
            await house.desk.approve(reference, BOB)
        except DeskError as error:
            late.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.desk.reject, reference, BOB)
        tasks.start_soon(approve)
    assert (house.store.rows[reference].state, len(late)) == (State.REJECTED, 1)


@pytest.mark.parametrize("done", [State.REJECTED, State.EXPIRED])
async def test_what_has_ended_cannot_be_approved(done: State) -> None:
    house = House()
    reference = await house.asked()
    if done is State.REJECTED:
        await house.desk.reject(reference, BOB)
    else:
        house.clock.at += Terms().answer_seconds
        await house.desk.sweep()
    with pytest.raises(DeskError):
        await house.desk.approve(reference, BOB)


async def test_questions_and_answers_survive_a_restart() -> None:
    first = House()
    grant = await first.granted()
    waiting = await first.asked(call({"amount": 8}))
    await first.desk.reject(await first.asked(call({"amount": 9})), BOB)
    again = House(store=first.store, clock=first.clock)
    await again.desk.load()
    assert await again.desk.clear(CALL, ASK) == grant
    assert await again.asked(call({"amount": 8})) == waiting
    assert (await again.refusal(call({"amount": 9}))).reason is Reason.REJECTED


async def test_what_was_rejected_or_used_waits_for_nobody() -> None:
    house = House()
    house.desk.used(await house.granted())
    await house.desk.reject(await house.asked(call({"amount": 9})), BOB)
    waiting = await house.asked(call({"amount": 8}))
    assert [question.id for question in house.desk.questions()] == [waiting]


async def test_a_question_that_could_not_be_written_was_not_asked() -> None:
    house = House()
    house.store.fails = True
    with pytest.raises(StoreError):
        await house.desk.clear(CALL, ASK)
    assert house.desk.questions() == ()


async def test_an_answer_that_could_not_be_written_is_no_answer() -> None:
    house = House()
    reference = await house.asked()
    house.store.fails = True
    with pytest.raises(StoreError):
        await house.desk.approve(reference, BOB)
    assert (await house.refusal()).reason is Reason.PENDING


async def test_one_agent_cannot_bury_people_in_questions() -> None:
    house = House(Terms(most_pending=2))
    for amount in (1, 2):
        await house.asked(call({"amount": amount}))
    assert (await house.refusal(call({"amount": 3}))).reason is Reason.OVER_CONCURRENCY
    assert await house.asked(call({"amount": 1})) == "q1"
    await house.asked(call({"amount": 3}, by=principal("other")))
    house.clock.at += Terms().answer_seconds
    await house.asked(call({"amount": 3}))


async def test_all_agents_together_cannot_either() -> None:
    house = House(Terms(most_kept=2))
    for name in ("a", "b"):
        await house.asked(call(by=principal(name)))
    assert (await house.refusal(call(by=principal("c")))).reason is Reason.OVERLOADED


async def test_nor_with_few_questions_about_large_calls() -> None:
    house = House(Terms(most_bytes=2_000))
    for name in ("a", "b"):
        await house.asked(call({"text": "x" * 1_000}, by=principal(name)))
    assert (await house.refusal(call(by=principal("c")))).reason is Reason.OVERLOADED


async def test_who_asked_is_known_until_the_question_is_answered_and_after_a_restart_once_they_ask_again() -> None:
    house = House()
    reference = await house.asked()
    assert house.desk.caller(reference) is CALL
    await house.restart()
    assert house.desk.caller(reference) is None
    await house.asked()
    assert house.desk.caller(reference) is CALL
    await house.desk.approve(reference, BOB)
    assert house.desk.caller(reference) is None


async def test_a_sweep_ends_what_is_over_and_forgets_what_has_ended() -> None:
    house = House()
    await house.granted()
    waiting = await house.asked(call({"amount": 8}))
    rejected = await house.asked(call({"amount": 9}))
    await house.desk.reject(rejected, BOB)
    house.clock.at += Terms().answer_seconds
    over: tuple[Question, ...] = await house.desk.sweep()
    assert sorted(question.id for question in over) == ["q1", waiting]
    assert {reference: row.state for reference, row in house.store.rows.items()} == {
        "q1": State.EXPIRED,
        waiting: State.EXPIRED,
        rejected: State.REJECTED,
    }
    assert house.desk._questions == {}
    assert await house.desk.sweep() == ()
