"""A yes that is put together of two halves is the whole panel's, and everything else is the whole panel's own."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.calls import Call
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need
from doorward.domain.ids import PolicyId
from doorward.policy.engine import Policies
from doorward.policy.grounds import Ground
from doorward.policy.lanes import ask
from doorward.policy.question import Moment, facts
from doorward.policy.reads import WHOLE
from tests.policy.generated import CONDITIONS, Written, calls, moments, unchecked, written
from tests.policy.world import CLAUDE, CREATE, NOON, SEARCH, at, call, loaded, policy, principal

OPEN = policy("permit(principal, action, resource);", "open")
NEAR = policy('permit(principal, action, resource) when { context has network && context.network.isInRange(ip("10.0.0.0/8")) };', "near")
SECRET = policy('forbid(principal, action, resource) when { context.input has query && context.input.query like "*secret*" };', "secret")
LATE = policy("permit(principal, action, resource) when { context.time.hour > 12 };", "late")
FAILING = (
    "when { principal.user.issuer == context.issuer }",
    "when { context.certificate && principal.user.issuer == context.issuer }",
    'when { context.input.owner like "a*" }',
    'unless { principal.name like "c*" || context.input.title == "x" }',
    'when { context == {"input": context.input} }',
    'when { context has network && !context.network.isInRange(ip("10.0.0.0/8")) }',
)
"""Conditions that fail for some, of either half."""

mixed = st.builds(
    replace, written, condition=st.sampled_from((*CONDITIONS, *FAILING, "", "", "")), exception=st.booleans(), action=st.just("action")
)
anybody = st.lists(st.builds(replace, mixed, principal=st.just("principal"), resource=st.just("resource")), max_size=6)
narrow = st.lists(mixed | written, max_size=7)


def ground(policies: Policies, question: Call, moment: Moment = NOON) -> Ground:
    lane = policies.lane(question, question.principal)
    assert lane is not None
    return policies._book.ground(lane, question.principal, question.target, moment)


def whole(policies: Policies, question: Call, moment: Moment, lifted: frozenset[PolicyId] | None = None) -> Decision:
    """What all rules make of the whole question at once."""
    lane = policies.lane(question, question.principal)
    assert lane is not None
    values = {**facts(question.principal, question.target, moment, WHOLE), "input": question.arguments}
    return ask(lane.panel, lane, values, lifted)


@given(anybody | narrow, st.lists(st.tuples(calls, moments), min_size=1, max_size=8))
def test_two_halves_decide_as_the_whole_panel_does(policies: list[Written], questions: list[tuple[Call, Moment]]) -> None:
    subject = unchecked(*(one.text(f"p{position}") for position, one in enumerate(policies)))
    for question, moment in (*questions, *reversed(questions)):
        assert subject.decide(question, moment) == whole(subject, question, moment)


@pytest.mark.parametrize(
    ("texts", "arguments", "expected"),
    [
        ((OPEN, SECRET), {"query": "x"}, Allow((PolicyId("open"),))),
        ((LATE, OPEN, NEAR, SECRET), {"query": "x"}, Allow((PolicyId("open"), PolicyId("near")))),
        ((SECRET,), {"query": "x"}, Deny((), "no policy permits it")),
        ((OPEN, SECRET), {"query": "secrets"}, Deny((PolicyId("secret"),), "secret says so", "secret says so")),
    ],
)
def test_what_stays_and_what_moves_decide_together(texts: tuple[str, ...], arguments: Mapping[str, object], expected: Decision) -> None:
    assert loaded(*texts).decide(call(SEARCH, arguments), NOON) == expected


def test_permits_of_both_halves_are_named_in_the_order_of_their_files() -> None:
    policies, afternoon = loaded(LATE, OPEN, policy("permit(principal, action, resource) when { context.time.hour > 13 };", "later")), 7200
    found = policies.decide(call(SEARCH), at(NOON.unix_seconds + afternoon))
    assert found == Allow((PolicyId("late"), PolicyId("open"), PolicyId("later")))
    assert policies.decide(call(SEARCH), NOON) == Allow((PolicyId("open"),))


def test_cedar_is_asked_for_a_call_only_what_the_moving_rules_read() -> None:
    policies, question = loaded(NEAR, SECRET), call(SEARCH, {"query": "x", "limit": 3})
    here = ground(policies, question)
    assert here.question({"input": question.arguments}) == '{"input":{"query":"x"}}'
    assert (here.halves.still.positions, here.halves.moving.positions, here.permits) == ((0,), (1,), [0])


def test_what_stays_and_a_moving_rule_reads_is_part_of_its_question() -> None:
    both = 'forbid(principal, action, resource) when { context.input has query && context.authn == "none" };'
    policies, question = loaded(NEAR, policy(both, "both")), call(SEARCH, {"query": "x"})
    assert ground(policies, question).question({"input": question.arguments}) == '{"authn":"agent_key","input":{"query":"x"}}'


def test_the_same_words_of_callers_who_stand_apart_are_answered_apart() -> None:
    policies, far = loaded(NEAR, SECRET), principal(network="192.168.0.1")
    found = [policies.decide(call(SEARCH, {"query": "x"}, who), NOON) for who in (CLAUDE, far, CLAUDE, far)]
    assert found == [Allow((PolicyId("near"),)), Deny((), "no policy permits it")] * 2


@pytest.mark.parametrize("condition", ['when { principal.user.issuer == "corp" }', "when { context.issuer == principal.user.issuer }"])
def test_an_error_of_a_rule_that_reads_nothing_of_the_call_denies_whatever_the_others_say(condition: str) -> None:
    policies = unchecked(OPEN, SECRET, policy(f"forbid(principal, action, resource) {condition};", "of-users"))
    for query in ("x", "y", "x"):
        found = policies.decide(call(SEARCH, {"query": query}), NOON)
        assert isinstance(found, Deny)
        assert found.policies == ("of-users",)


def test_a_rule_that_stays_and_asks_is_asked_about_with_what_the_moving_ones_say() -> None:
    asks = policy("forbid(principal, action, resource);", "careful", approval="ops")
    policies = loaded(asks, SECRET, policy("permit(principal, action, resource) when { context.input has query };", "open"))
    first, second, third = (policies.decide(call(SEARCH, arguments), NOON) for arguments in ({"query": "x"}, {"query": "secret"}, {}))
    assert isinstance(first, Ask)
    assert (first.policies, first.needs) == (("careful",), (Need("ops"),))
    assert second == Deny((PolicyId("careful"), PolicyId("secret")), "careful says so; secret says so", "careful says so")
    assert third == Deny((PolicyId("careful"),), "no policy permits it")


def test_what_cedar_cannot_hold_of_what_stays_denies() -> None:
    odd = principal(network="nonsense")
    policies = loaded(NEAR, OPEN, SECRET)
    for query in ("x", "y"):
        found = policies.decide(call(SEARCH, {"query": query}, odd), NOON)
        assert isinstance(found, Deny)
        assert found.reason.startswith("`context.network` cannot be decided on")


def test_each_half_is_parsed_once_for_all_lanes_with_the_same_rules() -> None:
    policies = loaded(OPEN, SECRET)
    first, second = (ground(policies, call(what, {"query": "x"}, who)) for what, who in ((SEARCH, CLAUDE), (CREATE, principal("cursor"))))
    assert first.number != second.number
    assert first.halves is second.halves
