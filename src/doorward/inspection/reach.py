"""How much work a JSON Schema can make of one value: so that a schema that is a bomb is never lit.

A validator applies sub-schemas to places in a value. References let a small schema apply so many of them to one place that no value is
checked in time (2^20 with twenty definitions that each name the next one twice). Counted here is the most that can meet in one
place, level by level of the value: up to how many levels it stays within bounds is the schema's reach.
"""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

import msgspec

MOST_APPLIED = 500
"""Sub-schemas that meet in one place; the widest of 448 real tools comes to 28."""

MOST_SCHEMAS = 1_000
"""Sub-schemas of one schema."""

ANY_DEPTH = 80
"""A reach that no value exceeds: more levels are not let in."""

NOT_AT_ALL = -1
"""The reach of a schema that is not tried."""

_HERE_ONE = ("not", "if", "then", "else")
_HERE_MANY = ("allOf", "anyOf", "oneOf")
_HERE_NAMED = ("dependentSchemas", "dependencies")
_BELOW_ONE = ("additionalProperties", "unevaluatedProperties", "unevaluatedItems", "additionalItems", "items", "contains", "propertyNames")
_BELOW_MANY = ("prefixItems", "items")
_BELOW_NAMED = ("patternProperties",)
_ELSEWHERE = ("$dynamicRef", "$recursiveRef")

Schema = Mapping[str, object]


class UnboundedError(ValueError):
    """A schema whose work cannot be bounded."""


class _Node(msgspec.Struct):
    """A sub-schema and where those in it are applied: in the same place, below by name, or below anywhere."""

    here: list[int] = msgspec.field(default_factory=list)
    named: list[int] = msgspec.field(default_factory=list)
    anywhere: list[int] = msgspec.field(default_factory=list)


def reach(schema: Schema) -> int:
    """How many levels a value may have to be checked by this schema; `ANY_DEPTH` or `NOT_AT_ALL` at the ends."""
    try:
        nodes = _nodes(schema)
        order = _inner_first(nodes)
    except UnboundedError:
        return NOT_AT_ALL
    below = dict.fromkeys(nodes, 0)
    for level in range(ANY_DEPTH + 1):
        now = _applied(nodes, order, below)
        if now[id(schema)] > MOST_APPLIED:
            return level - 1
        if now == below:
            break
        below = now
    return ANY_DEPTH


def depth(value: object, most: int) -> int:
    """How many levels a value has; counted no further than one more than `most`."""
    level: list[object] = [value]
    for levels in range(most + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return levels
    return most + 1


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _applied(nodes: Mapping[int, _Node], order: list[int], below: Mapping[int, int]) -> dict[int, int]:
    """The most sub-schemas that meet where each one is applied, given how many meet one level below."""
    now: dict[int, int] = {}
    for key in order:
        node = nodes[key]
        count = 1 + sum(now[child] for child in node.here)
        count += max((below[child] for child in node.named), default=0) + sum(below[child] for child in node.anywhere)
        now[key] = min(count, MOST_APPLIED + 1)
    return now


def _inner_first(nodes: Mapping[int, _Node]) -> list[int]:
    """Each sub-schema after those it applies in the same place; raises `UnboundedError` where it applies itself there."""
    waiting = {key: len(node.here) for key, node in nodes.items()}
    users: dict[int, list[int]] = {}
    for key, node in nodes.items():
        for child in node.here:
            users.setdefault(child, []).append(key)
    order = [key for key, count in waiting.items() if count == 0]
    for key in order:
        order += _ready(users.get(key, ()), waiting)
    if len(order) < len(nodes):
        raise UnboundedError("expected no sub-schema that applies itself in the same place")
    return order


def _ready(users: Iterable[int], waiting: dict[int, int]) -> list[int]:
    """Those that waited for one sub-schema more, and for none after it."""
    ready = []
    for user in users:
        waiting[user] -= 1
        if waiting[user] == 0:
            ready.append(user)
    return ready


def _nodes(root: Schema) -> dict[int, _Node]:
    nodes: dict[int, _Node] = {}
    queue: list[Schema] = [root]
    for schema in queue:
        if id(schema) in nodes:
            continue
        if len(nodes) >= MOST_SCHEMAS:
            raise UnboundedError(f"expected at most {MOST_SCHEMAS} sub-schemas")
        _check_place(schema, root)
        at_once, named, anywhere = list(here(schema, root)), list(_named(schema)), list(_anywhere(schema))
        nodes[id(schema)] = _Node([*map(id, at_once)], [*map(id, named)], [*map(id, anywhere)])
        queue.extend([*at_once, *named, *anywhere])
    return nodes


def _check_place(schema: Schema, root: Schema) -> None:
    """References are followed by pointer from the root; what would lead them elsewhere is not followed."""
    is_moved = schema is not root and any(isinstance(schema.get(key), str) for key in ("$id", "id"))
    if is_moved or any(key in schema for key in _ELSEWHERE):
        raise UnboundedError("expected references by pointer from the root only")


def here(schema: Schema, root: Schema) -> Iterator[Schema]:
    """The sub-schemas that a schema applies in its own place: what it refers to, combines, or asks on a condition."""
    if "$ref" in schema:
        yield from _schemas([_referred(schema["$ref"], root)])
    yield from _schemas(schema.get(key) for key in _HERE_ONE)
    for key in _HERE_MANY:
        yield from _items(schema.get(key))
    for key in _HERE_NAMED:
        yield from _values(schema.get(key))


def _named(schema: Schema) -> Iterator[Schema]:
    yield from _values(schema.get("properties"))


def _anywhere(schema: Schema) -> Iterator[Schema]:
    yield from _schemas(schema.get(key) for key in _BELOW_ONE)
    for key in _BELOW_MANY:
        yield from _items(schema.get(key))
    for key in _BELOW_NAMED:
        yield from _values(schema.get(key))


def _schemas(values: Iterator[object] | list[object]) -> Iterator[Schema]:
    return (value for value in values if isinstance(value, dict))


def _items(value: object) -> Iterator[Schema]:
    return _schemas(value) if isinstance(value, list) else iter(())


def _values(value: object) -> Iterator[Schema]:
    return _schemas(list(value.values())) if isinstance(value, dict) else iter(())


def _referred(reference: object, root: Schema) -> object:
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise UnboundedError("expected a reference into the schema itself")
    found: object = root
    for step in unquote(reference[1:]).split("/")[1:]:
        found = _step(found, step.replace("~1", "/").replace("~0", "~"))
    return found


def _step(value: object, step: str) -> object:
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
        return value[int(step)]
    raise UnboundedError("expected a reference to something that is there")
