"""Enrolment rules that let in nobody, or more than they say, are found before anything is served."""

from pathlib import Path

import pytest

from doorward.config.check_enrol import enrolment
from doorward.config.ground import Ground
from doorward.config.identity import Identity
from doorward.config.load import read
from doorward.config.problems import dotted

PAGE = Path(__file__).parents[2] / "docs" / "identity" / "agents.md"
RULE = {"agent": "{name}", "team": "ci", "owner": "ada"}
ISSUERS = {"corp": {"url": "https://idp.example.com"}}


def found(*rules: dict[str, object], **fields: object) -> list[tuple[str, str]]:
    identity = Identity.model_validate({"issuers": ISSUERS, "enrol": [{**RULE, **rule} for rule in rules], **fields})
    return [(finding.weight.value, dotted(finding.path).removeprefix("identity.")) for finding in enrolment(identity)]


@pytest.mark.parametrize(
    "rule",
    [
        {"issuer": "corp", "client": "bot-*"},
        {"issuer": "corp", "claims": {"department": "eng"}},
        {"issuer": "corp", "client": "https://*.example.org/*"},
        {"issuer": "corp", "client": "https://agents.example.org/one.json"},
        {"spiffe": "spiffe://example.org/agents/*"},
        {"dns": "*.agents.example.org"},
        {"dns": "web-*.example.org", "agent": "web", "methods": ["certificate", "agent_key"]},
    ],
    ids=str,
)
def test_a_rule_that_says_whom_it_lets_in_has_no_findings(rule: dict[str, object]) -> None:
    assert found(rule) == []


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({}, "enrol[0]"),
        ({"issuer": "corp", "client": "a", "dns": "a.example.org"}, "enrol[0]"),
        ({"dns": "a.example.org", "claims": {"a": 1}}, "enrol[0]"),
        ({"spiffe": "spiffe://example.org/a", "client": "a"}, "enrol[0]"),
        ({"issuer": "crop", "client": "a"}, "enrol[0].issuer"),
        ({"issuer": "self", "client": "a"}, "enrol[0].issuer"),
        ({"issuer": "corp", "client": "https://example.org*"}, "enrol[0].client"),
        ({"issuer": "corp", "client": "https://*example.org/a"}, "enrol[0].client"),
        ({"issuer": "corp", "client": "https://*/a"}, "enrol[0].client"),
        ({"issuer": "corp", "client": "*://example.org/a"}, "enrol[0].client"),
        ({"spiffe": "spiffe://example.org*"}, "enrol[0].spiffe"),
        ({"spiffe": "spiffe://*/agents"}, "enrol[0].spiffe"),
        ({"spiffe": "spiffe://*.example.org/agents"}, "enrol[0].spiffe"),
        ({"spiffe": "*"}, "enrol[0].spiffe"),
        ({"spiffe": "spiffe://Example.org/a"}, "enrol[0].spiffe"),
        ({"dns": "*"}, "enrol[0].dns"),
        ({"dns": "*example.org"}, "enrol[0].dns"),
        ({"dns": "*."}, "enrol[0].dns"),
        ({"dns": "Agents.example.org"}, "enrol[0].dns"),
        ({"dns": "a.example.org", "agent": "{host}"}, "enrol[0].agent"),
        ({"dns": "a.example.org", "agent": "{name}-{name}"}, "enrol[0].agent"),
        ({"dns": "a.example.org", "agent": "doorward"}, "enrol[0].agent"),
        ({"dns": "a.example.org", "owner": " "}, "enrol[0].agent"),
        ({"dns": "a.example.org", "agent": "guest"}, "enrol[0].agent"),
        ({"dns": "a.example.org", "purpose": "a\nb"}, "enrol[0].purpose"),
        ({"dns": "a.example.org", "methods": ["agent_key"]}, "enrol[0].methods"),
        ({"issuer": "corp", "client": "a", "methods": ["certificate"]}, "enrol[0].methods"),
    ],
    ids=str,
)
def test_a_rule_that_lets_in_nobody_or_too_many_is_an_error(rule: dict[str, object], path: str) -> None:
    assert found(rule, anonymous={"agent": "guest"}) == [("error", path)]


def test_a_rule_for_every_client_and_one_that_is_never_reached_are_worth_a_look() -> None:
    assert found({"issuer": "corp"}, {"issuer": "corp", "agent": "other"}) == [
        ("note", "enrol[0]"),
        ("note", "enrol[1]"),
        ("note", "enrol[1]"),
    ]


def test_the_page_on_agents_shows_rules_that_have_no_findings() -> None:
    page = PAGE.read_text("utf-8")
    shown = page.partition("```yaml\n")[2].partition("```")[0]
    document = read(shown.encode(), Path("doorward.yaml"), Ground(Path("/"), {})).document
    assert len(document.identity.enrol) == 2
    assert list(enrolment(document.identity)) == []
