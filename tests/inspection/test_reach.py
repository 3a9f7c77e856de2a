"""How much work a schema can make: bombs are told from honest recursion."""

import pytest

from doorward.inspection.reach import ANY_DEPTH, MOST_APPLIED, NOT_AT_ALL, depth, reach


def doubling(times: int) -> dict[str, object]:
    definitions: dict[str, object] = {
        f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}, {"$ref": f"#/$defs/d{number + 1}"}]} for number in range(times)
    }
    return {"$ref": "#/$defs/d0", "$defs": definitions | {f"d{times}": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
        {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
        {"items": {"$ref": "#"}, "$id": "https://x.example/s"},
        {"$ref": "#/properties/a/items", "properties": {"a": {"items": {"type": "string"}}}},
        {"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"type": "string"}}},
        {"properties": {"$ref": {"type": "string"}, "$dynamicRef": {"type": "string"}}},
        doubling(5),
    ],
    ids=str,
)
def test_honest_schemas_reach_any_depth(schema: dict[str, object]) -> None:
    assert reach(schema) == ANY_DEPTH


@pytest.mark.parametrize(
    "schema",
    [
        doubling(20),
        {"$ref": "#"},
        {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}},
        {"$ref": "https://evil.example/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#anchor"},
        {"$ref": "#/nowhere"},
        {"$ref": 7},
        {"$dynamicRef": "#x"},
        {"$recursiveRef": "#"},
        {"properties": {"a": {"$id": "https://other.example/", "$ref": "#/x"}}},
        {"properties": {f"p{number}": {} for number in range(1001)}},
        {"anyOf": [{"const": number} for number in range(MOST_APPLIED + 1)]},
    ],
    ids=lambda schema: str(schema)[:60],
)
def test_bombs_and_what_cannot_be_followed_are_not_tried(schema: dict[str, object]) -> None:
    assert reach(schema) == NOT_AT_ALL


def test_recursion_that_doubles_with_each_level_reaches_a_few_levels() -> None:
    schema = {"properties": {"next": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
    assert 0 < reach(schema) < 10


@pytest.mark.parametrize(("value", "levels"), [(1, 0), ("x", 0), ({}, 0), ([1], 1), ({"a": [{"b": 1}]}, 3)])
def test_levels_are_counted_from_the_outside(value: object, levels: int) -> None:
    assert depth(value, 9) == levels


def test_levels_are_counted_no_further_than_asked() -> None:
    assert depth([[[[[1]]]]], 2) == 3
