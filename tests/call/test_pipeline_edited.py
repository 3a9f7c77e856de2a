"""Calls that approvers have edited: another call, decided and inspected like any, and sent as it was approved or not at all."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from doorward.approval.desk import Approver
from doorward.approval.question import State
from doorward.domain.findings import Direction, Disposition, Severity
from doorward.domain.ids import GrantId
from doorward.domain.reasons import Ran, Reason
from doorward.inspection.view import Carrier
from doorward.policy.dispose import DEFAULT, Row
from doorward.testing.guards import Spotter
from doorward.testing.house import Plan
from doorward.testing.playbook import Playbook, leaves, playbook, tool_call
from doorward.testing.trace import Counted, GotRefusal, Leaf, Trace
from doorward.testing.upstream import DONE, SHOWN, breaks, tool
from tests.call.steps import PERMIT, got, policy, sent

PAYING = msgspec.structs.replace(SHOWN, tools=(tool("pay", n={"type": "integer"}, to={"type": "string"}, note={"type": "string"}),))
ASKING = policy('forbid (principal, action == Action::"bank/pay", resource);', "asks", approval="finance")
NOT_MUCH = policy(
    'forbid (principal, action == Action::"bank/pay", resource) when { context.input has n && context.input.n > 500 };', "much"
)
ABROAD = policy(
    'forbid (principal, action == Action::"bank/pay", resource) when { context.input has to && context.input.to == "abroad" };',
    "abroad",
    approval="treasury",
)
REDACTING = {**DEFAULT, ("redact", Direction.REQUEST): Row(*[Disposition.REDACT] * 3)}
PLAN = Plan(
    {"bank": PAYING},
    policies=PERMIT + ASKING + NOT_MUCH + ABROAD,
    document={"approvals": {"wait_seconds": 0}},
    guards=(Spotter("secret", name="redact", carriers=frozenset({Carrier.REQUEST})),),
    table=REDACTING,
)
PAY = tool_call("bank__pay", {"n": 100, "to": "ann"})
FIRST = GrantId("question-1")
BOB = Approver("bob", frozenset({"finance"}))


async def edited(book: Playbook, arguments: Mapping[str, object]) -> Trace:
    """What becomes of the call once somebody has approved it with these arguments."""
    await book.play(PAY)
    await book.house.watchmen.desk.approve(FIRST, BOB, arguments)
    return await book.play(PAY)


def state(book: Playbook) -> State:
    found = book.house.watchmen.desk.question(FIRST)
    assert found is not None
    return found.state


@pytest.mark.anyio
async def test_what_approvers_put_in_is_sent_recorded_and_told() -> None:
    async with playbook(PLAN) as book:
        trace = await edited(book, {"n": 90, "to": "ann"})
        assert trace == [
            Leaf("intent", "ask", ("asks",)),
            sent("pay", "bank", n=90, to="ann"),
            Leaf("outcome", "delivered"),
            got(call="call-2", told={"dev.doorward/edited": True}),
            Counted("bank", "delivered"),
        ]
        intent, _ = leaves(trace)
        assert intent.body["approval"] == {"id": FIRST, "by": "bob", "edited": True}
        # The commitment is to what was sent: the fields are those of the edit, by their HMAC.
        whole = (await book.play(tool_call("bank__pay", {"n": 90, "to": "ann"})))[0]
        assert isinstance(whole, Leaf)
        assert intent.body["arguments"]["fields"] == whole.body["arguments"]["fields"]
        assert state(book) is State.USED


@pytest.mark.anyio
async def test_a_call_that_is_approved_as_it_is_says_nothing_of_an_edit() -> None:
    async with playbook(PLAN) as book:
        await book.play(PAY)
        await book.house.watchmen.desk.approve(FIRST, BOB)
        trace = await book.play(PAY)
        assert leaves(trace)[0].body["approval"] == {"id": FIRST, "by": "bob"}
        assert got(DONE, "call-2") in trace


UNFIT: list[tuple[str, Mapping[str, object], Reason, tuple[str, ...]]] = [
    ("what policy denies", {"n": 900, "to": "ann"}, Reason.FORBIDDEN, ("asks", "much")),
    ("what others must be asked about", {"n": 90, "to": "abroad"}, Reason.FORBIDDEN, ("abroad", "asks")),
    ("what would be taken out", {"n": 90, "to": "a secret"}, Reason.UNSAFE_REQUEST, ()),
    ("what does not fit the schema", {"n": 90, "note": 7}, Reason.UNSAFE_REQUEST, ()),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("arguments", "reason", "policies"), [row[1:] for row in UNFIT], ids=[row[0] for row in UNFIT])
async def test_approvers_cannot_put_in(arguments: Mapping[str, object], reason: Reason, policies: tuple[str, ...]) -> None:
    async with playbook(PLAN) as book:
        trace = await edited(book, arguments)
        assert [(step.reason, step.sentence.partition(". ")[0]) for step in trace if isinstance(step, GotRefusal)] == [
            (reason, "The call was approved with other arguments than its own")
        ]
        [leaf] = leaves(trace)
        assert (set(leaf.because), leaf.body["approval"]) == (set(policies), {"id": FIRST})
        assert (book.house.upstream("bank").orders, state(book)) == ([], State.APPROVED)


@pytest.mark.anyio
async def test_an_edited_call_that_was_not_forwarded_gives_the_yes_back() -> None:
    async with playbook(PLAN) as book:
        await book.play(PAY)
        await book.house.watchmen.desk.approve(FIRST, BOB, {"n": 90})
        book.house.upstream("bank").will(breaks(Reason.UPSTREAM_UNREACHABLE, Ran.NO))
        await book.play(PAY)
        assert state(book) is State.APPROVED
        assert sent("pay", "bank", n=90) in await book.play(PAY)


# Findings


ASKED = {**DEFAULT, ("likely", Direction.REQUEST): Row(*[Disposition.ASK] * 3)}
LIKELY = Spotter("perhaps", Severity.MEDIUM, "likely", frozenset({Carrier.REQUEST}))
ANSWERED: Mapping[str, object] = {"approvals": {"wait_seconds": 0, "findings": "security"}}
FOUND = replace(PLAN, policies=PERMIT, guards=(LIKELY,), table=ASKED, document=ANSWERED)
DOUBTFUL = tool_call("bank__pay", {"n": 1, "to": "perhaps ann"})
SUE = Approver("sue", frozenset({"security"}))


@pytest.mark.anyio
async def test_a_finding_that_may_be_meant_is_asked_about_where_somebody_answers_for_it() -> None:
    async with playbook(FOUND) as book:
        trace = await book.play(DOUBTFUL)
        assert trace[:2] == [Leaf("refusal", "pending", ("doorward.findings",), ("likely/word",)), GotRefusal(Reason.PENDING)]
        # What may be a secret is for who answers, and for no record of refusals.
        assert "side" not in leaves(trace)[0].body
        question = book.house.watchmen.desk.question(FIRST)
        assert question is not None
        assert (question.approvers, question.reason) == (frozenset({"security"}), "guards found likely/word")
        assert question.facts == (("finding", "likely/word, medium, at /arguments/to"),)
        await book.house.watchmen.desk.approve(FIRST, SUE)
        assert (await book.play(DOUBTFUL))[:2] == [
            Leaf("intent", "ask", ("doorward.findings",), ("likely/word",)),
            sent("pay", "bank", n=1, to="perhaps ann"),
        ]


@pytest.mark.anyio
async def test_people_are_told_the_derived_facts_that_the_asking_policies_read() -> None:
    when = 'context.derived has to_url && context.derived.to_url.host != "a.example"'
    far = f'forbid (principal, action == Action::"bank/pay", resource) when {{ {when} }};'
    facts = {"to_url": {"kind": "url", "of": "/to"}}
    tools = {"bank": {"tools": {"pay": {"facts": facts}}}}
    async with playbook(replace(FOUND, policies=PERMIT + policy(far, "far", approval="finance"), upstreams=tools)) as book:
        await book.play(tool_call("bank__pay", {"n": 1, "to": "https://b.example/perhaps"}))
        question = book.house.watchmen.desk.question(FIRST)
        assert question is not None
        assert question.facts == (
            ("finding", "likely/word, medium, at /arguments/to"),
            ("derived.to_url.host", "b.example"),
        )


@pytest.mark.anyio
async def test_without_anybody_who_answers_for_findings_they_block_as_ever() -> None:
    async with playbook(replace(FOUND, document={})) as book:
        assert (await book.play(DOUBTFUL))[1] == GotRefusal(Reason.UNSAFE_REQUEST)


@pytest.mark.anyio
async def test_a_finding_asks_besides_whatever_policy_asks() -> None:
    async with playbook(replace(FOUND, policies=PERMIT + ASKING)) as book:
        assert (await book.play(DOUBTFUL))[0] == Leaf("refusal", "pending", ("asks", "doorward.findings"), ("likely/word",))
        desk = book.house.watchmen.desk
        assert (await desk.approve(FIRST, BOB)).state is State.PENDING
        assert (await book.play(DOUBTFUL))[1] == GotRefusal(Reason.PENDING)
        assert (await desk.approve(FIRST, SUE)).state is State.APPROVED
        assert sent("pay", "bank", n=1, to="perhaps ann") in await book.play(DOUBTFUL)


@pytest.mark.anyio
async def test_what_blocks_blocks_whoever_answers_for_findings() -> None:
    blocking = Spotter("never", name="links", carriers=frozenset({Carrier.REQUEST}))
    async with playbook(replace(FOUND, guards=(LIKELY, blocking))) as book:
        trace = await book.play(tool_call("bank__pay", {"n": 1, "to": "perhaps never"}))
        assert trace[1] == GotRefusal(Reason.UNSAFE_REQUEST)
        assert book.house.watchmen.desk.questions() == ()


@pytest.mark.anyio
async def test_an_answer_with_a_finding_that_asks_is_withheld_for_it_has_run() -> None:
    table = {**DEFAULT, ("likely", Direction.RESPONSE): Row(*[Disposition.ASK] * 3)}
    guard = Spotter("done", Severity.MEDIUM, "likely", frozenset({Carrier.RESPONSE}))
    async with playbook(replace(FOUND, guards=(guard,), table=table)) as book:
        trace = await book.play(tool_call("bank__pay", {"n": 1}))
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.UNSAFE_RESPONSE, Ran.YES)]


@pytest.mark.anyio
async def test_an_edit_may_leave_a_finding_in_or_out_and_bring_no_other() -> None:
    async with playbook(FOUND) as book:
        desk = book.house.watchmen.desk
        await book.play(DOUBTFUL)
        await desk.approve(FIRST, SUE, {"n": 1, "to": "ann"})
        assert sent("pay", "bank", n=1, to="ann") in await book.play(DOUBTFUL)
        await book.play(DOUBTFUL)
        await desk.approve(GrantId("question-2"), SUE, {"n": 1, "to": "ann", "note": "perhaps"})
        trace = await book.play(DOUBTFUL)
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == [Reason.FORBIDDEN]
        assert len(book.house.upstream("bank").orders) == 1
