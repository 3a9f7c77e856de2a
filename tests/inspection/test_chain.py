"""Inspection as the spine sees it: every carrier, the guards in order, edits that make another call."""

import hashlib
from collections.abc import Mapping

import msgspec
import pytest

from doorward.credentials.fingerprints import Fingerprints
from doorward.domain.calls import Answer, Call, Fault, Notice
from doorward.domain.findings import Finding, Severity
from doorward.domain.ids import Digest
from doorward.inspection.chain import MOST_FINDINGS, Inspection, Marking
from doorward.inspection.edit import EditError
from doorward.inspection.guards.own_secrets import OwnSecrets
from doorward.inspection.guards.schema import Schema
from doorward.inspection.guards.size import Size
from doorward.inspection.guards.unicode import Unicode
from doorward.inspection.view import Guard, View
from tests.made import call

SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
MARK = "0123456789abcdef"
DEFINITION = {"inputSchema": {"properties": {"text": {"type": "string"}, "n": {}}}, "outputSchema": {"type": "object"}}


def remake(of: Call, arguments: Mapping[str, object], extras: Mapping[str, object]) -> Call:
    canonical = msgspec.json.encode([arguments, extras], order="sorted")
    return Call(of.id, of.principal, of.target, of.method, arguments, extras, canonical, Digest(hashlib.sha256(canonical).hexdigest()))


def inspection(*guards: Guard) -> Inspection:
    known = Fingerprints(b"k" * 32)
    known.add(SECRET)
    schema = Schema(lambda _: DEFINITION)
    return Inspection(guards or (Size(), schema, Unicode(), OwnSecrets(known)), remake, Marking(lambda: MARK, schema))


def rules(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.pointer) for finding in found]


def test_an_honest_call_and_its_answer_give_nothing() -> None:
    made = call({"text": "hello"}, extras={"_meta": {"a": "b"}})
    body = {"content": [{"type": "text", "text": "hi 👩‍💻\n"}], "structuredContent": {}}
    assert inspection().request(made) == ()
    assert inspection().response(made, Answer(body, 10)) == ()
    assert inspection().notice(made, Notice("notifications/progress", {"progress": 1, "message": "half"})) == ()


def test_arguments_and_every_other_field_that_goes_upstream_are_looked_at() -> None:
    made = call({"text": "a\u200bb"}, extras={"inputResponses": [{"x": SECRET}], "_meta": {"k\u202e": 1}})
    assert rules(inspection().request(made)) == [
        ("invisible_character", "/arguments/text"),
        ("bidi_control", "/extras/_meta/k\u202e"),
        ("own_credential", "/extras/inputResponses/0/x"),
    ]


def test_results_errors_and_notifications_are_one_walk() -> None:
    made, text = call(), f"\x1b[1m{SECRET}"
    expected = ["ansi_escape", "own_credential"]
    result = Answer({"content": [{"type": "resource", "resource": {"uri": "x:", "text": text}}], "structuredContent": {}}, 1)
    error = Answer(Fault(-32000, "failed", {"trace": [text]}), 1)
    notice = Notice("notifications/message", {"level": "info", "data": {"line": text}})
    assert rules(inspection().response(made, result)) == [(rule, "/content/0/resource/text") for rule in expected]
    assert rules(inspection().response(made, error)) == [(rule, "/data/trace/0") for rule in expected]
    assert rules(inspection().notice(made, notice)) == [(rule, "/data/line") for rule in expected]


def test_an_edited_call_is_another_call_of_the_same_target() -> None:
    made = call({"text": "a\u200bb", "n": 1}, extras={"x": SECRET})
    edited = inspection().edit_request(made, inspection().request(made))
    assert (edited.arguments, edited.extras) == ({"text": "ab", "n": 1}, {"x": "[withheld: own_credential]"})
    assert (edited.target, edited.id, edited.principal) == (made.target, made.id, made.principal)
    assert edited.digest != made.digest
    assert inspection().request(edited) == ()


def test_an_edited_answer_keeps_its_kind() -> None:
    made, text = call(), "a\x00b"
    result = {"content": [{"type": "text", "text": text}], "structuredContent": {}}
    assert inspection().edit_response(made, result, inspection().response(made, Answer(result, 1))).body == {
        "content": [{"type": "text", "text": "ab"}],
        "structuredContent": {},
    }
    fault = Fault(-32000, text, {"detail": text})
    assert inspection().edit_response(made, fault, inspection().response(made, Answer(fault, 1))).body == Fault(
        -32000, "ab", {"detail": "ab"}
    )
    notice = Notice("notifications/message", {"data": text})
    assert inspection().edit_notice(notice, inspection().notice(made, notice)) == Notice("notifications/message", {"data": "ab"})


def test_arguments_are_not_replaced_by_a_mask() -> None:
    with pytest.raises(EditError):
        inspection().edit_request(call(), [Finding("schema", "schema_required", Severity.HIGH, "/arguments")])


def test_guards_report_in_their_order() -> None:
    class Says:
        def __init__(self, rule: str) -> None:
            self._rule = rule

        def look(self, view: View) -> tuple[Finding, ...]:
            return (Finding("test", self._rule, Severity.LOW, ""),)

    assert [rule for rule, _ in rules(inspection(Says("b"), Says("a")).request(call()))] == ["b", "a"]


def test_an_error_in_a_guard_is_not_swallowed() -> None:
    class Fails:
        def look(self, view: View) -> tuple[Finding, ...]:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        inspection(Fails(), Unicode()).request(call())


def test_findings_are_bounded_and_what_is_beyond_is_a_finding() -> None:
    body = {"content": [{"type": "text", "text": "\x00"}] * (MOST_FINDINGS + 10), "structuredContent": {}}
    found = inspection(Unicode()).response(call(), Answer(body, 1))
    assert len(found) == MOST_FINDINGS + 1
    assert found[-1] == Finding("chain", "too_many_findings", Severity.HIGH, "")
