"""From a tool's JSON Schema (2020-12 and the drafts before it, as far as types go) to the shape of its arguments.

A schema says what a value may be; Cedar wants one type for each attribute. Where both can be true the schema becomes a
shape; where they cannot, a `Gap` says why. Keywords that only narrow a type (patterns, ranges, formats) change nothing.
INVARIANT: nothing here is trusted when a call is decided: `project` compares every value with its shape.
"""

from collections.abc import Mapping, Sequence

import msgspec

from doorward.policy.shapes import EMPTY, RESERVED, Exact, Field, Fields, Gap, Many, Shape, Text, Truth, Whole, word

DEPTH = 16
"""Levels of a schema that are followed; what lies deeper is a gap."""
NODES = 1_000
"""Sub-schemas of one tool that are looked at; what comes later is a gap, so that a schema bomb costs little."""

_SCALARS: Mapping[str, Shape] = {"string": Text(), "boolean": Truth(), "integer": Whole(), "number": Exact()}
_NO_TYPE = Gap("its schema names no type")


class _Seen(msgspec.Struct, frozen=True):
    """What one sub-schema came to; `shape` is None if it allows nothing but `null`."""

    shape: Shape | Gap | None
    nullable: bool = False


class _Walk(msgspec.Struct):
    """One walk over one tool's schema: where references lead, and what is left of the budget."""

    root: Mapping[str, object]
    left: int = NODES


def arguments_shape(schema: Mapping[str, object] | None) -> Fields | Gap:
    """The shape of a tool's arguments; a gap if the schema is not that of an object."""
    if not schema:
        return EMPTY
    found = _see(schema, _Walk(schema), frozenset(), 0).shape
    if found is _NO_TYPE:
        return EMPTY
    if isinstance(found, Fields | Gap):
        return found
    return Gap("its schema is not that of an object")


def _see(schema: object, walk: _Walk, via: frozenset[str], depth: int) -> _Seen:
    walk.left -= 1
    if walk.left < 0 or depth > DEPTH:
        return _Seen(Gap(f"its schema has more than {NODES} parts or {DEPTH} levels"))
    if not isinstance(schema, Mapping):
        return _Seen(_NO_TYPE)
    if "$ref" in schema:
        return _referred(schema["$ref"], walk, via, depth)
    types = _types(schema)
    if not types:
        return _combined(schema, walk, via, depth)
    named = [name for name in types if name != "null"]
    nullable = len(named) < len(types) or schema.get("nullable") is True
    if set(named) == {"integer", "number"}:
        named = ["number"]
    if len(named) != 1:
        return _Seen(Gap(f"it may be {' or '.join(named)}") if named else None, nullable)
    return _Seen(_of_type(named[0], schema, walk, via, depth), nullable)


def _of_type(name: str, schema: Mapping[str, object], walk: _Walk, via: frozenset[str], depth: int) -> Shape | Gap:
    if (scalar := _SCALARS.get(name)) is not None:
        return scalar
    if name == "object":
        return _record(schema, walk, via, depth)
    if name != "array":
        return Gap("its schema names an unknown type")
    element = _see(schema.get("items"), walk, via, depth + 1).shape
    if element is None or isinstance(element, Gap):
        return Gap(f"it is a list whose elements have no one type: {element.reason}" if element else "it is a list of nulls")
    return Many(element)


def _record(schema: Mapping[str, object], walk: _Walk, via: frozenset[str], depth: int) -> Fields:
    required = frozenset(name for name in _sequence(schema.get("required")) if isinstance(name, str))
    properties = schema.get("properties")
    fields: dict[str, Field] = {}
    gaps: dict[str, str] = {}
    for name, inner in properties.items() if isinstance(properties, Mapping) else ():
        seen = _Seen(Gap("its name is reserved")) if name in RESERVED else _see(inner, walk, via, depth + 1)
        match seen.shape:
            case None:
                gaps[name] = "it is always null"
            case Gap(reason=reason):
                gaps[name] = reason
            case shape:
                fields[name] = Field(shape, name in required and not seen.nullable, seen.nullable)
    return Fields(fields, gaps)


def _referred(reference: object, walk: _Walk, via: frozenset[str], depth: int) -> _Seen:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return _Seen(Gap("its schema refers to another document"))
    if reference in via:
        return _Seen(Gap("its schema refers to itself"))
    place: object = walk.root
    for token in reference[1:].split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        place = place.get(key) if isinstance(place, Mapping) else None
    return _see(place, walk, via | {reference}, depth + 1)


def _types(schema: Mapping[str, object]) -> tuple[str, ...]:
    """The types a schema names, or shows by its other keywords."""
    match schema.get("type"):
        case str(name):
            return (name,)
        case [*names]:
            return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))
    if isinstance(schema.get("properties"), Mapping):
        return ("object",)
    values = [schema["const"]] if "const" in schema else _sequence(schema.get("enum"))
    return tuple(dict.fromkeys(_type_of(value) for value in values))


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case Mapping():
            return "object"
        case list():
            return "array"
    return "number"


def _combined(schema: Mapping[str, object], walk: _Walk, via: frozenset[str], depth: int) -> _Seen:
    """A schema without a type of its own: any of, one of, or all of others."""
    for key in ("anyOf", "oneOf", "allOf"):
        if branches := _sequence(schema.get(key)):
            seen = [_see(branch, walk, via, depth + 1) for branch in branches]
            shapes = [one.shape for one in seen if one.shape is not None and not (key == "allOf" and one.shape is _NO_TYPE)]
            some, every = any(one.nullable for one in seen), all(one.nullable for one in seen)
            return _Seen(_united(shapes, key == "allOf"), every if key == "allOf" else some)
    return _Seen(_NO_TYPE)


def _united(shapes: Sequence[Shape | Gap], all_hold: bool) -> Shape | Gap | None:
    distinct: list[Shape] = []
    for shape in shapes:
        if isinstance(shape, Gap):
            return shape
        if shape not in distinct:
            distinct.append(shape)
    if len(distinct) <= 1:
        return distinct[0] if distinct else None
    if all(isinstance(shape, Whole | Exact) for shape in distinct):
        return Exact()
    records = [shape for shape in distinct if isinstance(shape, Fields)]
    if len(records) == len(distinct):
        return _merged(records, all_hold)
    return Gap(f"it may be {' or '.join(dict.fromkeys(word(shape) for shape in distinct))}")


def _merged(records: Sequence[Fields], all_hold: bool) -> Fields:
    """One record for several: a field is required if it is in all of them (or, where all hold, in any)."""
    fields: dict[str, Field] = {}
    gaps = {name: reason for record in records for name, reason in record.gaps.items()}
    for name in dict.fromkeys(name for record in records for name in record.fields):
        found = [record.fields[name] for record in records if name in record.fields]
        shape = _united([field.shape for field in found], all_hold)
        if isinstance(shape, Gap) or shape is None:
            gaps[name] = shape.reason if shape else "it is always null"
            continue
        needed = [field.required for field in found]
        required = any(needed) if all_hold else len(needed) == len(records) and all(needed)
        nullable = any(field.nullable for field in found)
        fields[name] = Field(shape, required and not nullable, nullable)
    return Fields({name: field for name, field in fields.items() if name not in gaps}, gaps)


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
