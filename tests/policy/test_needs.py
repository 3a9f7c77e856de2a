"""What an @approval asks for, and what several of them come to."""

from dataclasses import replace

import pytest

from doorward.domain.actors import Actor
from doorward.domain.decisions import Ask, Need
from doorward.policy.needs import merged
from tests.policy.world import CREATE, NOON, call, loaded, policy, principal

ANY = "(principal, action, resource)"
OPEN = policy(f"permit{ANY};", "open")


def test_of_each_team_the_most_people_are_needed_and_an_owner_counts_only_where_all_let_them() -> None:
    asked = [Need("ops", 2), Need("finance", 1, True), Need("ops", 1, True), Need("finance", 3, True), Need("ops", 2, True)]
    assert merged(asked) == merged(reversed(asked)) == (Need("finance", 3, True), Need("ops", 2, False))
    assert merged([]) == ()


@pytest.mark.parametrize(
    ("text", "need"),
    [
        ("finance", Need("finance")),
        ("1 of finance", Need("finance")),
        (" 9 of heads of finance ", Need("heads of finance", 9)),
        ("heads of finance", Need("heads of finance")),
        ("2nd-line", Need("2nd-line")),
    ],
)
def test_an_approval_says_how_many_of_whom(text: str, need: Need) -> None:
    (rule,) = loaded(policy(f"forbid{ANY};", approval=text)).rules
    assert rule.need == need


def test_a_forbid_says_whether_the_owner_may_and_who_may_lift_it() -> None:
    first, second = loaded(
        policy(f"forbid{ANY};", "a", approval="2 of ops", owner="may", exception=" security "), policy(f"forbid{ANY};", "b")
    ).rules
    assert (first.need, first.liftable_by) == (Need("ops", 2, True), "security")
    assert (second.need, second.liftable_by) == (None, None)


def test_what_all_matching_policies_need_is_asked_for_together() -> None:
    asking = [
        policy(f"forbid{ANY};", "one", approval="2 of ops", owner="may"),
        policy(f"forbid{ANY};", "two", approval="ops"),
        policy(f"forbid{ANY};", "three", approval="finance", owner="may"),
    ]
    decision = loaded(OPEN, *asking).decide(call(CREATE, {"owner": "acme"}), NOON)
    assert isinstance(decision, Ask)
    assert decision.needs == (Need("finance", 1, True), Need("ops", 2, False))


def test_what_all_agents_of_a_chain_need_is_asked_for_together() -> None:
    policies = loaded(
        OPEN,
        policy('forbid(principal == Agent::"claude", action, resource);', "own", approval="ops", owner="may"),
        policy('forbid(principal == Agent::"planner", action, resource);', "others", approval="3 of ops"),
    )
    behind = principal("planner").agent
    who = replace(principal(), actors=(Actor(behind.id, "self", behind),))
    decision = policies.decide(call(CREATE, {"owner": "acme"}, who), NOON)
    assert isinstance(decision, Ask)
    assert (decision.policies, decision.needs) == (("own", "others"), (Need("ops", 3, False),))
