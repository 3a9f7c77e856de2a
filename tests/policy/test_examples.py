"""The examples of `docs/policies/README.md` load, and do what the page says."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.domain.actors import ALL_SCOPES, Actor, AuthnMethod, Bound, Proof
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Ask, Deny
from doorward.policy.question import Moment
from tests.policy.world import CREATE, DELETE, FILE, NOON, PAY, SEARCH, at, call, loaded, principal, target, user

PAGE = Path(__file__).parents[2] / "docs" / "policies" / "README.md"
EXAMPLES = re.findall(r"```cedar\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
ALLOW_ALL = '@id("all")\n@reason("r")\npermit (principal, action, resource);'

SATURDAY = at(1_795_276_800.0)
FINANCE = principal(team="finance")
TOKEN = replace(principal(user=user("corp:alice"), method=AuthnMethod.ACCESS_TOKEN), proof=Proof(ALL_SCOPES, "self", "c"))
BOUND = replace(TOKEN, proof=replace(TOKEN.proof, bound=Bound.DPOP))
HANDED_ON = replace(TOKEN, actors=(Actor("planner", "self", principal("planner").agent),))
REPORT = {"uri": "file:///srv/reports/q3.txt"}
DRAFT = {"uri": "file:///srv/reports/drafts/q4.txt"}


def example(identity: str) -> str:
    return next(text for text in EXAMPLES if f'@id("{identity}")' in text)


def test_there_are_eight_examples_or_more() -> None:
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_loads_without_a_word(text: str) -> None:
    assert loaded(text).warnings == ()


def test_the_examples_load_together() -> None:
    assert loaded(*EXAMPLES).warnings == ()


@pytest.mark.parametrize(
    ("identity", "more", "question", "moment", "outcome"),
    [
        ("support-reads", "", call(SEARCH), NOON, Allow),
        ("support-reads", "", call(CREATE), NOON, Deny),
        ("support-reads", "", call(SEARCH, who=FINANCE), NOON, Deny),
        ("reads-of-one-owner", "", call(CREATE, {"owner": "acme"}), NOON, Allow),
        ("reads-of-one-owner", "", call(CREATE, {"owner": "evil"}), NOON, Deny),
        ("no-secrets-in-titles", ALLOW_ALL, call(CREATE, {"owner": "acme"}), NOON, Allow),
        ("no-secrets-in-titles", ALLOW_ALL, call(CREATE, {"owner": "acme", "title": "a confidential plan"}), NOON, Deny),
        ("no-delegated-payments", ALLOW_ALL, call(PAY, {"amount": 1, "to": "x"}), NOON, Allow),
        ("no-delegated-payments", ALLOW_ALL, call(PAY, {"amount": 1, "to": "x"}, HANDED_ON), NOON, Deny),
        ("bound-tokens-for-payments", ALLOW_ALL, call(PAY, {"amount": 1, "to": "x"}, TOKEN), NOON, Deny),
        ("bound-tokens-for-payments", ALLOW_ALL, call(PAY, {"amount": 1, "to": "x"}, BOUND), NOON, Allow),
        ("staff-only", ALLOW_ALL, call(CREATE, {"owner": "acme"}, TOKEN), NOON, Allow),
        ("staff-only", ALLOW_ALL, call(CREATE, {"owner": "acme"}), NOON, Deny),
        ("small-payments", "", call(PAY, {"amount": 499, "to": "acme"}), NOON, Allow),
        ("small-payments", "", call(PAY, {"amount": 500, "to": "acme"}), NOON, Deny),
        ("small-payments", "", call(PAY, {"amount": 1, "to": "evil"}), NOON, Deny),
        ("large-payments-are-seen", "", call(PAY, {"amount": 9_999, "to": "x"}, FINANCE), NOON, Allow),
        ("large-payments-are-seen", "", call(PAY, {"amount": 10_000, "to": "x"}, FINANCE), NOON, Ask),
        ("large-payments-are-seen", "", call(PAY, {"amount": 10_000, "to": "x"}), NOON, Deny),
        ("writes-in-office-hours", ALLOW_ALL, call(CREATE, {"owner": "acme"}), NOON, Allow),
        ("writes-in-office-hours", ALLOW_ALL, call(CREATE, {"owner": "acme"}), SATURDAY, Deny),
        ("writes-in-office-hours", ALLOW_ALL, call(CREATE, who=principal(network="192.0.2.1")), NOON, Deny),
        ("writes-in-office-hours", ALLOW_ALL, call(SEARCH), SATURDAY, Allow),
        ("reports", "", call(FILE, REPORT, method="resources/read"), NOON, Allow),
        ("reports", "", call(FILE, DRAFT, method="resources/read"), NOON, Deny),
        ("no-deletes-for-desktops", ALLOW_ALL, call(DELETE, {"repo": "x"}), NOON, Allow),
    ],
)
def test_an_example_does_what_the_page_says(identity: str, more: str, question: Call, moment: Moment, outcome: type) -> None:
    assert isinstance(loaded(example(identity), more).decide(question, moment), outcome)


def test_the_example_that_observes_says_what_it_would_have_done() -> None:
    observed = loaded(example("no-deletes-for-desktops"), ALLOW_ALL).observed(call(DELETE, {"repo": "x"}), NOON)
    assert observed is not None
    assert isinstance(observed.would, Deny)


def test_a_reason_that_is_not_public_is_not_told() -> None:
    decision = loaded(example("reports")).decide(
        call(target("github", DRAFT["uri"], kind=Kind.RESOURCE), DRAFT, method="resources/read"), NOON
    )
    assert isinstance(decision, Deny)
    assert (decision.policies, decision.sentence) == (("no-drafts",), None)
