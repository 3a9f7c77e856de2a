"""Whether a tool's JSON Schema may be used: bounded, complete in itself, and valid in its dialect (PROTOCOL.md §1.16)."""

from collections.abc import Iterator, Mapping
from typing import Never

import jsonschema_rs

from doorward.wire.jsonrpc import dump

BYTES = 64 * 1024
DEPTH = 16
SUBSCHEMAS = 1_000

NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
"""Keywords that hold schemas by name: the mapping itself is none."""

VALUES = frozenset({"const", "default", "enum", "examples", "required"})
"""Keywords that hold values, which are not counted as schemas."""

POINTERS = ("$ref", "$dynamicRef", "$recursiveRef")

_LINEAR = jsonschema_rs.RegexOptions()
_UNFIT = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError)


def input_fault(schema: object) -> str | None:
    """Why a tool's `inputSchema` cannot be used; None if it can."""
    if not isinstance(schema, dict):
        return "inputSchema is missing or no object"
    if schema.get("type") != "object":
        return "inputSchema is not of type object"
    return _fault("inputSchema", schema)


def output_fault(schema: object) -> str | None:
    """Why a tool's `outputSchema` cannot be used; None if it can."""
    return _fault("outputSchema", schema) if isinstance(schema, dict) else "outputSchema is no object"


def _fault(field: str, schema: dict[str, object]) -> str | None:
    if len(dump(schema)) > BYTES:
        return f"{field} is larger than {BYTES} bytes"
    count, deepest = 0, 0
    for depth, pointer in _subschemas(schema):
        count, deepest = count + 1, max(deepest, depth)
        if count > SUBSCHEMAS or deepest > DEPTH:
            return f"{field} has more than {SUBSCHEMAS} schemas or {DEPTH} levels of them"
        if pointer is not None and not pointer.startswith("#"):
            return f"{field} refers to a schema outside of itself"
    return None if _is_valid(schema) else f"{field} is not valid JSON Schema"


def _subschemas(schema: object) -> Iterator[tuple[int, str | None]]:
    """Depth and reference of every object that is or could be a schema: also under unknown keywords, where a local reference may lead."""
    stack: list[tuple[object, int]] = [(schema, 1)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, Mapping):
            yield depth, _reference(node)
            stack.extend((inner, depth + 1) for key, value in node.items() if key not in VALUES for inner in _inner(key, value))
        elif isinstance(node, list):
            stack.extend((inner, depth) for inner in node)


def _inner(key: str, value: object) -> Iterator[object]:
    if key in NAMED and isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, Mapping | list):
        yield value


def _reference(schema: Mapping[str, object]) -> str | None:
    found = [value for key in POINTERS if isinstance(value := schema.get(key), str)]
    return next((value for value in found if not value.startswith("#")), found[0] if found else None)


def _is_valid(schema: dict[str, object]) -> bool:
    try:
        jsonschema_rs.validator_for(schema, validate_formats=False, retriever=_refuse, pattern_options=_LINEAR)
    except _UNFIT:
        return "$schema" not in schema and _is_draft_4(schema)
    return True


def _is_draft_4(schema: dict[str, object]) -> bool:
    """Real servers write draft 4 (`exclusiveMinimum: true`) and do not say so."""
    try:
        jsonschema_rs.Draft4Validator(schema, validate_formats=False, retriever=_refuse, pattern_options=_LINEAR)
    except _UNFIT:
        return False
    return True


def _refuse(uri: str) -> Never:
    raise ValueError(f"expected a schema that stands alone, it refers to {uri[:200]!r}")
