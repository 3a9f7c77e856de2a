"""Stages 5 and 10: what guards find, and what becomes of a message then."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from doorward.call.looks import LARGE_BYTES
from doorward.domain.calls import Fault, Notice
from doorward.domain.findings import Direction, Disposition, Finding, Severity
from doorward.domain.reasons import Ran, Reason
from doorward.inspection.view import Carrier, View
from doorward.policy.dispose import DEFAULT, Row, Table
from doorward.testing.guards import Faulty, Spotter
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Counted, Gone, Got, GotNotice, GotRefusal, Leaf
from doorward.testing.upstream import SHOWN, Act, faults, says, tells, text, tool
from tests.call.steps import PERMIT, PLAN, got, policy, sent

CALL = tool_call("git__commit", {"words": "say secret now"})
FOUND = ("spotter/word",)
MASK = "[withheld: word]"
HIDDEN = "say \N{ZERO WIDTH SPACE}now"


def table(request: Disposition = Disposition.PASS, response: Disposition = Disposition.PASS) -> Table:
    """What is made of every finding of the spotter."""
    rows = {
        ("spotter", Direction.REQUEST): Row(request, request, request),
        ("spotter", Direction.RESPONSE): Row(response, response, response),
    }
    return {**DEFAULT, **rows}


def plan(what: Table, *carriers: Carrier, policies: str = PERMIT) -> Plan:
    """A house whose guards look for one word."""
    return replace(PLAN, guards=(Spotter("secret", carriers=frozenset(carriers or Carrier)),), table=what, policies=policies)


@pytest.mark.anyio
async def test_what_a_guard_finds_and_policy_lets_pass_stands_in_both_leaves() -> None:
    async with playbook(plan(table())) as book:
        assert await book.play(CALL) == [
            Leaf("intent", "allow", ("all",), FOUND),
            sent(words="say secret now"),
            Leaf("outcome", "delivered", (), FOUND),
            got(),
            Counted("git", "delivered"),
        ]


@pytest.mark.anyio
@pytest.mark.parametrize("verdict", [Disposition.BLOCK, Disposition.ASK])
async def test_an_unsafe_request_does_not_go_upstream(verdict: Disposition) -> None:
    async with playbook(plan(table(request=verdict))) as book:
        assert await book.play(CALL) == [
            Leaf("refusal", "unsafe_request", (), FOUND),
            GotRefusal(Reason.UNSAFE_REQUEST),
            Counted("git", "unsafe_request"),
        ]


@pytest.mark.anyio
async def test_what_was_refused_as_unsafe_is_not_kept_beside_the_log() -> None:
    async with playbook(plan(table(request=Disposition.BLOCK))) as book:
        (found,) = leaves(await book.play(CALL))
        assert "side" not in found.body
        assert await book.house.evidence.auditor.side(found.body["seq"]) is None


@pytest.mark.anyio
async def test_arguments_that_break_the_schema_say_where_to_the_agent() -> None:
    shown = msgspec.structs.replace(SHOWN, tools=(tool("commit", n={"type": "integer"}),))
    async with playbook(Plan({"git": shown})) as book:
        trace = await book.play(tool_call("git__commit", {"n": "many"}))
        assert trace == [
            Leaf("refusal", "unsafe_request", (), ("schema/schema_type",)),
            GotRefusal(Reason.UNSAFE_REQUEST),
            Counted("git", "unsafe_request"),
        ]
        (told,) = [step.sentence for step in trace if isinstance(step, GotRefusal)]
        assert told == "The arguments do not fit the tool's schema: type at /n. Mend them and try again."


@pytest.mark.anyio
async def test_a_redacted_request_is_another_call_and_goes_upstream_without_what_was_found() -> None:
    async with playbook(plan(table(request=Disposition.REDACT))) as book:
        trace = await book.play(CALL, tool_call("git__commit", {"words": f"say {MASK} now"}))
        assert trace == [
            Leaf("intent", "allow", ("all",), FOUND),
            sent(words=f"say {MASK} now"),
            Leaf("outcome", "delivered", (), FOUND),
            got(),
            Leaf("intent", "allow", ("all",)),
            sent(words=f"say {MASK} now"),
            Leaf("outcome", "delivered"),
            got(call="call-2"),
            Counted("git", "delivered"),
            Counted("git", "delivered"),
        ]
        # What the log commits to is what was sent, not what was asked.
        kept = [await book.house.evidence.auditor.side(step.body["seq"]) for step in leaves(trace) if step.type == "intent"]
        assert [side.text for side in kept if side] == [kept[1].text] * 2 if kept[1] else False


CLEAN_ONLY = policy(
    'forbid (principal, action == Action::"git/commit", resource) when { context.input.words like "*withheld*" };', "clean-only"
)


@pytest.mark.anyio
async def test_an_edited_call_is_authorized_again() -> None:
    shown = {"git": msgspec.structs.replace(SHOWN, tools=({**tool("commit", words={"type": "string"}), "inputSchema": REQUIRED},))}
    async with playbook(replace(plan(table(request=Disposition.REDACT), policies=PERMIT + CLEAN_ONLY), sights=shown)) as book:
        assert await book.play(CALL) == [
            Leaf("refusal", "forbidden", ("clean-only",), FOUND),
            GotRefusal(Reason.FORBIDDEN),
            Counted("git", "forbidden"),
        ]


REQUIRED = {"type": "object", "properties": {"words": {"type": "string"}}, "required": ["words"]}


@pytest.mark.anyio
async def test_a_call_of_which_nothing_would_be_left_is_refused() -> None:
    async with playbook(plan(table(request=Disposition.REDACT))) as book:
        # The word is a whole key here: taking the member away is an edit; taking all arguments away is none.
        assert (await book.play(tool_call("git__commit", {"secret": 1})))[1] == sent()


@pytest.mark.anyio
async def test_a_guard_that_fails_on_a_request_closes_the_way() -> None:
    async with playbook(replace(PLAN, guards=(Faulty(KeyError("lost"), frozenset({Carrier.REQUEST})),))) as book:
        trace = await book.play(CALL)
        assert trace == [Leaf("refusal", "internal"), GotRefusal(Reason.INTERNAL), Counted("git", "internal")]
        assert leaves(trace)[0].body["detail"].startswith("KeyError in guards.py, line ")
        assert "lost" not in str([step.sentence for step in trace if isinstance(step, GotRefusal)])


@pytest.mark.anyio
async def test_a_guard_that_fails_on_a_result_withholds_it() -> None:
    async with playbook(replace(PLAN, guards=(Faulty(KeyError("lost"), frozenset({Carrier.RESPONSE})),))) as book:
        assert await book.play(CALL) == [
            Leaf("intent", "allow", ("all",)),
            sent(words="say secret now"),
            Leaf("outcome", "withheld", ("internal",)),
            GotRefusal(Reason.INTERNAL, Ran.YES),
            Counted("git", "internal"),
        ]


@pytest.mark.anyio
async def test_what_is_found_in_a_result_is_taken_out_of_it() -> None:
    async with playbook(plan(table(response=Disposition.REDACT), Carrier.RESPONSE)) as book:
        book.house.upstream("git").will(text("the secret is out"))
        assert await book.play(CALL) == [
            Leaf("intent", "allow", ("all",)),
            sent(words="say secret now"),
            Leaf("outcome", "delivered", (), FOUND),
            got({"content": [{"type": "text", "text": f"the {MASK} is out"}]}),
            Counted("git", "delivered"),
        ]


@pytest.mark.anyio
async def test_an_error_is_inspected_like_a_result() -> None:
    async with playbook(plan(table(response=Disposition.REDACT), Carrier.RESPONSE)) as book:
        book.house.upstream("git").will(faults(-32000, "secret lost", {"why": "secret"}))
        trace = await book.play(CALL)
        assert [step for step in trace if isinstance(step, Got)] == [Got(Fault(-32000, f"{MASK} lost", {"why": MASK}))]


@pytest.mark.anyio
async def test_a_withheld_result_says_that_the_call_ran_and_nothing_of_it_is_kept() -> None:
    async with playbook(plan(table(response=Disposition.BLOCK), Carrier.RESPONSE)) as book:
        book.house.upstream("git").will(text("the secret is out"))
        trace = await book.play(CALL)
        assert trace == [
            Leaf("intent", "allow", ("all",)),
            sent(words="say secret now"),
            Leaf("outcome", "withheld", ("unsafe_response",), FOUND),
            GotRefusal(Reason.UNSAFE_RESPONSE, Ran.YES),
            Counted("git", "unsafe_response"),
        ]
        outcome = leaves(trace)[-1]
        assert ("side" in outcome.body, "commitment" in outcome.body["result"]) == (False, False)
        assert outcome.body["result"]["bytes"] == 100


LOG = Notice("notifications/message", {"level": "error", "data": "secret"})
HEARING = replace(CALL, log_level="debug")


def telling(then: Act) -> Act:
    return tells(Notice("notifications/message", {"level": "info", "data": "fine"}), LOG, then=then)


NOTICED: list[tuple[Disposition, list[Mapping[str, object]]]] = [
    (Disposition.PASS, [{"level": "info", "data": "fine"}, {"level": "error", "data": "secret"}]),
    (Disposition.REDACT, [{"level": "info", "data": "fine"}, {"level": "error", "data": MASK}]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("verdict", "heard"), NOTICED)
async def test_notifications_are_inspected_like_results(verdict: Disposition, heard: list[Mapping[str, object]]) -> None:
    async with playbook(plan(table(response=verdict), Carrier.NOTICE)) as book:
        book.house.upstream("git").will(telling(text("ok")))
        trace = await book.play(HEARING)
        assert [step.params for step in trace if isinstance(step, GotNotice)] == heard
        assert leaves(trace)[-1] == Leaf("outcome", "delivered", (), FOUND)


@pytest.mark.anyio
async def test_an_unsafe_notification_ends_the_call_which_may_have_run() -> None:
    async with playbook(plan(table(response=Disposition.BLOCK), Carrier.NOTICE)) as book:
        book.house.upstream("git").will(telling(text("ok")))
        assert await book.play(HEARING) == [
            Leaf("intent", "allow", ("all",)),
            sent(words="say secret now"),
            GotNotice("notifications/message", {"level": "info", "data": "fine"}),
            Leaf("outcome", "failed", ("unsafe_response",), FOUND),
            GotRefusal(Reason.UNSAFE_RESPONSE, Ran.MAYBE),
            Counted("git", "unsafe_response"),
        ]


@pytest.mark.anyio
async def test_our_own_credential_in_an_argument_is_stopped_and_in_a_result_is_masked() -> None:
    secret = "tok-4711-0815-4242"
    settings = {"git": {"credential": {"value": "Bearer ${env:TOKEN}"}}}
    async with playbook(replace(PLAN, upstreams=settings, environment={"TOKEN": secret})) as book:
        book.house.upstream("git").will(text(f"you are {secret}"))
        seen = await book.play(CALL)
        assert [step for step in seen if isinstance(step, Got)] == [
            got({"content": [{"type": "text", "text": "you are [withheld: own_credential]"}]})
        ]
        assert await book.play(tool_call("git__commit", {"words": secret})) == [
            Leaf("refusal", "unsafe_request", (), ("own_secrets/own_credential",)),
            GotRefusal(Reason.UNSAFE_REQUEST),
            Counted("git", "unsafe_request"),
        ]
        (order, *_) = book.house.upstream("git").orders
        assert [(name, value.reveal()) for name, value in order.lease.headers] == [("Authorization", f"Bearer {secret}")]
        every = [located.leaf for located in await book.house.evidence.log.leaves(0, 100)]
        assert not [raw for raw in every if secret.encode() in raw]


@pytest.mark.anyio
async def test_the_shipped_table_decides_where_no_other_is_given() -> None:
    guards = (Spotter("secret", Severity.MEDIUM, "injection"),)
    async with playbook(replace(PLAN, guards=guards)) as book:
        book.house.upstream("git").will(text("secret"))
        trace = await book.play(CALL)
        assert [step for step in trace if isinstance(step, Got)] == [got({"content": [{"type": "text", "text": MASK}]})]


BIG = "secret" + "x" * LARGE_BYTES


@pytest.mark.anyio
async def test_a_large_message_is_inspected_like_a_small_one() -> None:
    async with playbook(plan(table(request=Disposition.REDACT, response=Disposition.REDACT))) as book:
        book.house.upstream("git").will(says({"content": [{"type": "text", "text": BIG}]}, len(BIG)))
        trace = await book.play(tool_call("git__commit", {"words": BIG}))
        assert sent(words=MASK + BIG[6:]) in trace
        assert got({"content": [{"type": "text", "text": MASK + BIG[6:]}]}) in trace
        assert [step.findings for step in leaves(trace)] == [FOUND, (*FOUND, *FOUND)]


@pytest.mark.anyio
async def test_a_guard_that_fails_on_a_large_result_withholds_it() -> None:
    async with playbook(replace(PLAN, guards=(Faulty(KeyError("lost"), frozenset({Carrier.RESPONSE})),))) as book:
        book.house.upstream("git").will(says({"content": []}, LARGE_BYTES + 1))
        assert leaves(await book.play(CALL))[-1] == Leaf("outcome", "withheld", ("internal",))


@dataclass
class Slow:
    """A guard that takes until it is let go."""

    let_go: threading.Event = field(default_factory=threading.Event)
    looking: threading.Event = field(default_factory=threading.Event)
    carrier: Carrier = Carrier.RESPONSE

    def look(self, view: View) -> tuple[Finding, ...]:
        if view.carrier is self.carrier and view.call.method == "tools/call":
            self.looking.set()
            assert self.let_go.wait(10)
        return ()


@pytest.mark.anyio
async def test_other_calls_go_on_while_a_large_result_is_read_and_whoever_hangs_up_meanwhile_leaves_an_outcome() -> None:
    slow = Slow()
    async with playbook(replace(PLAN, guards=(slow,))) as book:
        book.house.upstream("git").will(says({"content": []}, LARGE_BYTES + 1))
        running = await book.begin(CALL)
        assert await asyncio.to_thread(slow.looking.wait, 10)
        assert [type(step).__name__ for step in await book.play(Stimulus("tools/list"))][-3:] == ["Leaf", "Got", "Counted"]
        await book.hang_up(running)
        slow.let_go.set()
        assert await book.rest() == [Leaf("outcome", "withheld", ("cancelled",)), Gone(), Counted("git", "cancelled")]
        assert book.house.watchmen.gate.inside == 0


@pytest.mark.anyio
async def test_other_calls_go_on_while_a_large_notification_is_read() -> None:
    slow = Slow(carrier=Carrier.NOTICE)
    log = Notice("notifications/message", {"level": "error", "data": BIG})
    async with playbook(replace(PLAN, guards=(slow,))) as book:
        book.house.upstream("git").will(tells(log, then=says({"content": []})))
        running = await book.begin(replace(CALL, log_level="debug"))
        assert await asyncio.to_thread(slow.looking.wait, 10)
        assert [type(step).__name__ for step in await book.play(Stimulus("tools/list"))][-3:] == ["Leaf", "Got", "Counted"]
        slow.let_go.set()
        await asyncio.wait({running})
        assert GotNotice(log.method, log.params) in await book.rest()


@pytest.mark.anyio
@pytest.mark.parametrize(("extra", "reason"), [("refuse", Reason.UNSAFE_REQUEST), ("allow", None)])
async def test_arguments_that_a_tool_does_not_know_pass_only_where_the_operator_says_so(extra: str, reason: Reason | None) -> None:
    narrow = msgspec.structs.replace(SHOWN, tools=(tool("commit", message={"type": "string"}),))
    asked = tool_call("git__commit", {"message": "m", "force": True})
    async with playbook(Plan({"git": narrow}, upstreams={"git": {"extra_arguments": extra}})) as book:
        trace = await book.play(asked)
    assert [step.reason for step in trace if isinstance(step, GotRefusal)] == ([] if reason is None else [reason])
    assert [step.sentence for step in trace if isinstance(step, GotRefusal) and "force" not in step.sentence] == []
    assert sum(isinstance(step, Got) for step in trace) == (reason is None)
