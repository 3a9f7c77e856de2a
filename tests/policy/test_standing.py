"""What stands of conditions before a call: which rules are not even asked, and that none is left out that could match or fail."""

import pytest

from doorward.domain.decisions import Allow, Deny, Observation
from doorward.domain.ids import PolicyId
from doorward.policy.explain import explain
from doorward.policy.lanes import parsed_entities, request
from doorward.policy.panel import Match
from doorward.policy.question import Actor, Place
from doorward.policy.rules import Source, parse
from doorward.policy.standing import standing
from tests.policy.generated import KNOWN
from tests.policy.world import BANK, CREATE, NOON, PAY, call, loaded, policy, principal, user

READS = "context.time.hour == 12"
WHO = principal(user=user("corp:alice", "staff"))


def left(*conditions: str) -> list[int]:
    """Of policies with these conditions, those that are still asked about a payment of Claude for Alice."""
    text = "\n".join(
        policy(f"permit(principal, action, resource) {condition};", f"p{number}") for number, condition in enumerate(conditions)
    )
    rules, problems = parse(Source("x", text))
    assert not problems
    found = standing(rules, range(len(rules)))
    if found is None:
        return list(range(len(rules)))
    actor, place, action = Actor(WHO.agent, WHO.subject), Place(BANK, PAY.team), KNOWN.actions["bank/pay"]
    return list(found.narrowed(range(len(rules)), request(actor, place, action), parsed_entities(actor, place, action)))


@pytest.mark.parametrize(
    ("condition", "is_asked"),
    [
        (f'when {{ principal.name == "claude" && {READS} }}', True),
        (f'when {{ principal.name == "cursor" && {READS} }}', False),
        (f'when {{ {READS} && principal.name == "cursor" }}', True),
        (f'when {{ principal.name == "claude" && (resource.name == "github" && {READS}) }}', False),
        (f'when {{ principal.name == "claude" && {READS} && principal.name == "cursor" }}', True),
        (f'when {{ principal.name == "cursor" || {READS} }}', True),
        (f'when {{ principal.name == "cursor" }} when {{ {READS} }}', False),
        (f'when {{ {READS} }} when {{ principal.name == "cursor" }}', True),
        (f'unless {{ principal.name == "claude" }} when {{ {READS} }}', False),
        (f'unless {{ principal.name == "claude" && {READS} }}', True),
        (f'when {{ principal in Group::"admins" && {READS} }}', False),
        (f"when {{ resource in principal.team && {READS} }}", False),
        (f'when {{ action in Action::"external" && {READS} }}', True),
        (f'when {{ action in Action::"read" && {READS} }}', False),
        (f'when {{ principal.user.issuer == "corp" && {READS} }}', True),
        (f'when {{ principal.nothing == "x" && {READS} }}', True),
        (f'when {{ if principal.name == "cursor" then {READS} else false }}', True),
        (f"when {{ false && {READS} }}", False),
        ('when { principal.name == "cursor" }', True),
        ("", True),
    ],
)
def test_what_is_asked_is_what_can_still_match_or_fail(condition: str, is_asked: bool) -> None:
    assert left(condition) == ([0] if is_asked else [])


def test_the_others_are_asked_as_ever() -> None:
    assert left("", f'when {{ principal.name == "cursor" && {READS} }}', f"when {{ {READS} }}", f'when {{ principal has user && {READS} }}') == [
        0, 2, 3,
    ]  # fmt: skip


LARGE = {"amount": 7, "to": "acme", "times": 2**70}
TIMES = "context.input has times && context.input.times > 3"


def test_what_is_read_for_other_agents_alone_denies_nobody_else() -> None:
    policies = loaded(
        policy("permit(principal, action, resource);", "open"),
        policy(f'forbid(principal, action, resource) when {{ principal.name == "cursor" && {TIMES} }};', "often"),
    )
    assert policies.decide(call(PAY, LARGE), NOON) == Allow((PolicyId("open"),))
    denied = policies.decide(call(PAY, LARGE, principal("cursor")), NOON)
    assert isinstance(denied, Deny)
    assert denied.policies == ("often",)


def test_an_explanation_says_of_what_was_passed_over_that_it_did_not_match() -> None:
    policies = loaded(
        policy("permit(principal, action, resource);", "open"),
        policy(f'forbid(principal, action, resource) when {{ principal.name == "cursor" && {TIMES} }};', "often"),
        policy("forbid(principal, action, resource) when { context.time.hour == 3 };", "try", mode="observe"),
    )
    told = explain(policies, call(PAY, LARGE), NOON)
    assert [(one.policy, one.match) for one in told.considered] == [
        ("open", Match.MATCHED), ("often", Match.DID_NOT_MATCH), ("try", Match.DID_NOT_MATCH),
    ]  # fmt: skip
    assert told.observed == Observation((), Allow((PolicyId("open"),)))


def test_lists_go_by_what_can_still_match() -> None:
    policies = loaded(policy(f'permit(principal, action, resource) when {{ principal.name == "cursor" && {READS} }};', "open"))
    assert [policies.could_allow(principal(agent), CREATE, NOON) for agent in ("claude", "cursor", "claude")] == [False, True, False]
