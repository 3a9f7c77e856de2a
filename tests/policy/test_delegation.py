"""Delegation: an agent that acts by the rights of others may no more than each of them, and policy sees the whole chain."""

from dataclasses import replace

import pytest

from doorward.domain.actors import ALL_SCOPES, Actor, Bound, Principal, Proof
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import PolicyId
from doorward.policy.explain import explain
from tests.policy.world import CREATE, DELETE, NOON, SEARCH, WHOLE_GITHUB, call, loaded, policy, principal, user

SUPPORT = policy('permit(principal in Team::"support", action in Action::"github", resource);', "support")
READS = policy('permit(principal in Team::"interns", action in Action::"read", resource);', "reads")
ASKED = policy('forbid(principal == Agent::"planner", action == Action::"github/create_issue", resource);', "asked", approval="leads")
ALSO_ASKED = policy('forbid(principal == Agent::"helper", action == Action::"github/create_issue", resource);', "also", approval="owners")


def through(speaks: str, *before: tuple[str, str]) -> Principal:
    """An agent of the support team that acts for Alice by the rights of others, the nearest first, each with its team."""
    actors = tuple(Actor(name, "self", principal(name, team).agent) for name, team in before)
    return replace(principal(speaks, user=user("corp:alice", "staff")), actors=actors)


def allow(*policies: str) -> Allow:
    return Allow(tuple(map(PolicyId, policies)))


@pytest.mark.parametrize(
    ("who", "decision"),
    [
        (through("helper"), allow("support")),
        (through("helper", ("planner", "support")), allow("support")),
        (
            through("helper", ("planner", "interns")),
            Deny((), "agent planner, which it acts for, may not: no policy permits it"),
        ),
        (
            through("helper", ("planner", "support"), ("boss", "nobody")),
            Deny((), "agent boss, which it acts for, may not: no policy permits it"),
        ),
    ],
)
def test_one_agent_of_the_chain_that_may_not_denies(who: Principal, decision: Decision) -> None:
    assert loaded(SUPPORT, READS).decide(call(DELETE, {"repo": "x"}, who), NOON) == decision


def test_policies_of_every_agent_of_the_chain_are_named() -> None:
    who = through("helper", ("planner", "interns"))
    assert loaded(SUPPORT, READS).decide(call(SEARCH, {}, who), NOON) == allow("support", "reads")


def test_what_one_agent_of_the_chain_must_ask_for_is_asked_for_and_all_are_asked() -> None:
    policies = loaded(SUPPORT, ASKED, ALSO_ASKED)
    arguments = {"owner": "acme"}
    one = policies.decide(call(CREATE, arguments, through("other", ("planner", "support"))), NOON)
    both = policies.decide(call(CREATE, arguments, through("helper", ("planner", "support"))), NOON)
    alone = policies.decide(call(CREATE, arguments, through("planner")), NOON)
    assert isinstance(one, Ask)
    assert isinstance(both, Ask)
    assert isinstance(alone, Ask)
    assert (one.approvers, one.basis) == (frozenset({"leads"}), alone.basis)
    assert (both.approvers, both.policies, both.reason) == (
        frozenset({"leads", "owners"}),
        (PolicyId("also"), PolicyId("asked")),
        "also says so; asked says so",
    )
    assert both.basis not in ("", alone.basis)


def test_what_one_agent_of_the_chain_may_not_see_is_not_seen() -> None:
    policies = loaded(SUPPORT, READS)
    who = through("helper", ("planner", "interns"))
    assert [policies.could_allow(who, what, NOON) for what in (SEARCH, DELETE, WHOLE_GITHUB)] == [True, False, True]
    assert not policies.could_allow(through("helper", ("boss", "nobody")), WHOLE_GITHUB, NOON)


def test_the_person_stays_whom_all_of_them_act_for() -> None:
    policies = loaded(policy('permit(principal in Group::"staff", action, resource);', "staff"))
    assert policies.decide(call(SEARCH, {}, through("helper", ("planner", "nobody"))), NOON) == allow("staff")


def test_a_rule_sees_who_stands_behind_the_agent() -> None:
    policies = loaded(SUPPORT, policy('forbid(principal, action, resource) when { context.actors.contains("planner") };', "chain"))
    assert isinstance(policies.decide(call(SEARCH, {}, through("helper", ("planner", "support"))), NOON), Deny)
    assert policies.decide(call(SEARCH, {}, through("planner")), NOON) == allow("support")


def test_a_rule_in_observe_mode_sees_the_chain_and_decides_nothing() -> None:
    watched = policy('forbid(principal == Agent::"planner", action, resource);', "watched", mode="observe")
    policies = loaded(SUPPORT, watched)
    question = call(SEARCH, {}, through("helper", ("planner", "support")))
    assert policies.decide(question, NOON) == allow("support")
    observed = policies.observed(question, NOON)
    assert observed is not None
    assert (observed.policies, type(observed.would)) == ((PolicyId("watched"),), Deny)
    assert policies.observed(call(SEARCH, {}, through("helper")), NOON) is None


def test_an_operator_is_told_of_whom_each_policy_was_asked() -> None:
    told = explain(loaded(SUPPORT, READS), call(SEARCH, {}, through("helper", ("planner", "interns"))), NOON)
    assert [(one.policy, one.actor) for one in told.considered] == [("support", ""), ("reads", "planner")]


def bearer(**of: object) -> Principal:
    """Somebody with an access token."""
    return replace(principal(user=user("corp:alice")), proof=replace(Proof(ALL_SCOPES, "self", "cli", "fam"), **of))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "matching", "other"),
    [
        ('context.issuer == "corp"', bearer(issuer="corp"), bearer()),
        ('context.issuer == ""', principal(), bearer()),
        ('context.client == "cli"', bearer(), bearer(client="other")),
        ('context.bound == "dpop"', bearer(bound=Bound.DPOP), bearer(bound=Bound.CERTIFICATE)),
        ('context.bound != "nothing"', bearer(bound=Bound.DPOP), bearer()),
        ("context.certificate", bearer(certificate="t" * 43), bearer()),
        ('context.scopes.contains("mcp:read")', bearer(scopes=frozenset({"mcp:read"})), bearer()),
        ('principal has user && principal.user.issuer == "corp"', bearer(), replace(bearer(), subject=user("home:bob"))),
        ("context.actors.isEmpty()", bearer(), through("claude", ("claude", "support"))),
    ],
)
def test_policy_sees_how_a_principal_was_verified(condition: str, matching: Principal, other: Principal) -> None:
    policies = loaded(policy(f"permit(principal, action, resource) when {{ {condition} }};", "p"))
    # Twice and in turns: what is remembered of one is not taken for the other.
    for who, is_allowed in [(matching, True), (other, False)] * 2:
        assert isinstance(policies.decide(call(SEARCH, {}, who), NOON), Allow) is is_allowed
        assert policies.could_allow(who, SEARCH, NOON) is is_allowed


def test_an_operator_is_told_the_facts_of_proof_and_person() -> None:
    rule = policy("permit(principal, action, resource) when { principal has user && principal.user.issuer == context.issuer };", "p")
    told = explain(loaded(rule), call(SEARCH, {}, bearer(issuer="corp")), NOON)
    assert {fact.name: fact.value for fact in told.facts if fact.name.partition(".")[2]} == {
        "principal.user.issuer": "corp",
        "context.issuer": "corp",
    }
