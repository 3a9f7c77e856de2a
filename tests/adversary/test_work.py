"""Messages made to be expensive: what one of them costs is bounded, and other calls do not wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC

import pytest

from doorward.call.resolve import Caller, make_call
from doorward.domain.calls import Answer
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.decisions import Deny
from doorward.domain.ids import CallId, Digest, TeamId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.own import own
from doorward.inspection.guards.schema import Schema
from doorward.inspection.view import Carrier, View
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.policy.schema import schema_entry
from doorward.testing.playbook import playbook, tool_call
from doorward.testing.trace import Leaf
from doorward.testing.upstream import Act
from doorward.upstream.order import Order
from doorward.upstream.port import Notices
from doorward.wire.jsonrpc import Limits, parse_value
from tests.call.steps import PLAN
from tests.serving.asgi import principal

TARGET = Target(UpstreamId("git"), Kind.TOOL, "commit", Digest("0" * 64), TeamId("team"), frozenset({"write"}), Reversibility.IRREVERSIBLE)
MIB = 2**20
HOSTILE = {
    "text of nothing but zero-width spaces": "\u200b" * (MIB // 3),
    "escape sequences that never end": "\x1b]" * (MIB // 2),
    "text hidden in tags": "\U000e0041" * (MIB // 4),
}


def answers(body: Mapping[str, object], size_bytes: int) -> Act:
    async def act(order: Order, notices: Notices) -> Answer:
        return Answer(body, size_bytes)

    return act


@pytest.mark.anyio
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_other_calls_do_not_wait_while_a_hostile_result_is_read(text: str) -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(answers({"content": [{"type": "text", "text": text}] * 4}, 4 * MIB))
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                longest = max(longest, time.perf_counter() - before)

        watching = asyncio.create_task(watch())
        trace = await book.play(tool_call("git__commit"))
        await asyncio.sleep(0.01)
        watching.cancel()
        assert [step.said for step in trace if isinstance(step, Leaf)] == ["allow", "delivered"]
        assert longest < 0.3


def looked(schema: Mapping[str, object], arguments: Mapping[str, object]) -> list[str]:
    call = make_call(CallId("call-1"), Caller(own(), "tools/call"), TARGET, arguments, {})
    guard = Schema(lambda _: {"name": "commit", "inputSchema": schema})
    return [finding.rule for finding in guard.look(View(Carrier.REQUEST, call, {"arguments": arguments, "extras": {}}))]


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ({"properties": {"a": {"pattern": "(x{100}){50}y"}}}, {"a": "x" * 200_000}),
        ({"properties": {"a": {"pattern": "((a|b|ab|ba|x)x{0,3}){300}y"}}}, {"a": "x" * 200_000}),
        ({"patternProperties": {"((a|b|ab|ba|x)x{0,3}){300}y": {}}}, {"x" * 200_000: 1}),
        ({"patternProperties": {f"^k{n}": {} for n in range(400)}}, {f"k{n}": 1 for n in range(90_000)}),
    ],
)
def test_a_pattern_made_to_be_slow_is_given_up(schema: Mapping[str, object], arguments: Mapping[str, object]) -> None:
    before = time.perf_counter()
    assert looked(schema, arguments) != []
    assert time.perf_counter() - before < 1


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[A-Za-z0-9+/]*={0,2}$", "QUJD" * 50_000),
        (r"^\p{L}{1,100}$", "ß" * 100),
        (r"^[^\s]{1,2048}$", "x" * 900),
        (r"^[\w.-]{1,256}$", "a-b.c_d" * 30),
        (r"^\S+$", "x" * 200_000),
    ],
)
def test_honest_patterns_are_tried_on_long_texts(pattern: str, text: str) -> None:
    schema = {"properties": {"a": {"type": "string", "pattern": pattern}}}
    assert looked(schema, {"a": text}) == []
    assert looked(schema, {"a": "no\nmatch \0"}) == ["schema_pattern"]


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b"[]," * (4 * MIB // 3 - 4) + b"[]]",
        b"[" + b",".join([b"[" * 60 + b"]" * 60] * (4 * MIB // 121)) + b"]",
        b"[" + b",".join([b'{"a":' * 60 + b"1" + b"}" * 60] * (4 * MIB // 362)) + b"]",
    ],
    ids=["in one list", "in lists in lists", "in objects in objects"],
)
def test_a_message_of_too_many_values_is_refused_before_they_are_made(raw: bytes) -> None:
    before = time.perf_counter()
    with pytest.raises(Refused) as refused:
        parse_value(raw, Limits(body_bytes=4 * MIB, string_bytes=4 * MIB))
    assert (refused.value.reason, time.perf_counter() - before < 0.2) == (Reason.MALFORMED, True)


def test_commas_in_strings_are_no_values() -> None:
    text = ',"\\' * 60_000
    value = {"a": [text, ",", "\\"], 'b,"': 1}
    raw = ('{"a":["' + text.replace("\\", "\\\\").replace('"', '\\"') + '",",","\\\\"],"b,\\"":1}').encode()
    assert parse_value(raw, Limits()) == value


def test_a_list_too_long_to_decide_on_is_not_decided_on() -> None:
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    rule = '@id("tagged") @reason("r") permit (principal, action, resource) when { context.input has tags && context.input.tags.contains("x") };'
    policies = compile_policies([Source("p", rule)], [schema_entry(TARGET, {"name": "commit", "inputSchema": schema})], [UpstreamId("git")])
    assert isinstance(policies, Policies)
    call = make_call(CallId("call-1"), Caller(principal("ada"), "tools/call"), TARGET, {"tags": ["x"] * 10_001}, {})
    decision = policies.decide(call, Moment(0, UTC))
    assert isinstance(decision, Deny)
    assert "more than 10000 elements" in decision.reason
