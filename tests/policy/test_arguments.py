"""From JSON Schema to shapes: what Cedar can hold, and why not."""

from collections.abc import Mapping

import pytest
from cedarpy import Schema
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.catalog import Kind
from doorward.policy.arguments import NODES, arguments_shape
from doorward.policy.schema import SchemaEntry, vocabulary
from doorward.policy.shapes import EMPTY, Exact, Field, Fields, Gap, Many, Shape, Text, Truth, Whole, gaps_of
from tests.policy.world import MAIL, target

OPTIONAL = {"nullable": True}


def of(schema: object, *required: str, **rest: object) -> Fields:
    found = arguments_shape({"type": "object", "properties": {"x": schema}, "required": list(required), **rest})
    assert isinstance(found, Fields)
    return found


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        ({"type": "string", "format": "date-time", "pattern": "^a"}, Text()),
        ({"type": "boolean"}, Truth()),
        ({"type": "integer", "minimum": 0}, Whole()),
        ({"type": "number"}, Exact()),
        ({"type": ["integer", "number"]}, Exact()),
        ({"enum": ["a", "b"]}, Text()),
        ({"enum": [1, 2]}, Whole()),
        ({"const": True}, Truth()),
        ({"enum": [1.5]}, Exact()),
        ({"const": {"a": 1}}, EMPTY),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, Text()),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, Exact()),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, Text()),
        ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, Many(Many(Text()))),
        ({"type": "object"}, EMPTY),
        ({"type": "object", "additionalProperties": {"type": "string"}}, EMPTY),
        ({"properties": {"y": {"type": "string"}}, "required": ["y"]}, Fields({"y": Field(Text(), required=True)}, {})),
        ({"$ref": "#/$defs/a~1b/properties/q"}, Text()),
    ],
)
def test_a_schema_of_one_type_has_a_shape(schema: Mapping[str, object], shape: Shape) -> None:
    definitions = {"a/b": {"properties": {"q": {"type": "string"}}}}
    assert of(schema, **{"$defs": definitions}) == Fields({"x": Field(shape)}, {})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["string", "null"]},
        {"type": "string", "nullable": True},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"enum": ["a", None]},
        {"anyOf": [{"enum": ["a", None]}, {"const": "b"}]},
    ],
)
def test_what_may_be_null_is_never_required(schema: Mapping[str, object]) -> None:
    assert of(schema, "x") == Fields({"x": Field(Text(), required=False, nullable=True)}, {})


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({}, "its schema names no type"),
        (True, "its schema names no type"),
        ({"description": "anything"}, "its schema names no type"),
        ({"type": "null"}, "it is always null"),
        ({"anyOf": [{"type": "null"}]}, "it is always null"),
        ({"enum": [["a"], ["b"]]}, "it is a list whose elements have no one type: its schema names no type"),
        ({"type": "frob"}, "its schema names an unknown type"),
        ({"type": ["string", "integer", "null"]}, "it may be string or integer"),
        ({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, "it may be a string or a list"),
        ({"oneOf": [{"type": "object"}, {"type": "boolean"}]}, "it may be an object or true or false"),
        ({"anyOf": [{"type": "string"}, {}]}, "its schema names no type"),
        ({"type": "array"}, "it is a list whose elements have no one type: its schema names no type"),
        ({"type": "array", "items": {"type": "null"}}, "it is a list of nulls"),
        ({"$ref": "https://example.com/x.json"}, "its schema refers to another document"),
        ({"$ref": 7}, "its schema refers to another document"),
        ({"$ref": "#/$defs/nothing"}, "its schema names no type"),
        ({"$ref": "#/$defs/loop"}, "it is a list whose elements have no one type: its schema refers to itself"),
    ],
)
def test_a_schema_of_several_types_or_none_is_a_gap(schema: object, reason: str) -> None:
    definitions = {"loop": {"type": "array", "items": {"$ref": "#/$defs/loop"}}}
    assert of(schema, "x", **{"$defs": definitions}) == Fields({}, {"x": reason})


def test_reserved_names_are_gaps() -> None:
    shape = arguments_shape({"properties": {name: {"type": "string"} for name in ("__entity", "__extn", "__expr")}})
    assert shape == Fields({}, dict.fromkeys(("__entity", "__extn", "__expr"), "its name is reserved"))


def test_objects_of_a_union_become_one_record_of_what_they_agree_on() -> None:
    one = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}},
        "required": ["a", "b"],
    }
    two = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": ["string", "null"]}, "c": {"type": "integer"}},
        "required": ["a"],
    }
    either = of({"anyOf": [one, two]})
    assert either == Fields(
        {
            "x": Field(
                Fields(
                    {"a": Field(Text(), required=True), "b": Field(Text(), nullable=True)}, {"c": "it may be a string or a whole number"}
                )
            )
        },
        {},
    )
    both = of({"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"d": {"type": "boolean"}}}]})
    assert both == Fields({"x": Field(Fields({"a": Field(Text(), required=True), "d": Field(Truth())}, {}))}, {})


def test_a_tool_without_a_schema_takes_nothing() -> None:
    assert [arguments_shape(schema) for schema in (None, {}, {"type": "object"}, {"description": "none"})] == [EMPTY] * 4


def test_a_schema_that_is_not_that_of_an_object_is_a_gap() -> None:
    assert arguments_shape({"type": "string"}) == Gap("its schema is not that of an object")
    assert arguments_shape({"anyOf": [{"type": "object"}, {"type": "string"}]}) == Gap("it may be an object or a string")


def test_a_schema_bomb_ends_at_the_budget() -> None:
    deep: dict[str, object] = {"type": "string"}
    for _ in range(40):
        deep = {"type": "object", "properties": {"a": deep, "b": deep}}
    shape = arguments_shape(deep)
    assert isinstance(shape, Fields)
    assert {reason for _, reason in gaps_of(shape)} == {f"its schema has more than {NODES} parts or 16 levels"}


names = st.text(max_size=8) | st.sampled_from(("__entity", "__cedar", "if", "in", "::", '"', "\n", ""))


def record(properties: dict[str, object], required: list[str]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": required}


schemas = st.recursive(
    st.sampled_from(
        ({"type": "string"}, {"type": "number"}, {"type": ["integer", "null"]}, {}, True, {"$ref": "#"}, {"enum": [None, 1, "a"]})
    ),
    lambda inner: (
        st.builds(
            lambda p, r: {"type": "object", "properties": p, "required": r},
            st.dictionaries(names, inner, max_size=4),
            st.lists(names, max_size=3),
        )
        | st.builds(lambda one: {"type": "array", "items": one}, inner)
        | st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda some: {"allOf": some}, st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=8,
)


@given(names, st.dictionaries(names, schemas, max_size=4), st.sampled_from((Kind.TOOL, Kind.PROMPT)))
def test_cedar_takes_the_schema_of_any_tool(name: str, properties: dict[str, object], kind: Kind) -> None:
    hostile = SchemaEntry(target("mail", name, kind=kind), {"type": "object", "properties": properties})
    Schema.from_json_str(vocabulary([hostile], [MAIL]).schema())
