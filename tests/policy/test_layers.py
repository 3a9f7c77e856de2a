"""Layers: a team's policies decide for the upstreams it owns and for no other, and loosen nothing of the global layer."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.calls import Call
from doorward.domain.catalog import Target
from doorward.domain.decisions import Allow, Decision, Deny, Observation
from doorward.domain.ids import PolicyId, TeamId, UpstreamId
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.problems import Problems
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from tests.policy.generated import RANK, Written, calls, kind, layered, moments, sets
from tests.policy.world import BANK, CLAUDE, ENTRIES, FILE, GITHUB, MAIL, NOON, PAY, SEARCH, UPSTREAMS, call, policy

ANY = "(principal, action, resource)"
OWNERS: Mapping[UpstreamId, TeamId] = {GITHUB: TeamId("platform"), BANK: TeamId("finance"), MAIL: TeamId("platform")}
OPEN, SHUT = policy(f"permit{ANY};", "open"), policy(f"forbid{ANY};", "shut")
PAYMENT = {"amount": 7, "to": "acme"}


def load(*layers: tuple[str, str], owners: Mapping[UpstreamId, TeamId] = OWNERS) -> Policies | Problems:
    """Policies of layers: the team, and the text."""
    sources = [Source(f"{team or 'all'}.cedar", text, team) for team, text in layers]
    return engine.compile(sources, ENTRIES, UPSTREAMS, owners=owners)


def loaded(*layers: tuple[str, str], owners: Mapping[UpstreamId, TeamId] = OWNERS) -> Policies:
    found = load(*layers, owners=owners)
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    return found


def said(*layers: tuple[str, str]) -> list[str]:
    found = load(*layers)
    return [str(problem) for problem in (found.warnings if isinstance(found, Policies) else found.items)]


def decided(what: Target, *layers: tuple[str, str]) -> Decision:
    return loaded(*layers).decide(call(what, PAYMENT if what is PAY else {}), NOON)


NOTHING = Deny((), "no policy permits it")
FORBIDDEN = Deny((PolicyId("shut"),), "shut says so", "shut says so")


def test_a_teams_permit_is_for_its_own_upstreams() -> None:
    assert decided(PAY, ("finance", OPEN)) == Allow((PolicyId("open"),))
    assert decided(SEARCH, ("finance", OPEN)) == NOTHING


def test_a_teams_forbid_is_for_its_own_upstreams() -> None:
    assert decided(PAY, ("", OPEN), ("finance", SHUT)) == FORBIDDEN
    assert decided(SEARCH, ("", OPEN), ("finance", SHUT)) == Allow((PolicyId("open"),))


def test_no_team_loosens_what_is_forbidden_to_all() -> None:
    assert decided(PAY, ("", SHUT), ("finance", OPEN)) == FORBIDDEN


def test_a_teams_policy_that_fails_denies_at_its_own_upstreams_alone() -> None:
    overflow = policy(f"forbid{ANY} when {{ context.time.unix * 9223372036854775807 > 0 }};", "count")
    decision = decided(PAY, ("", OPEN), ("finance", overflow))
    assert isinstance(decision, Deny)
    assert decision.policies == ("count",)
    assert decided(SEARCH, ("", OPEN), ("finance", overflow)) == Allow((PolicyId("open"),))


def test_resources_are_their_upstreams_owners_too_where_only_the_call_says_who_that_is() -> None:
    for owners in (OWNERS, {}):
        policies = loaded(("platform", OPEN), owners=owners)
        assert policies.decide(call(FILE, {"uri": FILE.name}, method="resources/read"), NOON) == Allow((PolicyId("open"),))
        others = loaded(("finance", OPEN), owners=owners)
        assert others.decide(call(FILE, {"uri": FILE.name}, method="resources/read"), NOON) == NOTHING
        assert [one.could_allow(CLAUDE, FILE, NOON) for one in (policies, others)] == [True, False]


def test_lists_show_what_a_teams_policies_let_be_had() -> None:
    policies = loaded(("finance", OPEN))
    assert [policies.could_allow(CLAUDE, what, NOON) for what in (PAY, SEARCH)] == [True, False]


def test_a_team_may_read_what_its_own_tools_have_and_not_ask_for_more() -> None:
    small = policy(f'permit{ANY} when {{ context.input has amount && context.input.amount.lessThan(decimal("10.0")) }};', "small")
    assert said(("finance", small)) == []
    assert decided(PAY, ("finance", small)) == Allow((PolicyId("small"),))
    (problem,) = said(("platform", small))
    assert problem.startswith("platform.cedar:3:62: warning: policy small: there is no `context.input.amount` of github/")


@pytest.mark.parametrize(
    ("scope", "word"),
    [
        ('principal, action == Action::"bank/pay", resource', "`bank`"),
        ('principal, action in Action::"bank", resource', "`bank`"),
        ('principal, action in [Action::"github/search", Action::"bank/pay"], resource', "`bank`"),
        ('principal, action, resource == Upstream::"bank"', "`bank`"),
        ('principal, action, resource is Upstream in Upstream::"bank"', "`bank`"),
    ],
)
def test_a_team_that_names_another_ones_upstream_is_told_whose_it_is(scope: str, word: str) -> None:
    (problem,) = said(("platform", policy(f"forbid({scope});")))
    told = f"{word} is owned by team `finance`, and the policies of team `platform` decide for its own upstreams alone"
    assert problem.startswith("platform.cedar:3:")
    assert problem.endswith(f"error: policy p: {told}")


def test_a_team_cannot_mean_the_upstreams_of_another_team() -> None:
    assert said(("platform", policy('forbid(principal, action, resource in Team::"finance");'))) == [
        "platform.cedar:3:45: error: policy p: the policies of team `platform` decide for its own upstreams alone"
    ]
    assert said(("finance", policy('forbid(principal, action, resource in Team::"finance");'))) == []


def test_policies_of_a_team_without_an_upstream_are_told_to_decide_nothing() -> None:
    assert said(("sales", OPEN)) == ["sales.cedar:3:19: warning: policy open: nothing approved is in its scope, so it decides nothing"]


def test_ids_are_one_of_a_kind_over_all_layers() -> None:
    assert said(("", OPEN), ("finance", OPEN)) == ["finance.cedar:1:2: error: policy open: the same @id stands at all.cedar:1"]


def test_a_teams_observing_policy_watches_its_own_upstreams() -> None:
    policies = loaded(("", OPEN), ("finance", policy(f"forbid{ANY};", "try", mode="observe")))
    paying, searching = call(PAY, PAYMENT), call(SEARCH)
    assert [policies.watches(one) for one in (paying, searching)] == [True, False]
    assert policies.observed(searching, NOON) is None
    assert policies.observed(paying, NOON) == Observation((PolicyId("try"),), Deny((PolicyId("try"),), "try says so", "try says so"))


teams = st.sampled_from(("platform", "finance"))


@given(sets, sets, teams, calls, moments)
def test_a_team_changes_no_decision_on_what_another_owns(
    everybodys: list[Written], own: list[Written], team: str, question: Call, moment: Moment
) -> None:
    if question.target.team == team:
        return
    before, after = layered(("", everybodys)), layered(("", everybodys), (team, own))
    assert after.decide(question, moment) == before.decide(question, moment)
    seen = before.could_allow(question.principal, question.target, moment)
    assert after.could_allow(question.principal, question.target, moment) == seen


@given(sets, sets, teams, calls, moments)
def test_a_teams_layer_decides_for_its_own_as_if_it_were_everybodys(
    everybodys: list[Written], own: list[Written], team: str, question: Call, moment: Moment
) -> None:
    if question.target.team != team:
        return
    apart, together = layered(("", everybodys), (team, own)), layered(("", everybodys), ("", own))
    assert apart.decide(question, moment) == together.decide(question, moment)


@given(sets, sets, teams, calls, moments)
def test_no_team_allows_what_is_forbidden_to_all(
    everybodys: list[Written], own: list[Written], team: str, question: Call, moment: Moment
) -> None:
    forbids = [one for one in everybodys if one.effect == "forbid"]
    opened = layered(("", [*forbids, Written("permit", "principal", "action", "resource", "", False)]))
    decision = layered(("", forbids), (team, own)).decide(question, moment)
    assert RANK[kind(decision)] <= RANK[kind(opened.decide(question, moment))]
