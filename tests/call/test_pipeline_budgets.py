"""Stage 7, budgets: drawn on with the intent, corrected with the outcome, whatever way a call ends."""

from dataclasses import replace

import pytest

from doorward.admission import matters
from doorward.admission.budgets.store import Raise
from doorward.approval.desk import Approver
from doorward.domain.ids import AgentId, GrantId
from doorward.domain.reasons import Reason
from doorward.testing.playbook import Playbook, playbook, tool_call
from doorward.testing.trace import GotRefusal
from tests.call.steps import PERMIT, PLAN, policy

BUDGET = {"payments": {"unit": "amount", "amount": "/n", "currency": "EUR", "limit": 100}}
SPENDING = replace(PLAN, document={"budgets": BUDGET})
ASKING = replace(SPENDING, policies=PERMIT + policy("forbid (principal, action, resource);", "look", approval="ops"))


def spent(book: Playbook) -> str:
    """What counts now, as memory has it."""
    budgets = book.house.watchmen.budgets
    (rule,) = budgets.rules()
    return rule.shown(sum(one.spent for one in budgets.standings(rule)))


def refusals(trace: object) -> list[Reason]:
    """Why calls were refused."""
    assert isinstance(trace, list)
    return [step.reason for step in trace if isinstance(step, GotRefusal)]


@pytest.mark.anyio
async def test_a_call_that_does_not_fit_is_not_made_and_leaves_a_refusal() -> None:
    async with playbook(SPENDING) as book:
        assert refusals(await book.play(tool_call("git__commit", {"n": 60}))) == []
        assert refusals(await book.play(tool_call("git__commit", {"n": 41}))) == [Reason.OVER_BUDGET]
        assert (len(book.house.upstream("git").orders), spent(book)) == (1, "60.00 EUR")


@pytest.mark.anyio
async def test_nobody_is_asked_about_a_call_that_does_not_fit() -> None:
    async with playbook(ASKING) as book:
        assert refusals(await book.play(tool_call("git__commit", {"n": 101}))) == [Reason.OVER_BUDGET]
        assert book.house.watchmen.desk.questions() == ()


@pytest.mark.anyio
async def test_what_could_not_be_recorded_has_drawn_nothing() -> None:
    async with playbook(SPENDING) as book:
        book.house.evidence.log.fail("disk full")
        assert refusals(await book.play(tool_call("git__commit", {"n": 60}))) == [Reason.UNRECORDED]
        book.house.evidence.log.fail(None)
        assert spent(book) == "0.00 EUR"
        assert refusals(await book.play(tool_call("git__commit", {"n": 100}))) == []


@pytest.mark.anyio
async def test_whoever_hangs_up_during_the_intent_gets_back_what_it_drew() -> None:
    async with playbook(SPENDING) as book:
        book.house.evidence.log.hold()
        await book.hang_up(await book.begin(tool_call("git__commit", {"n": 100})))
        book.house.evidence.log.release()
        await book.rest()
        assert spent(book) == "0.00 EUR"
        assert refusals(await book.play(tool_call("git__commit", {"n": 100}))) == []


@pytest.mark.anyio
async def test_an_approval_outlives_a_budget_that_does_not_hold_its_call_and_is_used_once_it_does() -> None:
    async with playbook(ASKING) as book:
        pay = tool_call("git__commit", {"n": 60})
        assert refusals(await book.play(pay)) == [Reason.PENDING]
        await book.house.watchmen.desk.approve(GrantId("question-1"), Approver("bob", frozenset({"ops"})))
        other = tool_call("git__commit", {"n": 50})
        assert refusals(await book.play(other)) == [Reason.PENDING]
        await book.house.watchmen.desk.approve(GrantId("question-2"), Approver("bob", frozenset({"ops"})))
        # Both had fitted when they were asked about; together they do not.
        assert refusals(await book.play(other)) == []
        assert refusals(await book.play(pay, pay)) == [Reason.OVER_BUDGET] * 2
        (rule,) = book.house.watchmen.budgets.rules()
        now = book.house.watchmen.budgets.now()
        await book.house.watchmen.budgets.raises.give(
            Raise("r1", "payments", rule.ledger, None, 10_000_000, "Once.", "ann", now, now + 600)
        )
        assert refusals(await book.play(pay)) == []
        assert (len(book.house.upstream("git").orders), spent(book)) == (2, "110.00 EUR")
        assert refusals(await book.play(pay)) == [Reason.OVER_BUDGET]


@pytest.mark.anyio
async def test_what_an_approver_puts_in_is_what_is_drawn_and_not_more_than_the_budget_holds() -> None:
    async with playbook(ASKING) as book:
        desk = book.house.watchmen.desk
        for number, amount, reasons in ((1, 101, [Reason.OVER_BUDGET]), (2, 90, [])):
            pay = tool_call("git__commit", {"n": 10 + number})
            assert refusals(await book.play(pay)) == [Reason.PENDING]
            await desk.approve(GrantId(f"question-{number}"), Approver("bob", frozenset({"ops"})), {"n": amount})
            assert refusals(await book.play(pay)) == reasons
        assert spent(book) == "90.00 EUR"


@pytest.mark.anyio
async def test_of_a_call_that_is_stopped_before_it_is_sent_nothing_stays_drawn_and_of_one_that_was_sent_all() -> None:
    async with playbook(SPENDING) as book:
        house = book.house
        house.evidence.log.hold()
        waiting = await book.begin(tool_call("git__commit", {"n": 60}))
        await house.watchmen.switch.stop(matters.agent(AgentId("claude")), "Enough.", "ann")
        house.evidence.log.release()
        await waiting
        await book.rest()
        assert (spent(book), house.upstream("git").orders) == ("0.00 EUR", [])
