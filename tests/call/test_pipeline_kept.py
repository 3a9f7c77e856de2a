"""Answers that wait for a person: the call ran once, and whoever retries it gets the answer, a no, or the word that it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.call.keeping import LIFE_SECONDS, PER_PRINCIPAL, Keeping
from doorward.domain.findings import Severity
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.inspection.view import Carrier
from doorward.testing.guards import Spotter
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, leaves, playbook, tool_call
from doorward.testing.trace import Counted, GotRefusal, Leaf, Sent, Trace
from doorward.testing.upstream import text
from tests.call.asking import state_of
from tests.call.steps import PLAN, got, sent

pytestmark = pytest.mark.anyio

PERSON = Approver("sue", frozenset({"security"}))
CALL = tool_call("git__commit", {"words": "show it"})
WAITS = GotRefusal(Reason.UNSAFE_RESPONSE, Ran.YES)
FOUND = ("spotter/word",)
SECRET = {"content": [{"type": "text", "text": "the secret is out"}]}
WITHHELD = [
    Leaf("intent", "allow", ("all",)),
    sent(words="show it"),
    Leaf("outcome", "withheld", ("unsafe_response",), FOUND),
    WAITS,
    Counted("git", "unsafe_response"),
]


def plan(**document: object) -> Plan:
    """A house where people are asked about a word in results."""
    rules = [{"guards": ["spotter"], "then": "ask"}]
    spotter = Spotter("secret", Severity.HIGH, carriers=frozenset({Carrier.RESPONSE, Carrier.NOTICE}))
    asks = {"wait_seconds": 0, "findings": "security"}
    return replace(PLAN, guards=(spotter,), document={"inspection": {"dispositions": rules}, "approvals": asks, **document})


def sentence(trace: Trace) -> str:
    (said,) = [step.sentence for step in trace if isinstance(step, GotRefusal)]
    return said


async def asked(book: Playbook) -> GrantId:
    """Makes the call, whose answer waits then; gives the question's reference."""
    book.house.upstream("git").will(text("the secret is out"))
    trace = await book.play(CALL)
    assert trace == WITHHELD
    (question,) = book.house.watchmen.desk.questions()
    assert question.id in sentence(trace)
    assert sentence(trace).startswith("The call ran; its result waits for a person's yes. Ask again later with exactly the same arguments")
    assert question.reason == "the call has run; guards found spotter/word in its result"
    return question.id


def orders(book: Playbook) -> int:
    return len(book.house.upstream("git").orders)


async def test_the_retry_gets_the_answer_once_a_person_has_said_yes_and_nothing_is_sent_again() -> None:
    async with playbook(plan()) as book:
        reference = await asked(book)
        waiting = await book.play(CALL)
        assert waiting == [
            Leaf("refusal", "unsafe_response", ("doorward.answers",)),
            WAITS,
            Counted("git", "unsafe_response"),
        ]
        await book.house.watchmen.desk.approve(reference, PERSON)
        trace = await book.play(CALL)
        assert trace == [
            Leaf("intent", "ask", ("doorward.answers",)),
            Leaf("outcome", "delivered", (), FOUND),
            got(SECRET, call="call-3"),
            Counted("git", "delivered"),
        ]
        assert leaves(trace)[0].body["approval"]["id"] == reference
        assert leaves(trace)[0].body["credential"] == {"kind": "none"}
        assert orders(book) == 1
        assert state_of(book, reference) is State.USED
        # Shown once: the next one is a new call.
        book.house.upstream("git").will(text("fine"))
        assert (await book.play(CALL))[1] == sent(words="show it")


async def test_it_is_for_the_principal_and_the_call_that_it_was_an_answer_to() -> None:
    async with playbook(plan()) as book:
        await asked(book)
        book.house.upstream("git").will(text("fine"))
        other = await book.play(tool_call("git__commit", {"words": "show it!"}))
        assert [step for step in other if isinstance(step, Sent)] == [sent(words="show it!")]


async def test_a_no_drops_it_and_the_call_is_not_made_again() -> None:
    async with playbook(plan()) as book:
        reference = await asked(book)
        await book.house.watchmen.desk.reject(reference, PERSON)
        for _ in range(2):
            trace = await book.play(CALL)
            assert trace[1] == WAITS
            assert sentence(trace) == "The call ran; a person has said that its result is not shown. It was not made again."
        assert orders(book) == 1


async def test_without_anybody_who_answers_it_stays_withheld_and_the_next_call_is_a_new_one() -> None:
    async with playbook(plan(approvals={})) as book:
        for _ in range(2):
            book.house.upstream("git").will(text("the secret is out"))
            trace = await book.play(CALL)
            assert trace[2:4] == WITHHELD[2:4]
            assert sentence(trace) == "The call ran; its result is withheld."
        assert (orders(book), book.house.watchmen.desk.questions()) == (2, ())


async def test_it_is_kept_for_a_while_only_and_the_retry_learns_that_it_is_gone_before_anything_is_made_again() -> None:
    async with playbook(plan()) as book:
        await asked(book)
        book.house.clock.pass_seconds(LIFE_SECONDS)
        trace = await book.play(CALL)
        assert sentence(trace).startswith("The call ran; its result was kept for a person's yes and is gone now. It was not made again")
        assert orders(book) == 1
        book.house.upstream("git").will(text("fine"))
        assert (await book.play(CALL))[1] == sent(words="show it")


async def test_a_restart_loses_it_and_the_retry_is_told_so_and_makes_nothing() -> None:
    async with playbook(plan()) as book:
        reference = await asked(book)
        await book.house.watchmen.desk.approve(reference, PERSON)
        anew = Keeping(book.house.watchmen.desk, book.house.clock.monotonic)
        (kept,) = book.house.parts.pipeline._keeping._kept.values()
        assert anew.has(kept.call)
        with pytest.raises(Refused) as refused:
            await anew.released(kept.call)
        assert refused.value.public.startswith("The call ran; its result was kept for a person's yes and is gone now.")
        assert not anew.has(kept.call)


async def test_what_is_stopped_is_forgotten_and_not_made_again() -> None:
    async with playbook(plan()) as book:
        reference = await asked(book)
        keeping = book.house.parts.pipeline._keeping
        keeping.drop(lambda call: call.target.upstream == "git")
        assert len(keeping) == 0
        await book.house.watchmen.desk.approve(reference, PERSON)
        trace = await book.play(CALL)
        assert sentence(trace).startswith("The call ran; its result was kept")
        assert orders(book) == 1


async def test_few_are_kept_of_one_principal_and_the_rest_is_withheld_as_ever() -> None:
    async with playbook(plan()) as book:
        said = []
        for number in range(PER_PRINCIPAL + 1):
            book.house.upstream("git").will(text("the secret is out"))
            said.append(sentence(await book.play(tool_call("git__commit", {"words": str(number)}))))
        assert [one.startswith("The call ran; its result waits") for one in said] == [True] * PER_PRINCIPAL + [False]
        assert said[-1] == "The call ran; its result is withheld."
