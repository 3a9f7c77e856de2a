"""What makes a call the same call, and an answer the same answer."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission.runaway.digests import answer_digest, call_digest, fault_digest
from doorward.domain.calls import Fault
from tests.admission.runaway.trail import failed, text
from tests.made import call, target

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8)
ARGUMENTS = st.dictionaries(st.text(), JSON, max_size=4)


@given(ARGUMENTS, ARGUMENTS, JSON, JSON)
def test_calls_are_the_same_by_their_arguments_whatever_else_they_carry(
    one: dict[str, object], other: dict[str, object], first: object, second: object
) -> None:
    noisy = [call_digest(call(arguments, extras={"_meta": {"k": meta}})) for arguments in (one, other) for meta in (first, second)]
    assert noisy[0] == noisy[1]
    assert noisy[2] == noisy[3]
    assert (noisy[0] == noisy[2]) is (call(one).digest == call(other).digest)


def test_calls_of_other_targets_and_methods_are_others() -> None:
    meta = {"_meta": {"k": 1}}
    others = [
        call({"a": 1}, extras=meta),
        call({"a": 1}, extras=meta, to=target(name="push")),
        call({"a": 1}, extras=meta, to=target("hub")),
        call({"a": 1}, extras=meta, method="prompts/get"),
        call({"a": 2}, extras=meta),
    ]
    assert len({call_digest(one) for one in others}) == len(others)


def test_lists_are_others_by_their_cursor() -> None:
    lists = [call(method="tools/list", extras=extras) for extras in ({}, {"cursor": "a"}, {"cursor": "b"})]
    assert len({call_digest(one) for one in lists}) == 3


@pytest.mark.parametrize(
    "body",
    [
        text("a"),
        {"content": []},
        {"content": [{"type": "text", "text": "a", "annotations": {}}]},
        {"content": [{"type": "image", "data": "aGk=", "mimeType": "image/png"}]},
        {**text("a"), "structuredContent": {"n": Decimal("1.50")}},
        {"contents": [{"uri": "file:///a", "text": "a"}]},
        {"messages": []},
    ],
)
def test_an_answer_is_the_same_whatever_its_meta_says_and_another_if_it_errs(body: dict[str, object]) -> None:
    assert answer_digest(body) == answer_digest({**body, "_meta": {"at": 1}})
    assert answer_digest(body) is not None
    assert answer_digest(body) != answer_digest({**body, "isError": True})


def test_every_text_of_an_answer_counts() -> None:
    both = [{"type": "text", "text": said} for said in "ab"]
    answers: list[dict[str, object]] = [text("a"), text("b"), failed("a"), {"content": both}]
    assert len({answer_digest(body) for body in answers}) == 4


LONG = st.sampled_from(["a" * 5_000, "a" * 4_999 + "b", "short", "", 1, None])
BODIES = st.fixed_dictionaries(
    {
        "content": st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": LONG}), max_size=2),
        "structuredContent": st.recursive(
            LONG, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("kl"), inner), max_leaves=3
        ),
    }
)


@given(BODIES, BODIES)
def test_long_texts_count_wherever_they_stand(one: dict[str, object], other: dict[str, object]) -> None:
    assert (answer_digest(one) == answer_digest(other)) is (json.dumps(one) == json.dumps(other))


def test_a_long_text_counts_beyond_what_is_looked_at_for_it() -> None:
    deep = [{"structuredContent": {"a": {"b": {"c": {"d": "x" * 5_000 + said}}}}} for said in "aab"]
    wide = [{"structuredContent": ["x" * 5_000 + said, *range(20)]} for said in "aab"]
    for bodies in (deep, wide):
        digests = [answer_digest(body) for body in bodies]
        assert (digests[0] == digests[1], digests[0] == digests[2]) == (True, False)


def test_what_calls_itself_a_text_and_is_none_counts_as_a_whole() -> None:
    odd: list[dict[str, object]] = [{"content": [{"type": "text", "text": [said]}]} for said in "aab"]
    digests = [answer_digest(body) for body in odd]
    assert None not in digests
    assert (digests[0] == digests[1], digests[0] == digests[2]) == (True, False)


def test_what_is_no_json_is_like_nothing() -> None:
    assert answer_digest({"messages": [object()]}) is None


def test_errors_are_told_apart_by_what_they_say() -> None:
    faults = [Fault(-32602, "no"), Fault(-32602, "not there"), Fault(-32603, "no")]
    assert len({fault_digest(fault) for fault in faults}) == 3
