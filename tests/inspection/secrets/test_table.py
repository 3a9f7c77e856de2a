"""The rules, each by texts that are drawn from its own pattern."""

import re
from collections import Counter

import pytest

from doorward.domain.findings import Finding, Severity
from doorward.inspection.guards.secrets import OtherSecrets
from doorward.inspection.secrets.rule import Rule
from doorward.inspection.secrets.table import RULES
from doorward.inspection.view import Carrier, View
from tests.inspection.secrets.drawn import drawn
from tests.made import call

GUARD = OtherSecrets()
PROVED = {"jwt", "jwt_in_base64", "atlassian_server_token", "azure_storage_key", "basic_authorization", "nats_seed"}
"""Rules that ask of a text what chance does not give it; `test_checks.py` has examples of these."""

SEEDS = range(6)
_ENDS = re.compile(r"(?<!ec)\][{]\d+[}]\)$")
"""Of patterns that end with a class of characters and how many there are."""


def found(text: str) -> tuple[Finding, ...]:
    return GUARD.look(View(Carrier.RESPONSE, call(), {"content": [{"type": "text", "text": text}]}))


def covers(finding: Finding, text: str, secret: str) -> bool:
    return secret in text[finding.start : finding.end] or text[finding.start : finding.end] in secret


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name not in PROVED], ids=lambda rule: rule.name)
def test_what_a_rule_describes_is_found_and_taken_out_whole(rule: Rule) -> None:
    """By this rule or one that is as sure; of six texts at least two, for chance draws what looks like words, too."""
    hits = 0
    for seed in SEEDS:
        text, secret = drawn(rule.pattern, seed)
        told = [finding for finding in found(f"{text} ") if covers(finding, text, secret)]
        hits += bool(told)
    assert hits >= 2


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_what_stands_for_a_secret_is_none(rule: Rule) -> None:
    for only in "xX0":
        text, secret = drawn(rule.pattern, 1, only)
        letters = Counter(secret).most_common(1)
        if letters and letters[0][1] * 2 > len(secret):
            assert [finding for finding in found(f"{text} ") if finding.severity is not Severity.LOW] == []


@pytest.mark.parametrize("rule", [rule for rule in RULES if _ENDS.search(rule.pattern)], ids=lambda rule: rule.name)
def test_a_longer_run_is_another_thing(rule: Rule) -> None:
    """What goes on behind a format of one length is not this format."""
    text, secret = drawn(rule.pattern, 3)
    longer = text + secret[-1] * 3
    assert [finding.rule for finding in found(f"{longer} ") if finding.rule == rule.name] == []


def test_names_are_there_once() -> None:
    assert [name for name, count in Counter(rule.name for rule in RULES).items() if count > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_gate_opens_wherever_the_pattern_matches(rule: Rule) -> None:
    for seed in SEEDS:
        text, _ = drawn(rule.pattern, seed)
        for body in ({"text": text}, {"text": f'{{"a":"{text}\\n"}}'}, {"a": {"b": [text]}}):
            if "\x00" in text or "\x01" in text:
                continue
            opened = GUARD._search.opened(View(Carrier.RESPONSE, call(), body).flat)
            assert rule in opened
