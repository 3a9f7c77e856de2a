"""Trials: each thing that is expected of a decision and is not so is said, and what decided in none is known."""

import pytest

from doorward.domain.calls import Call
from doorward.policy.trial import Expected, Trial, idle, tried
from tests.policy.world import CLAUDE, CREATE, NOON, PAY, SEARCH, call, loaded, policy

POLICIES = loaded(
    policy('permit (principal, action in [Action::"bank", Action::"github/search"], resource);', "open"),
    policy(
        'forbid (principal, action == Action::"bank/pay", resource) when { context.input.amount.greaterThan(decimal("10.0")) };',
        "large",
        approval="2 of finance",
    ),
    policy('permit (principal, action == Action::"github/search", resource);', "watched", mode="observe"),
    policy('permit (principal == Agent::"nobody", action == Action::"github/search", resource);', "unused"),
)
FIND = call(SEARCH, {"query": "x"})
MUCH, LITTLE = call(PAY, {"amount": 11, "to": "x"}), call(PAY, {"amount": 1, "to": "x"})
HIDDEN = call(CREATE, {"owner": "x"}, CLAUDE)


def trial(question: Call, expected: Expected) -> Trial:
    return Trial("t", "t.yaml", 3, question, NOON, expected)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (FIND, Expected(effect="allow", by=frozenset({"open"}), approvers=frozenset(), visible=True)),
        (
            MUCH,
            Expected(effect="ask", by=frozenset({"large"}), approvers=frozenset({"finance"}), needs={"finance": 2}, reason="large says"),
        ),
        (HIDDEN, Expected(effect="deny", by=frozenset(), reason="no policy permits it", visible=False)),
    ],
)
def test_what_is_as_expected_has_no_faults(question: Call, expected: Expected) -> None:
    assert tried(POLICIES, trial(question, expected)).faults == ()


@pytest.mark.parametrize(
    ("question", "expected", "faults"),
    [
        (LITTLE, Expected(effect="deny", by=frozenset({"x"})), ("expected deny, got allow by open",)),
        (LITTLE, Expected(effect="allow", by=frozenset({"x"})), ("expected allow by x, got allow by open",)),
        (HIDDEN, Expected(effect="allow"), ("expected allow, got deny (no policy permits it)",)),
        (HIDDEN, Expected(effect="deny", reason="late"), ("expected a reason with 'late' in it, got deny (no policy permits it)",)),
        (HIDDEN, Expected(visible=True), ("expected to be shown in lists, but it is hidden",)),
        (FIND, Expected(visible=False), ("expected to be hidden from lists, but it is shown",)),
        (MUCH, Expected(effect="ask", needs={"finance": 1}), ("expected 1 of finance to be asked, got 2 of finance",)),
        (MUCH, Expected(effect="ask", approvers=frozenset({"a", "b"})), ("expected a, b to be asked, got 2 of finance",)),
        (LITTLE, Expected(effect="allow", needs={"finance": 1}), ("expected 1 of finance to be asked, got nobody",)),
    ],
)
def test_each_fault_is_said(question: Call, expected: Expected, faults: tuple[str, ...]) -> None:
    assert tried(POLICIES, trial(question, expected)).faults == faults


def test_a_verdict_has_the_facts_that_were_read() -> None:
    assert {fact.name: fact.value for fact in tried(POLICIES, trial(MUCH, Expected())).facts}["context.input.amount"] == 11


def test_what_decided_in_no_trial_is_idle_and_what_would_have_decided_is_not() -> None:
    verdicts = [tried(POLICIES, trial(FIND, Expected())), tried(POLICIES, trial(LITTLE, Expected()))]
    assert [rule.id for rule in idle([POLICIES], verdicts)] == ["large", "unused"]
