"""What requests name, on both endpoints, and the call that they make."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.call.resolve import Caller, make_call, named, params_of, remade
from doorward.domain.calls import Era
from doorward.domain.catalog import Kind
from doorward.domain.ids import CallId
from doorward.domain.reasons import Reason, Refused
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import GotRefusal, Leaf, Sent
from doorward.testing.upstream import SHOWN, says, tool
from tests import made
from tests.call.steps import sent

TEMPLATE = {"name": "row", "uriTemplate": "db://{table}/{row}"}
DB = msgspec.structs.replace(
    SHOWN,
    tools=(
        tool("query"),
        {**tool("count"), "inputSchema": {"type": "object", "properties": {"of": {"type": "string", "x-mcp-header": "Of"}}}},
    ),
    prompts=({"name": "ask", "arguments": [{"name": "about"}]},),
    resources=({"name": "readme", "uri": "file:///readme"},),
    templates=(TEMPLATE,),
)
PLAN = Plan({"db": DB})


async def sent_by(*stimuli: Stimulus) -> list[Sent]:
    """What these requests make go upstream."""
    async with playbook(PLAN) as book:
        book.house.upstream("db").will(*[says({})] * len(stimuli))
        return [step for step in await book.play(*stimuli) if isinstance(step, Sent)]


REFERENCE = {"type": "ref/prompt", "name": "db__ask"}
PAIRS: list[tuple[str, Mapping[str, object], Mapping[str, object], Mapping[str, object]]] = [
    # method, params on the endpoint of all, params on the endpoint of one, what goes upstream from either
    ("tools/call", {"name": "db__query"}, {"name": "query"}, {"name": "query", "arguments": {}}),
    ("tools/call", {"name": "db__query", "arguments": None}, {"name": "query", "arguments": None}, {"name": "query", "arguments": {}}),
    (
        "prompts/get",
        {"name": "db__ask", "arguments": {"about": "it"}},
        {"name": "ask", "arguments": {"about": "it"}},
        {"name": "ask", "arguments": {"about": "it"}},
    ),
    ("resources/read", {"uri": "db+file:///readme"}, {"uri": "file:///readme"}, {"uri": "file:///readme"}),
    ("resources/read", {"uri": "db+file:///unlisted"}, {"uri": "file:///unlisted"}, {"uri": "file:///unlisted"}),
    (
        "completion/complete",
        {"ref": REFERENCE, "argument": {"name": "about", "value": "i"}},
        {"ref": {"type": "ref/prompt", "name": "ask"}, "argument": {"name": "about", "value": "i"}},
        {"ref": {"type": "ref/prompt", "name": "ask"}, "argument": {"name": "about", "value": "i"}},
    ),
    (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "db+db://{table}/{row}"}, "argument": {"name": "row", "value": "1"}, "context": {"a": 1}},
        {"ref": {"type": "ref/resource", "uri": "db://{table}/{row}"}, "argument": {"name": "row", "value": "1"}, "context": {"a": 1}},
        {"ref": {"type": "ref/resource", "uri": "db://{table}/{row}"}, "argument": {"name": "row", "value": "1"}, "context": {"a": 1}},
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "prefixed", "own", "upstream"), PAIRS)
async def test_both_endpoints_send_the_same_in_the_upstreams_own_names(
    method: str, prefixed: Mapping[str, object], own: Mapping[str, object], upstream: Mapping[str, object]
) -> None:
    assert await sent_by(Stimulus(method, prefixed), Stimulus(method, own, endpoint="db")) == [Sent("db", method, upstream)] * 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "db__query"}),
        ("resources/read", {"uri": ""}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "nothing"}}),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": "db://other"}}),
    ],
)
async def test_a_name_of_another_endpoint_means_nothing(method: str, params: Mapping[str, object]) -> None:
    async with playbook(PLAN) as book:
        answers = [step.reason for step in await book.play(Stimulus(method, params, endpoint="db")) if isinstance(step, GotRefusal)]
        assert answers in ([Reason.UNKNOWN_TARGET], [Reason.INVALID_PARAMS])
        assert book.house.upstream("db").orders == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "db__query", "arguments": {}}),
        ("prompts/get", {"name": "db__ask", "arguments": {}}),
        ("resources/read", {"uri": "db+file:///readme"}),
        ("completion/complete", {"ref": REFERENCE, "argument": {"name": "about", "value": ""}}),
    ],
)
@pytest.mark.parametrize("unknown", ["x-new", "uri", "ref", "argument", "context", "arguments", "name", "inputResponses"])
async def test_fields_that_a_method_does_not_know_go_upstream_as_they_are(method: str, params: Mapping[str, object], unknown: str) -> None:
    if unknown in params or (method == "completion/complete" and unknown == "context"):
        return
    (went,) = await sent_by(Stimulus(method, {**params, unknown: {"kept": [1, None]}}))
    assert went.params[unknown] == {"kept": [1, None]}


def test_what_goes_upstream_besides_the_arguments_is_part_of_the_digest() -> None:
    caller = Caller(made.principal(), "tools/call")
    digests = {
        make_call(CallId("c"), caller, target, arguments, extras).digest
        for target, arguments, extras in (
            (made.target(), {"a": 1}, {}),
            (made.target(), {"a": 1}, {"a": 1}),
            (made.target(), {"a": 1}, {"_meta": {"v": 1}}),
            (made.target(), {"a": "1"}, {}),
            (made.target(), {}, {"arguments": {"a": 1}}),
            (made.target(name="push"), {"a": 1}, {}),
            (made.target("hg"), {"a": 1}, {}),
        )
    }
    assert len(digests) == 7
    assert make_call(CallId("d"), Caller(made.principal("gpt"), "tools/call"), made.target(), {"a": 1}, {}).digest in digests


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


@given(ARGUMENTS, st.randoms())
def test_the_order_of_members_makes_no_other_call(arguments: dict[str, object], random: object) -> None:
    shuffled = dict(sorted(arguments.items(), key=lambda item: str(item[0])[::-1]))
    one = make_call(CallId("c"), Caller(made.principal(), "tools/call"), made.target(), arguments, {})
    assert make_call(CallId("c"), Caller(made.principal(), "tools/call"), made.target(), shuffled, {}).digest == one.digest


@given(ARGUMENTS, ARGUMENTS)
def test_an_edited_call_has_the_digest_of_what_it_says(arguments: dict[str, object], others: dict[str, object]) -> None:
    call = make_call(CallId("c"), Caller(made.principal(), "tools/call"), made.target(), arguments, {"x": 1})
    edited = remade(call, others, {"x": 1})
    assert (edited.digest == call.digest) is (edited.canonical == call.canonical)
    assert (edited.id, edited.target, edited.principal, edited.method) == (call.id, call.target, call.principal, call.method)
    assert remade(edited, arguments, {"x": 1}) == call
    assert params_of(edited) == {"name": call.target.name, "arguments": others, "x": 1}


def test_numbers_are_told_apart_by_value() -> None:
    def digest(value: object) -> str:
        return make_call(CallId("c"), Caller(made.principal(), "tools/call"), made.target(), {"a": value}, {}).digest

    assert digest(Decimal("1.50")) == digest(Decimal("1.5"))
    assert digest(2**63) != digest(2**63 + 1)


@pytest.mark.parametrize("method", ["tools/list", "ping", "tasks/get"])
def test_what_is_no_governed_call_names_nothing(method: str) -> None:
    with pytest.raises(Refused) as caught:
        named(method, {"name": "x"})
    assert caught.value.reason is Reason.UNKNOWN_METHOD


def test_a_resource_is_named_by_its_uri_and_policy_reads_it() -> None:
    assert named("resources/read", {"uri": "db+file:///readme", "name": 7}) == (
        Kind.RESOURCE,
        "db+file:///readme",
        {"uri": "db+file:///readme"},
    )


COUNT = tool_call("db__count", {"of": "users"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([(b"mcp-param-of", b"users")], None),
        ([(b"mcp-param-of", b"others")], Reason.HEADER_MISMATCH),
        ([], Reason.HEADER_MISMATCH),
        ([(b"mcp-param-of", b"users"), (b"mcp-param-of", b"users")], Reason.HEADER_MISMATCH),
    ],
)
async def test_headers_that_repeat_arguments_must_say_the_same(headers: list[tuple[bytes, bytes]], reason: Reason | None) -> None:
    async with playbook(PLAN) as book:
        trace = await book.play(replace(COUNT, headers=headers))
        assert [step.reason for step in trace if isinstance(step, GotRefusal)] == ([] if reason is None else [reason])
        assert (sent("count", "db", of="users") in trace) is (reason is None)


@pytest.mark.anyio
async def test_a_session_era_client_repeats_nothing_in_headers() -> None:
    async with playbook(PLAN) as book:
        assert leaves(await book.play(replace(COUNT, era=Era.SESSION)))[-1] == Leaf("outcome", "delivered")


@pytest.mark.anyio
async def test_other_keys_of_meta_go_upstream_and_into_the_digest() -> None:
    async with playbook(PLAN) as book:
        await book.play(replace(COUNT, era=Era.SESSION, meta={"com.example/x": 1}))
        (order,) = book.house.upstream("db").orders
        assert (order.meta, order.params) == ({"com.example/x": 1}, {"name": "count", "arguments": {"of": "users"}})


@given(ARGUMENTS, ARGUMENTS, st.text(min_size=1, max_size=8), st.booleans())
def test_the_bytes_of_a_call_are_the_canonical_ones_of_all_that_it_is(
    arguments: dict[str, object], extras: dict[str, object], name: str, is_known: bool
) -> None:
    target = made.target(name=name, definition="d1" if is_known else None)
    expected = made.call(arguments, to=target, extras=extras)
    for _ in range(2):
        call = make_call(CallId("c"), Caller(made.principal(), "tools/call"), target, arguments, extras)
        assert (call.canonical, call.digest) == (expected.canonical, expected.digest)
