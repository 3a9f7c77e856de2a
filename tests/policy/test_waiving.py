"""Waivers in the decision: what an exception lifts and what it does not, what a broken glass passes, and what is recorded of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from doorward.domain.actors import Actor as Link
from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.catalog import Target
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind, Waivers, nothing_waived
from doorward.policy.engine import NOT_APPROVED, Policies, observe
from tests.policy.world import CLAUDE, CREATE, FILE, NOON, SEARCH, WHOLE_GITHUB, call, loaded, policy, principal, target

ANY = "(principal, action, resource)"
OPEN = policy(f"permit{ANY};", "open")
SHUT = policy(f"forbid{ANY};", "shut", exception="security")
CLOSED = policy(f"forbid{ANY};", "closed", exception="security")
HARD = policy(f"forbid{ANY};", "hard")
SEEN = policy(f"forbid{ANY};", "seen", approval="leads")
EITHER = policy(f"forbid{ANY};", "either", approval="finance", exception="security")
CREATING = call(CREATE, {"owner": "acme"})
UNPERMITTED = Deny((), "no policy permits it")


def by(*waivers: Waiver) -> Waivers:
    """Whatever is waived of each agent."""
    return lambda agent: [one for one in waivers if one.agent == agent]


def exception(policies: Policies, *lifts: str, agent: str = "claude", action: str = "github/create_issue", name: str = "e1") -> Waiver:
    texts = {rule.id: rule.text_digest for rule in policies.rules}
    named = {PolicyId(policy): texts.get(PolicyId(policy), Digest("")) for policy in lifts}
    return Waiver(WaiverId(name), WaiverKind.EXCEPTION, AgentId(agent), action, named, "because", "sam", 0, 1)


def glass(agent: str = "claude", action: str = "", name: str = "g1") -> Waiver:
    return Waiver(WaiverId(name), WaiverKind.BREAK_GLASS, AgentId(agent), action, {}, "it burns", "sam", 0, 1)


def passed(would: Decision, waiver: str = "e1") -> Allow:
    assert isinstance(would, Deny)
    return Allow((), would, WaiverId(waiver))


def test_an_exception_permits_what_nothing_permits() -> None:
    policies = loaded()
    assert policies.decide(CREATING, NOON, by(exception(policies))) == passed(UNPERMITTED)


def test_an_exception_is_for_one_agent_and_one_action_or_upstream() -> None:
    policies = loaded(SHUT)
    for agent, action, holds in (
        ("claude", "github/create_issue", True),
        ("claude", "github", True),
        ("claude", "github/search", False),
        ("claude", "bank", False),
        ("claude", "write", False),
        ("claude", "", False),
        ("cursor", "github", False),
    ):
        waiver = exception(policies, "shut", agent=agent, action=action)
        assert isinstance(policies.decide(CREATING, NOON, by(waiver)), Allow) is holds, (agent, action)


def test_a_waiver_that_is_given_out_for_another_agent_counts_for_nobody() -> None:
    def mixed_up(agent: AgentId) -> Sequence[Waiver]:
        return (glass("cursor"), exception(loaded(), agent="cursor"))

    assert loaded().decide(CREATING, NOON, mixed_up) == UNPERMITTED
    assert not loaded().could_allow(CLAUDE, CREATE, NOON, mixed_up)


def test_what_an_exception_lifted_is_recorded() -> None:
    policies = loaded(OPEN, SHUT)
    alone = policies.decide(CREATING, NOON)
    assert alone == Deny((PolicyId("shut"),), "shut says so", "shut says so")
    assert policies.decide(CREATING, NOON, by(exception(policies, "shut"))) == passed(alone)


def test_a_forbid_that_is_not_named_still_denies() -> None:
    policies = loaded(OPEN, SHUT, CLOSED)
    alone = policies.decide(CREATING, NOON)
    assert policies.decide(CREATING, NOON, by(exception(policies, "shut"))) == alone
    assert policies.decide(CREATING, NOON, by(exception(policies))) == alone


def test_a_forbid_that_nobody_may_lift_still_denies() -> None:
    policies = loaded(OPEN, HARD)
    assert policies.decide(CREATING, NOON, by(exception(policies, "hard"))) == policies.decide(CREATING, NOON)


def test_a_forbid_of_another_text_is_not_lifted() -> None:
    before, after = loaded(OPEN, SHUT), loaded(OPEN, SHUT.replace("shut says so", "more is shut"))
    assert isinstance(after.decide(CREATING, NOON, by(exception(before, "shut"))), Deny)
    assert isinstance(after.decide(CREATING, NOON, by(exception(after, "shut"))), Allow)


def test_what_two_exceptions_lift_together_passes_and_names_both() -> None:
    policies = loaded(SHUT, CLOSED)
    both = by(exception(policies, "closed"), exception(policies, "shut", name="e2"))
    assert policies.decide(CREATING, NOON, both) == passed(policies.decide(CREATING, NOON), "e2,e1")


def test_people_are_asked_under_an_exception_all_the_same() -> None:
    policies = loaded(SHUT, SEEN)
    alone = policies.decide(CREATING, NOON)
    decision = policies.decide(CREATING, NOON, by(exception(policies, "shut")))
    assert isinstance(alone, Deny)
    assert isinstance(decision, Ask)
    assert decision == Ask((PolicyId("seen"),), (Need("leads"),), "seen says so", decision.basis, WaiverId("e1"), alone)
    asked = loaded(OPEN, SEEN).decide(CREATING, NOON)
    assert isinstance(asked, Ask)
    assert decision.basis == asked.basis


def test_nobody_is_asked_for_what_an_exception_lifts() -> None:
    policies = loaded(OPEN, EITHER)
    assert isinstance(policies.decide(CREATING, NOON), Ask)
    would = Deny((PolicyId("either"),), "finance would be asked: either says so", is_question=True)
    assert policies.decide(CREATING, NOON, by(exception(policies, "either"))) == passed(would)


def test_a_question_that_an_exception_does_not_touch_is_asked_as_ever() -> None:
    policies = loaded(OPEN, SEEN, EITHER)
    assert policies.decide(CREATING, NOON, by(exception(policies))) == policies.decide(CREATING, NOON)


OVERFLOW = "when { context.input has limit && context.input.limit * 9223372036854775807 > 0 }"
FAILING = policy(f"forbid{ANY} {OVERFLOW};", "count", exception="security")
SEARCHING = call(SEARCH, {"limit": 2})


def test_a_forbid_that_fails_denies_under_an_exception_and_passes_a_broken_glass() -> None:
    policies = loaded(OPEN, FAILING)
    failed = policies.decide(SEARCHING, NOON)
    assert isinstance(failed, Deny)
    assert failed.policies == ("count",)
    assert policies.decide(SEARCHING, NOON, by(exception(policies, "count", action="github/search"))) == failed
    assert policies.decide(SEARCHING, NOON, by(glass())) == passed(failed, "g1")


def test_what_policy_cannot_hold_denies_under_an_exception_and_passes_a_broken_glass() -> None:
    policies = loaded(OPEN, policy(f"forbid{ANY} when {{ context.input has limit && context.input.limit > 9 }};", "many", exception="ops"))
    huge = call(SEARCH, {"limit": 2**70})
    unheld = policies.decide(huge, NOON)
    assert isinstance(unheld, Deny)
    assert policies.decide(huge, NOON, by(exception(policies, "many", action="github"))) == unheld
    assert policies.decide(huge, NOON, by(glass())) == passed(unheld, "g1")


@pytest.mark.parametrize("action", ["", "github", "github/create_issue"])
def test_a_broken_glass_passes_denials_and_questions(action: str) -> None:
    waivers = by(glass(action=action))
    denied = loaded(OPEN, HARD).decide(CREATING, NOON)
    assert loaded(OPEN, HARD).decide(CREATING, NOON, waivers) == passed(denied, "g1")
    asked = Deny((PolicyId("seen"),), "leads would be asked: seen says so", is_question=True)
    assert loaded(OPEN, SEEN).decide(CREATING, NOON, waivers) == passed(asked, "g1")
    assert loaded(OPEN).decide(CREATING, NOON, waivers) == Allow((PolicyId("open"),))


def test_a_broken_glass_is_for_what_it_names() -> None:
    assert loaded().decide(CREATING, NOON, by(glass(action="bank"))) == UNPERMITTED
    assert loaded().decide(CREATING, NOON, by(glass("cursor"))) == UNPERMITTED


def test_where_an_exception_does_no_glass_is_named() -> None:
    policies = loaded(SHUT)
    assert policies.decide(CREATING, NOON, by(glass(), exception(policies, "shut"))) == passed(policies.decide(CREATING, NOON))


def test_a_broken_glass_shows_nothing_that_is_not_approved() -> None:
    unheard = target("github", "unheard_of")
    assert loaded().decide(call(unheard), NOON, by(glass())) == Deny((), NOT_APPROVED)
    assert not loaded().could_allow(CLAUDE, unheard, NOON, by(glass()))


def test_the_gateway_itself_has_no_waivers() -> None:
    own = principal(method=AuthnMethod.OWN)
    assert isinstance(loaded().decide(call(CREATE, who=own), NOON, by(glass())), Deny)
    assert not loaded().could_allow(own, CREATE, NOON, by(glass()))


def test_allowed_calls_look_at_no_waivers() -> None:
    def none(agent: AgentId) -> Sequence[Waiver]:
        raise AssertionError(agent)

    assert loaded(OPEN).decide(CREATING, NOON, none) == Allow((PolicyId("open"),))
    assert loaded(OPEN).could_allow(CLAUDE, CREATE, NOON, none)


def test_observing_is_as_ever_where_a_waiver_let_it_pass() -> None:
    policies = loaded(SHUT)
    decision = policies.decide(CREATING, NOON, by(exception(policies, "shut")))
    assert observe(decision) == decision


def test_what_is_lifted_can_be_looked_up_by_id_where_it_is_in_force() -> None:
    policies = loaded(SHUT, HARD, policy(f"forbid{ANY};", "try", exception="ops", mode="observe"))
    found = policies.liftable(PolicyId("shut"))
    assert found is not None
    assert (found.liftable_by, found.text_digest) == ("security", policies.rules[0].text_digest)
    assert [policies.liftable(PolicyId(name)) for name in ("hard", "try", "none")] == [None, None, None]


# Chains

PLANNER = principal("planner")


def through(*others: Principal) -> Principal:
    return replace(CLAUDE, actors=tuple(Link(one.agent.id, "self", one.agent) for one in others))


def test_each_agent_of_a_chain_needs_waivers_of_its_own() -> None:
    policies = loaded(SHUT)
    asked = replace(CREATING, principal=through(PLANNER))
    own, others = exception(policies, "shut"), exception(policies, "shut", agent="planner", name="e2")
    alone = Deny((PolicyId("shut"),), "shut says so", "shut says so")
    assert policies.decide(asked, NOON) == alone
    assert policies.decide(asked, NOON, by(others)) == alone
    assert policies.decide(asked, NOON, by(own)) == replace(alone, reason="agent planner, which it acts for, may not: shut says so")
    assert policies.decide(asked, NOON, by(own, others)) == passed(alone, "e1,e2")
    assert policies.decide(asked, NOON, by(glass(), others)) == passed(alone, "g1,e2")
    assert [policies.could_allow(asked.principal, CREATE, NOON, by(*some)) for some in ((), (own,), (others,), (own, others))] == [
        False, False, False, True,
    ]  # fmt: skip


def test_a_waiver_of_an_agent_behind_is_told_with_its_name() -> None:
    policies = loaded(policy('permit(principal == Agent::"claude", action, resource);', "claude"))
    asked = replace(CREATING, principal=through(PLANNER))
    told = Deny((), "agent planner, which it acts for, may not: no policy permits it")
    assert policies.decide(asked, NOON, by(glass("planner"))) == Allow((PolicyId("claude"),), told, WaiverId("g1"))


def test_a_chain_is_asked_under_an_exception_with_everything_that_is_recorded() -> None:
    policies = loaded(policy('forbid(principal == Agent::"claude", action, resource);', "seen", approval="leads"))
    asked = replace(CREATING, principal=through(PLANNER))
    waivers = by(exception(policies), exception(policies, agent="planner", name="e2"))
    decision = policies.decide(asked, NOON, waivers)
    assert isinstance(decision, Ask)
    assert (decision.policies, decision.waiver, decision.would) == (
        (PolicyId("seen"),), WaiverId("e1,e2"), Deny((PolicyId("seen"),), "no policy permits it"),
    )  # fmt: skip


# Lists


def visible(policies: Policies, what: Target, waivers: Waivers) -> bool:
    return policies.could_allow(CLAUDE, what, NOON, waivers)


def test_lists_show_what_a_waiver_lets_be_had() -> None:
    policies = loaded(SHUT)
    assert not visible(policies, CREATE, nothing_waived)
    for waiver in (exception(policies, "shut"), exception(policies, "shut", action="github"), glass(), glass(action="github")):
        assert visible(policies, CREATE, by(waiver))
    for waiver in (exception(policies), exception(policies, "shut", action="github/search"), glass(action="bank"), glass("cursor")):
        assert not visible(policies, CREATE, by(waiver))


def test_what_was_seen_through_a_waiver_is_gone_with_it() -> None:
    policies = loaded(
        SHUT, policy(f'forbid{ANY} when {{ context.input has uri && context.input.uri like "file:///srv/reports/*" }};', "uri")
    )
    held: list[Waiver] = [exception(policies, "shut", action="github")]
    for what in (CREATE, SEARCH):
        assert visible(policies, what, by(*held))
        assert not visible(policies, what, nothing_waived)
        assert not visible(policies, what, by(exception(policies, action="github")))
        assert visible(policies, what, by(*held))
    assert not visible(policies, FILE, by(*held))
    assert visible(policies, replace(FILE, name="file:///srv/b"), by(*held))


def test_lists_of_an_upstream_may_be_had_by_who_has_a_waiver_for_something_of_it() -> None:
    policies = loaded(SHUT)
    listing = call(WHOLE_GITHUB, method="tools/list")
    alone = policies.decide(listing, NOON)
    assert isinstance(alone, Deny)
    assert policies.decide(listing, NOON, by(exception(policies, "shut"))) == passed(alone)
    assert policies.decide(listing, NOON, by(glass())) == passed(alone, "g1")
    assert policies.decide(listing, NOON, by(exception(policies, action="github"))) == alone
    assert policies.decide(listing, NOON, by(glass(action="bank"))) == alone


def test_a_forbid_that_can_be_lifted_hides_and_one_that_asks_does_not() -> None:
    assert not loaded(OPEN, SHUT).could_allow(CLAUDE, CREATE, NOON)
    assert loaded(OPEN, EITHER).could_allow(CLAUDE, CREATE, NOON)
