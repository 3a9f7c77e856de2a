"""Checks of labels and of the rules on them."""

from collections.abc import Mapping
from typing import Any

import pytest

from doorward.config.check_flow import flow
from doorward.config.model import Document

SENDERS = {"upstreams": ["mail"], "tools": ["mail/read"], "field": "/from", "domains": ["corp.example", "*.corp.example"]}
LITTLE = {"tools": ["mail/close"], "arguments": ["id"]}


def found(
    rules: Mapping[str, Any], labels: Mapping[str, Any] | None = None, tool: Mapping[str, Any] | None = None
) -> list[tuple[str, str]]:
    mail = {"url": "https://mail.test/mcp", "labels": labels or {}, "tools": {"read": {"labels": tool}}}
    document = Document.model_validate({"upstreams": {"mail": mail}, "flow": rules})
    return [(".".join(map(str, one.path)), one.message) for one in flow(document)]


def test_rules_and_labels_that_say_something_of_what_is_there_are_as_they_should_be() -> None:
    labels = {"sink": {"most": "public"}, "arguments": {"/to": {"categories": ["customer"]}}}
    assert found({"endorse": {"a": SENDERS}, "declassify": {"b": LITTLE}}, labels, {"sink": {"least": "trusted"}}) == []


@pytest.mark.parametrize(
    ("rules", "where", "message"),
    [
        (
            {"endorse": {"a": {**SENDERS, "upstreams": [], "tools": []}}},
            "flow.endorse.a",
            "expected upstreams or tools that it is about",
        ),
        (
            {"endorse": {"a": {**SENDERS, "upstreams": ["mial"]}}},
            "flow.endorse.a.upstreams.0",
            'there is no upstream "mial"; did you mean "mail"?',
        ),
        (
            {"endorse": {"a": {**SENDERS, "domains": ["@corp.example"]}}},
            "flow.endorse.a.domains.0",
            'expected a domain such as corp.example or *.corp.example, got "@corp.example"',
        ),
        (
            {"endorse": {"a": {**SENDERS, "domains": ["*.com*"]}}},
            "flow.endorse.a.domains.0",
            'expected a domain such as corp.example or *.corp.example, got "*.com*"',
        ),
        ({"declassify": {"b": {**LITTLE, "tools": ["close"]}}}, "flow.declassify.b.tools.0", 'expected upstream/tool, got "close"'),
        ({"declassify": {"b": {**LITTLE, "tools": []}}}, "flow.declassify.b", "expected upstreams or tools that it is about"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_told_with_its_place(rules: Mapping[str, Any], where: str, message: str) -> None:
    assert found(rules) == [(where, message)]


def test_labels_that_say_nothing_are_told() -> None:
    assert found({}, {"sink": {}, "resources": {"file:///*": {}}}, {"arguments": {"/to": {}}}) == [
        ("upstreams.mail.labels.sink", "expected most, least or both"),
        ("upstreams.mail.labels.resources.file:///*", "it says nothing"),
        ("upstreams.mail.tools.read.labels.arguments./to", "it says nothing"),
    ]


@pytest.mark.parametrize("pointer", ["from", "", "/a~2", "/a/~"])
def test_a_field_is_a_json_pointer(pointer: str) -> None:
    with pytest.raises(ValueError, match="field"):
        found({"endorse": {"a": {**SENDERS, "field": pointer}}})
