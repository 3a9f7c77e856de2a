"""The guard of fields: what stands in a place is found, in each carrier and each copy of it."""

import base64
import json

from doorward.domain.findings import Direction, Finding, Severity
from doorward.inspection.fields import pattern
from doorward.inspection.guards.fields import Field, Fields
from doorward.inspection.view import Carrier, View, request_body
from tests.made import call

FIELD = Field("field_diagnosis", Severity.HIGH, frozenset({pattern("/patients/*/diagnosis")}), frozenset({Direction.RESPONSE}))
BODY: dict[str, object] = {"patients": [{"diagnosis": "flu"}]}
TEXT = json.dumps(BODY)
AT = TEXT.index("flu")


def high(pointer: str, start: int = 0, end: int = 0) -> Finding:
    return Finding("fields", "field_diagnosis", Severity.HIGH, pointer, start, end)


def look(body: dict[str, object], field: Field = FIELD) -> tuple[Finding, ...]:
    return Fields([field]).look(View(Carrier.RESPONSE, call(), body))


def test_a_field_is_found_in_the_structured_result_and_in_every_text_that_repeats_it() -> None:
    content = [{"type": "text", "text": TEXT}, {"type": "resource", "resource": {"uri": "x:", "text": TEXT}}]
    assert look({"content": content, "structuredContent": BODY}) == (
        high("/structuredContent/patients/0/diagnosis"),
        high("/content/0/text", AT, AT + 3),
        high("/content/1/resource/text", AT, AT + 3),
    )


def test_a_field_is_found_in_prompts_resources_and_what_errors_bring_along() -> None:
    messages = [{"role": "user", "content": {"type": "text", "text": TEXT}}]
    assert look({"messages": messages}) == (high("/messages/0/content/text", AT, AT + 3),)
    assert look({"contents": [{"uri": "x:", "text": TEXT}]}) == (high("/contents/0/text", AT, AT + 3),)
    assert look({"code": 1, "message": "no", "data": BODY}) == (high("/data/patients/0/diagnosis"),)


def test_a_field_of_requests_is_found_in_arguments_only_if_it_is_asked_for_there() -> None:
    made = call({"patients": [{"diagnosis": 7}]})
    view = View(Carrier.REQUEST, made, request_body(made))
    asked = Field(FIELD.rule, FIELD.severity, FIELD.patterns, frozenset(Direction))
    assert Fields([FIELD]).look(view) == ()
    assert Fields([asked]).look(view) == (high("/arguments/patients/0/diagnosis"),)


def test_a_field_of_other_upstreams_or_tools_is_not_looked_for() -> None:
    for upstreams, tools in (({"other"}, set()), (set(), {"other"})):
        field = Field(FIELD.rule, FIELD.severity, FIELD.patterns, FIELD.directions, frozenset(upstreams), frozenset(tools))
        assert look({"structuredContent": BODY}, field) == ()
    target = call().target
    own = Field(FIELD.rule, FIELD.severity, FIELD.patterns, FIELD.directions, frozenset({target.upstream}), frozenset({target.name}))
    assert look({"structuredContent": BODY}, own) == (high("/structuredContent/patients/0/diagnosis"),)


def test_a_field_of_very_many_rows_is_told_as_one_place_that_holds_them_all() -> None:
    assert look({"structuredContent": {"patients": [{"diagnosis": "flu"}] * 2000}}) == (high("/structuredContent/patients"),)


def test_a_field_is_found_in_json_that_is_the_message_of_an_error_or_of_progress_or_a_line_of_a_log() -> None:
    assert look({"code": 1, "message": TEXT, "data": None}) == (high("/message", AT, AT + 3),)
    assert look({"level": "info", "data": TEXT}) == (high("/data", AT, AT + 3),)


def test_a_field_is_found_in_json_that_is_read_as_bytes() -> None:
    blob = base64.b64encode(TEXT.encode()).decode()
    assert look({"contents": [{"uri": "x:", "blob": blob}]}) == (high("/contents/0/blob", 0, len(blob)),)
