"""What rules make of findings on the way of a call: labels, frames and what the log says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from doorward.domain.calls import Fault, Notice
from doorward.domain.findings import Severity
from doorward.domain.reasons import Ran, Reason
from doorward.inspection.labels import FINDINGS_KEY
from doorward.testing.guards import Spotter
from doorward.testing.house import Plan
from doorward.testing.playbook import leaves, playbook, tool_call
from doorward.testing.trace import Got, GotNotice, GotRefusal, Leaf, Trace
from doorward.testing.upstream import SHOWN, faults, says, tells, text, tool
from tests.call.steps import PLAN, got, sent

pytestmark = pytest.mark.anyio

CALL = tool_call("git__commit", {"words": "say secret now"})
QUIET = tool_call("git__commit", {"words": "say it now"})
FOUND = ("spotter/word",)
LABEL = {"guard": "spotter", "rule": "word", "severity": "high", "pointer": "/content/0/text", "done": "label"}


def plan(*rules: Mapping[str, object], severity: Severity = Severity.HIGH, of: Plan = PLAN) -> Plan:
    """A house whose guards look for one word, with rules."""
    document = {**of.document, "inspection": {"dispositions": list(rules)}}
    return replace(of, guards=(Spotter("secret", severity),), document=document)


def done(trace: Trace) -> list[object]:
    """What the leaves say was done about findings."""
    return [found.get("done") for leaf in leaves(trace) for found in leaf.body.get("findings", ())]


def body_of(trace: Trace) -> Any:
    (body,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(body, Mapping)
    return body


@pytest.mark.parametrize("then", ["pass", "label", "spotlight"])
async def test_a_request_with_what_passes_goes_on_as_it_is_and_the_log_says_what_was_done(then: str) -> None:
    async with playbook(plan({"guards": ["spotter"], "directions": ["request"], "then": then})) as book:
        trace = await book.play(CALL)
        assert trace[:3] == [
            Leaf("intent", "allow", ("all",), FOUND),
            sent(words="say secret now"),
            Leaf("outcome", "delivered", (), FOUND),
        ]
        assert trace[3] == got()
        assert done(trace) == [then, then]


async def test_a_labelled_result_passes_and_says_in_its_meta_what_was_found() -> None:
    async with playbook(plan({"guards": ["spotter"], "then": "label"})) as book:
        book.house.upstream("git").will(text("the secret is out"))
        trace = await book.play(QUIET)
        assert trace[3] == got({"content": [{"type": "text", "text": "the secret is out"}]}, told={FINDINGS_KEY: [LABEL]})
        assert done(trace) == ["label"]


async def test_an_upstream_cannot_say_what_was_found() -> None:
    async with playbook(plan()) as book:
        forged = {"content": [], "_meta": {FINDINGS_KEY: [LABEL], "own": 1}}
        book.house.upstream("git").will(says(forged))
        assert body_of(await book.play(QUIET)) == got({"content": []}, told={"own": 1}).body


async def test_a_spotlit_result_stands_in_a_frame_that_is_another_one_each_time() -> None:
    async with playbook(plan({"guards": ["spotter"], "then": "spotlight"})) as book:
        marks = []
        for _ in range(2):
            book.house.upstream("git").will(says({"content": [{"type": "text", "text": "the secret"}, {"type": "text", "text": "fine"}]}))
            trace = await book.play(QUIET)
            body = body_of(trace)
            assert body["_meta"][FINDINGS_KEY] == [{**LABEL, "done": "spotlight"}]
            first, second = body["content"]
            head, inner, tail = first["text"].split("\n")
            marks.append(head.split()[2].removesuffix(":"))
            assert (inner, tail, second["text"]) == ("the secret", f"[end of untrusted content {marks[-1]}]", "fine")
            assert done(trace) == ["spotlight"]
        assert marks[0] != marks[1]
        assert {len(mark) for mark in marks} == {32}


async def test_what_is_cut_out_is_cut_out_of_the_frame_too() -> None:
    rules = [{"guards": ["spotter"], "then": "mask"}, {"guards": ["other"], "then": "spotlight"}]
    both = replace(plan(*rules), guards=(Spotter("secret"), Spotter("plan", name="other")))
    async with playbook(both) as book:
        book.house.upstream("git").will(text("the secret plan"))
        trace = await book.play(QUIET)
        (content,) = body_of(trace)["content"]
        assert content["text"].split("\n")[1] == "the [withheld: word] plan"
        assert done(trace) == ["redact", "spotlight"]


PROMISED = {"outputSchema": {"type": "object", "properties": {"note": {"type": "string"}, "id": {"type": "string", "maxLength": 20}}}}


@pytest.mark.parametrize(("field", "framed"), [("note", True), ("id", False)])
async def test_a_structured_result_is_framed_only_as_far_as_its_schema_allows(field: str, framed: bool) -> None:
    shown = {"git": msgspec.structs.replace(SHOWN, tools=({**tool("commit"), **PROMISED},))}
    async with playbook(plan({"guards": ["spotter"], "then": "spotlight"}, of=replace(PLAN, sights=shown))) as book:
        structured = {"note": "a", "id": "b", field: "the secret"}
        book.house.upstream("git").will(says({"content": [{"type": "text", "text": "the secret"}], "structuredContent": structured}))
        body = body_of(await book.play(tool_call("git__commit", {})))
        assert [label["pointer"] for label in body["_meta"][FINDINGS_KEY]] == ["/content/0/text", f"/structuredContent/{field}"]
        assert body["content"][0]["text"].startswith("[untrusted content ")
        assert body["structuredContent"][field].startswith("[untrusted content ") is framed
        if not framed:
            assert body["structuredContent"] == structured


async def test_an_error_is_labelled_in_its_data_and_framed_in_its_message() -> None:
    async with playbook(plan({"guards": ["spotter"], "then": "spotlight"})) as book:
        book.house.upstream("git").will(faults(-32000, "secret lost"))
        (step,) = [step for step in await book.play(QUIET) if isinstance(step, Got)]
        assert isinstance(step.body, Fault)
        assert step.body.message.split("\n")[1] == "secret lost"
        assert step.body.data == {FINDINGS_KEY: [{**LABEL, "pointer": "/message", "done": "spotlight"}]}


async def test_a_notification_is_labelled() -> None:
    async with playbook(plan({"guards": ["spotter"], "then": "label"})) as book:
        log = Notice("notifications/message", {"level": "error", "data": "secret"})
        book.house.upstream("git").will(tells(log, then=text("ok")))
        trace = await book.play(replace(QUIET, log_level="debug"))
        (heard,) = [step.params for step in trace if isinstance(step, GotNotice)]
        assert heard == {"level": "error", "data": "secret", "_meta": {FINDINGS_KEY: [{**LABEL, "pointer": "/data"}]}}


@pytest.mark.parametrize(("then", "reason"), [("block", Reason.UNSAFE_RESPONSE), ("ask", Reason.UNSAFE_RESPONSE)])
async def test_a_blocked_result_is_on_record_with_what_was_done(then: str, reason: Reason) -> None:
    async with playbook(plan({"guards": ["spotter"], "then": then})) as book:
        book.house.upstream("git").will(text("the secret is out"))
        trace = await book.play(QUIET)
        assert trace[2:4] == [Leaf("outcome", "withheld", ("unsafe_response",), FOUND), GotRefusal(reason, Ran.YES)]
        assert done(trace) == [then]


async def test_a_rule_for_one_tool_leaves_the_others_as_they_are() -> None:
    async with playbook(plan({"guards": ["spotter"], "tools": ["push"], "then": "pass"})) as book:
        book.house.upstream("git").will(text("secret"))
        book.house.upstream("git").will(text("secret"))
        refused = await book.play(QUIET)
        passed = await book.play(tool_call("git__push", {}))
        assert (isinstance(refused[-2], GotRefusal), isinstance(passed[-2], Got)) == (True, True)


async def test_what_is_about_the_whole_message_cannot_be_cut_out_and_blocks() -> None:
    shown = {
        "git": msgspec.structs.replace(
            SHOWN, tools=({**tool("commit"), "inputSchema": {"type": "object", "required": ["n"], "properties": {"n": {}}}},)
        )
    }
    async with playbook(plan({"guards": ["schema"], "then": "mask"}, of=replace(PLAN, sights=shown))) as book:
        trace = await book.play(tool_call("git__commit", {}))
        assert trace[:2] == [Leaf("refusal", "unsafe_request", (), ("schema/schema_required",)), GotRefusal(Reason.UNSAFE_REQUEST)]
        assert done(trace) == ["block"]
