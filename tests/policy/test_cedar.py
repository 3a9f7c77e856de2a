"""Cedar by the shortest way says what it says by the usual one."""

import json

import pytest
from cedarpy import Entities, PolicySet, is_authorized

from doorward.policy.cedar import Request, judge

ENTITIES = Entities.from_json_str(
    json.dumps(
        [
            {"uid": {"type": "Agent", "id": "cursor"}, "attrs": {"owner": "ops"}, "parents": [{"type": "Team", "id": "dev"}]},
            {"uid": {"type": "Upstream", "id": "git"}, "attrs": {}, "parents": []},
        ]
    )
)
RULES = PolicySet.from_str(
    """
    permit (principal in Team::"dev", action, resource);
    permit (principal, action, resource) when { principal.owner == "ops" };
    forbid (principal, action, resource) when { context.input.text like "*secret*" };
    forbid (principal, action, resource) when { context.input.amount > 10 };
    """
)
ASKED: Request = {
    "principal": {"type": "Agent", "id": "cursor"},
    "action": {"type": "Action", "id": 'git/"odd"\nname'},
    "resource": {"type": "Upstream", "id": "git"},
}


@pytest.mark.parametrize(
    "context",
    [
        {"input": {"text": "plain", "amount": 1}},
        {"input": {"text": "a secret", "amount": 1}},
        {"input": {"text": "a secret", "amount": 11}},
        {"input": {"text": "ünïcode \u2028 ✓", "amount": -1}},
        {"input": {"text": "no amount"}},
        {"input": {"amount": 9223372036854775807, "text": ""}},
        {"input": {"amount": {"__extn": {"fn": "decimal", "arg": "1.5"}}, "text": "of another type"}},
        {},
    ],
)
def test_both_ways_say_the_same(context: dict[str, object]) -> None:
    request: Request = {**ASKED, "context": json.dumps(context)}
    usual, short = is_authorized(request, RULES, ENTITIES), judge(request, RULES, ENTITIES)
    assert (short.decision, short.allowed) == (usual.decision.value, usual.allowed)
    assert sorted(short.diagnostics.reason) == sorted(usual.diagnostics.reasons)
    assert sorted(short.diagnostics.errors) == sorted(usual.diagnostics.errors)


@pytest.mark.parametrize("asked", [{**ASKED, "context": "no JSON"}, {**ASKED, "principal": {"type": "no type!", "id": ""}}])
def test_a_question_that_cannot_be_read_is_an_error_and_no_yes(asked: Request) -> None:
    verdict = judge(asked, RULES, ENTITIES)
    assert not verdict.allowed
    assert verdict.diagnostics.errors


def test_a_question_without_a_context_is_one() -> None:
    assert judge(ASKED, PolicySet.from_str("permit (principal, action, resource);"), ENTITIES).allowed
