"""Stage 7, budgets: drawn on with the intent, corrected with the outcome, whatever way a call ends."""

from dataclasses import replace

import pytest

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
