"""Masks of one message: the same for the same value wherever it stands."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.findings import Finding, Part, Severity
from doorward.inspection.edit import redacted
from doorward.inspection.walk import leaves

SSN, OTHER = "536-90-4399", "219-08-9997"


def finding(pointer: str, start: int = 0, end: int = 0, *, rule: str = "us_ssn", part: Part = Part.VALUE) -> Finding:
    return Finding("pii", rule, Severity.HIGH, pointer, start, end, part)


def test_what_is_found_once_is_withheld_everywhere_in_the_answer() -> None:
    body: dict[str, object] = {
        "content": [
            {"type": "text", "text": f"SSN {SSN}"},
            {"type": "resource", "resource": {"uri": f"people:{SSN}", "text": SSN}},
            {"type": "resource_link", "uri": "x:", "name": f"of {SSN}"},
        ],
        "structuredContent": {"ssn": SSN, SSN: 1},
        "_meta": {"seen": [SSN]},
    }
    mask = "[withheld: us_ssn]"
    assert redacted(body, [finding("/content/0/text", 4, 15)]).body == {
        "content": [
            {"type": "text", "text": f"SSN {mask}"},
            {"type": "resource", "resource": {"uri": f"people:{mask}", "text": mask}},
            {"type": "resource_link", "uri": "x:", "name": f"of {mask}"},
        ],
        "structuredContent": {"ssn": mask},
        "_meta": {"seen": [mask]},
    }


def test_different_values_of_a_rule_are_told_apart_and_the_same_ones_are_not() -> None:
    body: dict[str, object] = {"a": f"{SSN}, {OTHER}", "b": f"{OTHER} or {SSN}", "c": "536 90 4399"}
    found = [finding("/a", 0, 11), finding("/a", 13, 24), finding("/c")]
    one, two = "[withheld: us_ssn 1]", "[withheld: us_ssn 2]"
    assert redacted(body, found).body == {"a": f"{one}, {two}", "b": f"{two} or {one}", "c": one}


def test_the_json_copy_of_a_structured_result_stays_json() -> None:
    record = {"name": 'J "Jo" Müller', "ssn": 536904399, "address": {"street": "High Street 1", "city": "Ulm"}}
    body: dict[str, object] = {"content": [{"type": "text", "text": json.dumps(record)}], "structuredContent": record}
    found = [finding(f"/structuredContent/{name}", rule=f"field_{name}") for name in record]
    edited = redacted(body, found).body
    assert edited["structuredContent"] == {name: f"[withheld: field_{name}]" for name in record}
    assert isinstance(edited["content"], list)
    (block,) = edited["content"]
    # A short word such as the city stands in many a text by chance: it stays where nothing was found.
    assert json.loads(block["text"]) == {
        "name": "[withheld: field_name]",
        "ssn": "[withheld: field_ssn]",
        "address": {"street": "[withheld: field_address]", "city": "Ulm"},
    }


def test_short_values_are_withheld_elsewhere_as_words_of_their_own_only() -> None:
    body: dict[str, object] = {"a": "Lane", "b": "Lane 1, Lanes, planes", "type": "text"}
    assert redacted(body, [finding("/a", rule="x")]).body == {"a": "[withheld: x]", "b": "[withheld: x] 1, Lanes, planes", "type": "text"}


@given(
    st.recursive(
        st.text(max_size=20) | st.integers(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    ),
    st.text("abcdef0123456789-", min_size=8, max_size=20),
    st.text(max_size=5),
)
def test_no_value_that_is_withheld_is_left_anywhere(around: object, value: str, beside: str) -> None:
    body: dict[str, object] = {
        "found": value,
        "around": around,
        "copy": [f"{beside}{value}{beside}", {value: value}, json.dumps({"v": value})],
    }
    left = redacted(body, [finding("/found")]).body
    assert not any(value in text for _, text, _ in leaves(left))


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=20) | st.integers(), max_size=5))
def test_a_message_that_holds_nothing_of_it_stays_as_it_is(around: dict[str, object]) -> None:
    body: dict[str, object] = {"around": around, "found": "\x00 something else altogether \x00"}
    assert redacted(body, [finding("/found")]).body == {"around": around, "found": "[withheld: us_ssn]"}


def test_a_number_is_withheld_as_text_and_as_number_whether_it_is_whole_or_not() -> None:
    for number in (Decimal("123456.75"), Decimal("-123456.75"), 1234567, -1234567):
        body: dict[str, object] = {"a": number, "b": [f"paid {number} twice"], "c": {"d": number}}
        mask = "[withheld: us_ssn]"
        assert redacted(body, [finding("/a")]).body == {"a": mask, "b": [f"paid {mask} twice"], "c": {"d": mask}}


def test_numbers_in_what_is_withheld_whole_are_withheld_elsewhere_and_truth_values_are_not() -> None:
    body: dict[str, object] = {"a": {"b": [1234567, True]}, "c": "of 1234567", "d": 1234567, "e": True, "f": "True"}
    mask = "[withheld: us_ssn]"
    assert redacted(body, [finding("/a")]).body == {"a": mask, "c": f"of {mask}", "d": mask, "e": True, "f": "True"}


def test_a_value_is_the_same_in_upper_case_and_without_the_blanks_around_it() -> None:
    body: dict[str, object] = {"a": " Istanbul İl HIV positive ", "b": "istanbul İl hiv positive, ISTANBUL İL HIV POSITIVE"}
    assert redacted(body, [finding("/a")]).body == {"a": "[withheld: us_ssn]", "b": "[withheld: us_ssn], [withheld: us_ssn]"}
