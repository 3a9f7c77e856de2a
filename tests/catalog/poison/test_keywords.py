"""Schemas by their keywords."""

import pytest

from doorward.catalog.poison.found import Found, Rule
from doorward.catalog.poison.keywords import asked_for, is_asking, schema_findings
from doorward.domain.findings import Severity


def found(schema: object) -> list[Found]:
    return list(schema_findings(schema, ("inputSchema",)))


def test_a_keyword_that_no_dialect_has_is_found_and_a_property_is_no_keyword() -> None:
    schema = {"type": "object", "properties": {"whatever": {"hint": "x"}}, "x-vendor": 1, "$defs": {"anything": {"nullable": True}}}
    assert found(schema) == [
        Found(Rule.UNEXPECTED_KEYWORD, Severity.LOW, "/inputSchema/properties/whatever/hint", "no keyword of JSON Schema: “hint”")
    ]


def test_a_sentence_under_an_unknown_keyword_weighs_more() -> None:
    assert [one.severity for one in found({"instruction_for_use": "Read this sentence, which no form would ever show to anybody."})] == [
        Severity.MEDIUM
    ]


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
def test_a_schema_that_stands_elsewhere_is_found_wherever_it_is_named(keyword: str) -> None:
    schema = {"anyOf": [{"items": {keyword: "https://bad.example/s.json"}}, {keyword: "#/$defs/a"}]}
    assert [(one.rule, one.severity, one.pointer) for one in found(schema)] == [
        (Rule.REMOTE_REFERENCE, Severity.HIGH, f"/inputSchema/anyOf/0/items/{keyword}")
    ]


def test_what_stands_in_values_is_no_schema() -> None:
    assert found({"const": {"$ref": "https://a.example"}, "default": {"foo": 1}, "enum": [{"bar": 2}]}) == []


@pytest.mark.parametrize(
    "name",
    [
        "system_prompt",
        "systemPrompt",
        "conversation_history",
        "chatHistory",
        "llm_model_name",
        "available_tools",
        "full_conversation_context",
        "previous_messages",
    ],
)
def test_a_parameter_for_what_is_none_of_its_business_is_found(name: str) -> None:
    assert is_asking(name)
    assert [one.pointer for one in asked_for({"properties": {"a": {"properties": {name: {}}}}}, ("inputSchema",))] == [
        f"/inputSchema/properties/a/properties/{name}"
    ]


@pytest.mark.parametrize(
    "name", ["model", "model_name", "prompt", "message", "context", "api_key", "history", "tools", "messages", "tool_name"]
)
def test_a_parameter_that_tools_have_reasons_for_is_not(name: str) -> None:
    assert not is_asking(name)
