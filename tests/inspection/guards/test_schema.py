"""The schema guard: a tool's own word about what it takes and gives."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.findings import Finding, Severity
from doorward.inspection.guards import schema
from doorward.inspection.guards.schema import Schema
from doorward.inspection.view import Carrier, View, request_body
from tests.made import call, target

INPUT = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "pattern": "^/srv/", "maxLength": 20},
        "lines": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "share": {"type": "number", "multipleOf": Decimal("0.1")},
    },
    "required": ["path"],
    "additionalProperties": False,
}
OUTPUT = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"]}


def guard(definition: Mapping[str, object] | None) -> Schema:
    return Schema(lambda _: definition)


def asked(arguments: Mapping[str, object], definition: Mapping[str, object] | None = None) -> list[tuple[str, str]]:
    made = call(arguments)
    found = guard({"inputSchema": INPUT} if definition is None else definition).look(View(Carrier.REQUEST, made, request_body(made)))
    assert {finding.severity for finding in found} <= {Severity.HIGH}
    return [(finding.rule, finding.pointer) for finding in found]


def answered(body: Mapping[str, object], output: object = OUTPUT) -> tuple[Finding, ...]:
    definition: dict[str, object] = {"inputSchema": {}, "outputSchema": output}
    return guard(definition).look(View(Carrier.RESPONSE, call(), body))


@pytest.mark.parametrize(
    "arguments",
    [{"path": "/srv/a"}, {"path": "/srv/a", "lines": [1, 10**30]}, {"path": "/srv/a", "share": Decimal("0.3")}],
    ids=str,
)
def test_arguments_that_keep_to_the_schema_are_not_remarked_on(arguments: dict[str, object]) -> None:
    assert asked(arguments) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ("schema_required", "/arguments")),
        ({"path": 1}, ("schema_type", "/arguments/path")),
        ({"path": "/etc/passwd"}, ("schema_pattern", "/arguments/path")),
        ({"path": "/srv/" + "a" * 20}, ("schema_max_length", "/arguments/path")),
        ({"path": "/srv/a", "lines": [1, 0]}, ("schema_minimum", "/arguments/lines/1")),
        ({"path": "/srv/a", "share": Decimal("0.35")}, ("schema_multiple_of", "/arguments/share")),
        ({"path": "/srv/a", "extra/field": 1}, ("schema_unknown_argument", "/arguments/extra~1field")),
    ],
    ids=str,
)
def test_arguments_that_do_not_are_named_by_keyword_and_place(arguments: dict[str, object], expected: tuple[str, str]) -> None:
    assert asked(arguments) == [expected]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "object", "properties": {"path": {}}}, [("schema_unknown_argument", "/arguments/extra")]),
        ({"type": "object", "properties": {}}, [("schema_unknown_argument", "/arguments/path")]),
        ({"type": "object"}, []),
        ({"type": "object", "properties": {"path": {}}, "additionalProperties": {"type": "integer"}}, []),
        ({"type": "object", "properties": {"path": {}}, "additionalProperties": {"type": "string"}}, [("schema_type", "/arguments/extra")]),
    ],
    ids=str,
)
def test_an_argument_that_a_schema_does_not_know_is_reported_unless_more_may_come(schema: object, expected: object) -> None:
    assert asked({"path": "/srv/a", "extra": 1}, {"inputSchema": schema}) == expected


def test_an_upstream_may_be_given_what_nobody_knows_where_an_operator_says_so() -> None:
    made = call({"path": "/srv/a", "extra": 1})
    lenient = Schema(lambda _: {"inputSchema": {"properties": {"path": {}}}}, lambda upstream: upstream == made.target.upstream)
    assert lenient.look(View(Carrier.REQUEST, made, request_body(made))) == ()


def test_unknown_arguments_are_remarked_on_only_where_the_schema_forbids_them() -> None:
    assert asked({"path": "/srv/a", "extra": 1}, {"inputSchema": {**INPUT, "additionalProperties": True}}) == []


@pytest.mark.parametrize(
    "hostile",
    [
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$schema": "https://evil.example/dialect"},
        {"pattern": "(?=a)b"},
        {"type": "no-such-type"},
        {"properties": {"a": {"description": "x" * 70_000}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        "not a schema",
        None,
    ],
    ids=lambda hostile: str(hostile)[:40],
)
def test_a_schema_that_cannot_be_trusted_is_reported_and_not_tried(hostile: object) -> None:
    assert asked({}, {"inputSchema": hostile}) == [("schema_uncheckable", "/arguments")]


def test_a_definition_that_is_not_known_is_reported_and_asked_for_again() -> None:
    known: list[Mapping[str, object]] = []
    found = Schema(lambda _: known[0] if known else None)
    made = call({"path": "/srv/a"})
    view = View(Carrier.REQUEST, made, request_body(made))
    assert [finding.rule for finding in found.look(view)] == ["schema_uncheckable"]
    known.append({"inputSchema": INPUT})
    assert found.look(view) == ()


def test_a_pattern_that_backtracks_elsewhere_is_linear_here() -> None:
    definition = {"inputSchema": {"properties": {"a": {"pattern": "^(a+)+$"}}}}
    assert asked({"a": "a" * 50_000 + "!"}, definition) == [("schema_pattern", "/arguments/a")]


def test_draft_4_is_understood_where_it_is_not_declared() -> None:
    definition = {"inputSchema": {"properties": {"page": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}}}}
    assert asked({"page": 1}, definition) == []
    assert asked({"page": 0}, definition) == [("schema_minimum", "/arguments/page")]


def test_each_definition_is_compiled_once() -> None:
    defined: list[Call] = []

    def define(of: Call) -> Mapping[str, object]:
        defined.append(of)
        return {"inputSchema": INPUT}

    found = Schema(define)
    for name in ("d1", "d1", "d2", "d1"):
        made = call({"path": "/srv/a"}, to=target(definition=name))
        assert found.look(View(Carrier.REQUEST, made, request_body(made))) == ()
    assert [made.target.definition for made in defined] == ["d1", "d2"]


def test_compiled_definitions_are_bounded() -> None:
    found = Schema(lambda _: {"inputSchema": True})
    for number in range(schema.MOST_COMPILED + 5):
        made = call(to=target(definition=f"d{number}"))
        found.look(View(Carrier.REQUEST, made, request_body(made)))
    assert len(found._compiled) == schema.MOST_COMPILED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"content": [], "structuredContent": {"sum": 3}}, ()),
        ({"content": [], "structuredContent": {"sum": "3"}}, (("schema_type", Severity.MEDIUM, "/structuredContent/sum"),)),
        ({"content": [], "structuredContent": None}, (("schema_type", Severity.MEDIUM, "/structuredContent"),)),
        ({"content": []}, (("structured_content_missing", Severity.LOW, ""),)),
        ({"content": [], "isError": True}, ()),
        ({"resultType": "input_required", "inputRequests": {}}, ()),
        ({"code": -32602, "message": "no", "data": None}, ()),
    ],
    ids=str,
)
def test_a_structured_result_is_held_to_its_own_schema(body: dict[str, object], expected: tuple[tuple[str, Severity, str], ...]) -> None:
    assert tuple((finding.rule, finding.severity, finding.pointer) for finding in answered(body)) == expected


def test_a_result_is_not_lost_because_its_own_schema_cannot_be_checked() -> None:
    body = {"content": [], "structuredContent": {"sum": 1}}
    assert answered(body, {"$ref": "https://evil.example/x"}) == (
        Finding("schema", "schema_uncheckable", Severity.LOW, "/structuredContent"),
    )


def test_a_result_without_a_schema_is_not_held_to_any() -> None:
    assert answered({"content": []}, output=None) == ()


def test_only_tool_calls_have_schemas() -> None:
    prompt = call({"x": 1}, to=target(kind=Kind.PROMPT), method="prompts/get")
    completion = call({"x": 1}, method="completion/complete")
    for made in (prompt, completion):
        assert guard(None).look(View(Carrier.REQUEST, made, request_body(made))) == ()
    assert guard(None).look(View(Carrier.NOTICE, call(), {"progress": 1})) == ()


def test_a_value_deeper_than_the_schema_can_be_followed_is_not_tried() -> None:
    definition = {"inputSchema": {"properties": {"n": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}}
    assert asked({"n": {"n": {}}}, definition) == []
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"n": deep}
    assert asked(deep, definition) == [("schema_uncheckable", "/arguments")]
