"""Which arguments a schema knows."""

from collections.abc import Mapping

import pytest

from doorward.inspection.known import known

TEXT = {"type": "string"}
A = {"properties": {"a": TEXT}}
B = {"properties": {"b": TEXT}}


@pytest.mark.parametrize(
    "schema",
    [
        A,
        {"type": "object", **A, "additionalProperties": False},
        {"$ref": "#/$defs/x", "$defs": {"x": A}},
        {"allOf": [{"$ref": "#/$defs/x"}], "$defs": {"x": A}},
        {"anyOf": [A, {"required": ["a"]}]},
        {"oneOf": [A, {"type": "object"}]},
        {"if": {"required": ["a"]}, "then": A, "else": {}},
        {"dependentSchemas": {"a": A}},
        {"patternProperties": {"^a$": TEXT}},
        {"properties": {}, "required": ["a"]},
        {**A, "unevaluatedProperties": False},
    ],
    ids=str,
)
def test_a_name_that_a_schema_does_not_mention_is_unknown_and_one_that_it_does_is_not(schema: Mapping[str, object]) -> None:
    names = known(schema)
    assert names is not None
    assert (names.first_unknown({"a": 1}), names.first_unknown({"a": 1, "x": 1, "y": 2})) == (None, "x")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {},
        True,
        None,
        {**A, "additionalProperties": True},
        {**A, "additionalProperties": {"type": "string"}},
        {**A, "unevaluatedProperties": True},
        {"allOf": [A, {"additionalProperties": {}}]},
        {"anyOf": [A, {**B, "additionalProperties": True}]},
        {"minProperties": 1},
    ],
    ids=str,
)
def test_a_schema_that_says_more_may_come_or_names_nothing_lets_any_name_in(schema: object) -> None:
    assert known(schema) is None


def test_names_below_the_top_are_not_those_of_arguments() -> None:
    names = known({"properties": {"a": {"type": "object", "properties": {"inner": TEXT}, "additionalProperties": True}}})
    assert names is not None
    assert names.first_unknown({"inner": 1}) == "inner"


def test_names_of_all_branches_are_known_together() -> None:
    names = known({"oneOf": [A, B], "patternProperties": {"^x-": {}}})
    assert names is not None
    assert names.first_unknown({"a": 1, "b": 1, "x-c": 1}) is None


def test_a_schema_that_refers_to_itself_is_read_once() -> None:
    names = known({"properties": {"a": {"$ref": "#"}}})
    assert names is not None
    assert names.first_unknown({"a": 1, "b": 1}) == "b"
