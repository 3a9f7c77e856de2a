"""What an operator is told of a decision."""

from doorward.domain.decisions import Allow, Deny, Observation
from doorward.domain.ids import PolicyId
from doorward.policy.explain import Considered, Explanation, Fact, explain
from doorward.policy.panel import Match
from tests.policy.world import CREATE, NOON, SEARCH, call, loaded, policy, principal, target, user

SET = (
    policy('permit(principal in Team::"support", action in Action::"github", resource);', "team"),
    policy('forbid(principal, action, resource) when { context.input has title && context.input.title like "*secret*" };', "quiet"),
    policy('forbid(principal, action, resource) unless { principal.owner == "bob" && context.time.hour > 8 };', "hours"),
    policy("forbid(principal, action, resource) when { principal has user };", "people", mode="observe"),
    policy('permit(principal == Agent::"other", action, resource);', "other"),
)


def test_rules_facts_and_places_are_told() -> None:
    who = principal(user=user("alice", "staff"))
    assert explain(loaded(*SET), call(CREATE, {"owner": "acme", "title": "a secret"}, who), NOON) == Explanation(
        decision=Deny((PolicyId("quiet"),), "quiet says so", "quiet says so"),
        action="github/create_issue",
        considered=(
            Considered(PolicyId("team"), "permit", "enforce", "policies/test.cedar", 1, Match.MATCHED, "team says so"),
            Considered(PolicyId("quiet"), "forbid", "enforce", "policies/test.cedar", 4, Match.MATCHED, "quiet says so"),
            Considered(PolicyId("hours"), "forbid", "enforce", "policies/test.cedar", 7, Match.DID_NOT_MATCH, "hours says so"),
            Considered(PolicyId("people"), "forbid", "observe", "policies/test.cedar", 10, Match.MATCHED, "people says so"),
        ),
        facts=(
            Fact("principal", ['Agent::"claude"', 'Group::"staff"', 'Team::"support"', 'User::"alice"'], True),
            Fact("action", ['Action::"github"', 'Action::"github/create_issue"', 'Action::"write"'], True),
            Fact("resource", ['Team::"platform"', 'Upstream::"github"'], True),
            Fact("principal.owner", "bob", True),
            Fact("principal.user", "alice", True),
            Fact("context.input.title", "a secret", True),
            Fact("context.time.hour", 12, True),
        ),
        observed=Observation(
            (PolicyId("people"),), Deny((PolicyId("quiet"), PolicyId("people")), "quiet says so; people says so", "quiet says so")
        ),
    )


def test_what_is_not_there_is_told_as_such() -> None:
    told = explain(loaded(*SET), call(CREATE, {"owner": "acme"}), NOON)
    assert told.decision == Allow((PolicyId("team"),))
    assert {fact.name for fact in told.facts if not fact.is_there} == {"principal.user", "context.input.title"}


def test_a_rule_that_fails_is_told_as_such() -> None:
    numbers = policy(
        "forbid(principal, action, resource) when { context.input has limit && context.input.limit * 9223372036854775807 > 0 };", "n"
    )
    looked = {limit: explain(loaded(*SET, numbers), call(SEARCH, {"limit": limit}), NOON).considered[-1].match for limit in (0, 2, "many")}
    assert looked == {0: Match.DID_NOT_MATCH, 2: Match.FAILED, "many": Match.FAILED}


def test_what_policies_cannot_name_has_no_more_to_it() -> None:
    unheard = call(target("github", "unheard_of"))
    assert explain(loaded(*SET), unheard, NOON) == Explanation(Deny((), "it is not in the approved catalogue"), "", (), (), None)
