"""A schema is used only if it is bounded, stands alone and is valid."""

import pytest

from doorward.catalog.schemas import BYTES, DEPTH, SUBSCHEMAS, input_fault, output_fault


def nested(depth: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "object"}
    for _ in range(depth - 1):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"type": "string"}}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "integer"}}},
        {"type": "object", "properties": {"a": {"minimum": 0, "exclusiveMinimum": True}}},
        {"type": "object", "properties": {"$ref": {"type": "string"}, "properties": {"type": "object"}}},
        {"type": "object", "properties": {"a": {"default": {"$ref": "https://example.com/"}, "enum": [{"$ref": "x"}]}}},
        nested(DEPTH),
        {"type": "object", "properties": {f"a{n}": {} for n in range(SUBSCHEMAS - 1)}},
    ],
)
def test_sound_schemas_have_no_fault(schema: object) -> None:
    assert input_fault(schema) is None
    assert output_fault(schema) is None


OUTSIDE = "inputSchema refers to a schema outside of itself"
MANY = f"inputSchema has more than {SUBSCHEMAS} schemas or {DEPTH} levels of them"
INVALID = "inputSchema is not valid JSON Schema"


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (None, "inputSchema is missing or no object"),
        (True, "inputSchema is missing or no object"),
        ({}, "inputSchema is not of type object"),
        ({"type": "string"}, "inputSchema is not of type object"),
        ({"type": ["object"]}, "inputSchema is not of type object"),
        ({"type": "object", "description": "x" * BYTES}, f"inputSchema is larger than {BYTES} bytes"),
        (nested(DEPTH + 1), MANY),
        ({"type": "object", "properties": {f"a{n}": {} for n in range(SUBSCHEMAS)}}, MANY),
        ({"type": "object", "x-unknown": {"a": {"b": {}}}, "properties": {f"a{n}": {} for n in range(SUBSCHEMAS - 2)}}, MANY),
        ({"type": "object", "$ref": "https://example.com/schema.json"}, OUTSIDE),
        ({"type": "object", "$ref": "other.json#/x"}, OUTSIDE),
        ({"type": "object", "properties": {"a": {"anyOf": [{"$dynamicRef": "http://169.254.169.254/latest"}]}}}, OUTSIDE),
        ({"type": "object", "x-hidden": {"deep": [{"$ref": "file:///etc/passwd"}]}, "$ref": "#/x-hidden/deep/0"}, OUTSIDE),
        ({"type": "object", "$ref": "#/nowhere"}, INVALID),
        ({"type": "object", "properties": {"a": {"type": "strnig"}}}, INVALID),
        ({"type": "object", "properties": {"a": {"pattern": "("}}}, INVALID),
        ({"type": "object", "$schema": "https://example.com/my-dialect"}, INVALID),
        (
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"a": {"exclusiveMinimum": True}}},
            INVALID,
        ),
    ],
)
def test_other_schemas_are_refused_with_a_reason(schema: object, fault: str) -> None:
    assert input_fault(schema) == fault


def test_an_output_schema_may_be_of_any_type_but_must_be_an_object() -> None:
    assert output_fault({"type": "array", "items": {"type": "string"}}) is None
    assert output_fault([]) == "outputSchema is no object"
    assert output_fault({"type": 1}) == "outputSchema is not valid JSON Schema"
