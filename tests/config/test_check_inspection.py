"""Checks of rules about findings and of guards of others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from doorward.config.check_inspection import HELD, inspection
from doorward.config.dispositions import GUARDS
from doorward.config.ground import Ground
from doorward.config.mentions import mentions
from doorward.config.model import Document
from doorward.policy.dispose import DEFAULT
from doorward.policy.dispositions import HELD_GUARDS
from tests.inspection.plugins.packages import installed


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings guards is installed."""
    monkeypatch.syspath_prepend(str(installed(tmp_path)))


def document(rules: list[Mapping[str, Any]], guards: Mapping[str, Any] | None = None, **fields: Any) -> Document:
    looks = {"dispositions": rules, "guards": guards or {}}
    return Document.model_validate({"upstreams": {"git": {"url": "https://git.test/mcp"}}, "inspection": looks, **fields})


def found(*rules: Mapping[str, Any], guards: Mapping[str, Any] | None = None, **fields: Any) -> list[tuple[str, str, str]]:
    checked = inspection(document(list(rules), guards, **fields), Ground(Path("/nowhere"), {"KEY": "k"}))
    return [(one.weight.value, ".".join(map(str, one.path[1:])), one.message) for one in checked]


def test_rules_and_guards_as_they_should_be_are_not_talked_about() -> None:
    rules = [
        {
            "guards": ["pii"],
            "rules": ["email"],
            "upstreams": ["git"],
            "tools": ["commit"],
            "pointers": ["/content/*/text"],
            "then": "label",
        },
        {"guards": ["mine"], "then": "block"},
        {"guards": ["injection"], "severities": ["high"], "then": "ask"},
    ]
    guards = {"mine": {"use": "words", "settings": {"words": ["a", "${env:KEY}"], "deep": {"n": 1}}}}
    assert found(*rules, guards=guards, approvals={"findings": "security"}) == []


RULES: list[tuple[Mapping[str, Any], str, str, str]] = [
    ({"guards": ["injecton"], "then": "mask"}, "note", "guards.0", 'there is no guard "injecton"; did you mean "injection"?'),
    ({"upstreams": ["gti"], "then": "mask"}, "note", "upstreams.0", 'there is no upstream "gti"; did you mean "git"?'),
    ({"tools": ["git/push"], "then": "mask"}, "note", "tools.0", 'tools are named by their own names here; did you mean "push"?'),
    ({"tools": ["git__push"], "then": "mask"}, "note", "tools.0", 'tools are named by their own names here; did you mean "push"?'),
    ({"pointers": ["content"], "then": "mask"}, "error", "pointers.0", 'expected a JSON pointer such as /content/*/text, got "content"'),
    (
        {"guards": ["pii", "size"], "then": "pass"},
        "note",
        "then",
        'no rule lets go of "size": this one tightens there at most',
    ),
    (
        {"rules": ["schema_uncheckable"], "then": "pass"},
        "note",
        "then",
        'no rule lets go of "schema_uncheckable": this one tightens there at most',
    ),
    ({"guards": ["pii"], "then": "ask"}, "note", "then", "nobody answers for findings (approvals.findings), so this blocks"),
    (
        {"guards": ["pii"], "directions": ["request"], "then": "spotlight"},
        "note",
        "then",
        "a request is passed on and recorded; only what comes from outside is marked",
    ),
]


@pytest.mark.parametrize(("rule", "weight", "where", "message"), RULES, ids=[message[:30] for *_, message in RULES])
def test_what_a_rule_cannot_mean_is_told_with_its_place(rule: Mapping[str, Any], weight: str, where: str, message: str) -> None:
    assert found(rule) == [(weight, f"dispositions.0.{where}", message)]


def test_a_rule_that_never_decides_is_told() -> None:
    first, second, third = (
        {"guards": ["pii", "links"], "then": "mask"},
        {"guards": ["pii"], "rules": ["email"], "then": "pass"},
        {"then": "label"},
    )
    said = "fits all of this before, so it decides nothing"
    assert found(first, second, third) == [("note", "dispositions.1", f"dispositions[0] {said}")]
    assert found(third, first)[0] == ("note", "dispositions.1", f"dispositions[0] {said}")


GUARDS_OF_OTHERS: list[tuple[str, Mapping[str, Any], list[tuple[str, str, str]]]] = [
    ("pii", {"use": "words"}, [("error", "guards.pii", "this guard is Doorward's own; give it another name")]),
    ("mine", {"use": "wrds"}, [("error", "guards.mine.use", 'no installed package brings the guard "wrds"; did you mean "words"?')]),
    (
        "mine",
        {"use": "words", "mode": "observe"},
        [("note", "guards.mine.mode", "what it finds is only recorded, and what it does not look at passes")],
    ),
    (
        "mine",
        {"use": "words", "settings": {"deep": {"api_key": "hunter2hunter2"}}},
        [
            (
                "error",
                "guards.mine.settings.deep.api_key",
                "a secret may not stand in the document; write ${env:NAME} or ${file:path} in its place",
            )
        ],
    ),
    (
        "mine",
        {"use": "words", "settings": {"words": ["${env:NO}"]}},
        [("note", "guards.mine.settings.words.0", "the variable NO is not set, or empty")],
    ),
    (
        "mine",
        {"use": "words", "settings": {"key": "${openbao:a/b#c}"}},
        [("error", "guards.mine.settings.key", "a guard is made with what stands in variables and files")],
    ),
]


@pytest.mark.parametrize(("name", "guard", "said"), GUARDS_OF_OTHERS)
def test_what_is_wrong_with_a_guard_of_others_is_told(name: str, guard: Mapping[str, Any], said: list[tuple[str, str, str]]) -> None:
    assert found(guards={name: guard}) == said


def test_what_is_only_recorded_is_told_of_rules_about_it() -> None:
    said = found({"guards": ["mine"], "then": "block"}, guards={"mine": {"use": "words", "mode": "observe"}})
    assert said[0] == ("note", "dispositions.0.guards", 'what "mine" finds is only recorded (mode: observe), whatever stands here')


def test_references_in_settings_are_references_of_the_document() -> None:
    looked = document([], {"mine": {"use": "words", "settings": {"key": "${env:KEY}"}}})
    assert [str(mention.pointer) for mention in mentions(looked)] == ["${env:KEY}"]


def test_the_names_that_are_checked_are_those_that_there_are() -> None:
    assert set(HELD) == {*HELD_GUARDS, "schema_uncheckable"}
    assert {guard for guard, _ in DEFAULT} <= set(GUARDS)
