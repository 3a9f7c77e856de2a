"""Waivers, layers and approvals at random: what is waived never denies, what is forbidden more never allows, and nothing outlives a waiver."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.actors import Actor as Link
from doorward.domain.actors import Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Deny
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind, Waivers
from doorward.policy.engine import Policies
from doorward.policy.question import Moment
from doorward.policy.schema import action_name
from tests.policy.generated import PRINCIPALS, RANK, Written, calls, compiled, kind, layered, moments, sets, written
from tests.policy.world import target


def by(*waivers: Waiver) -> Waivers:
    """Whatever is waived of each agent."""
    return lambda agent: [one for one in waivers if one.agent == agent]


def with_exceptions(policies: Sequence[Written]) -> list[Written]:
    """Every other one may be lifted."""
    return [replace(one, exception=number % 2 == 0) for number, one in enumerate(policies)]


Given = tuple[str, str, tuple[int, ...], bool, bool]
"""Agent, action, the positions it lifts, whether it is a glass, and whether it was given for other texts."""
givens = st.lists(
    st.tuples(
        st.sampled_from(("claude", "cursor", 'odd"\\\nname')),
        st.sampled_from(("github", "bank", "github/create_issue", "github/search", "bank/pay", "github/resources/read", "")),
        st.lists(st.integers(0, 7), max_size=4).map(tuple),
        st.booleans(),
        st.sampled_from((False, False, False, True)),
    ),
    max_size=4,
)


def waivers_for(policies: Policies, found: Sequence[Given]) -> list[Waiver]:
    made = []
    for number, (agent, action, positions, is_glass, is_stale) in enumerate(found):
        chosen = [policies.rules[position] for position in positions if position < len(policies.rules)]
        lifts: Mapping[PolicyId, Digest] = {rule.id: Digest("0" * 64) if is_stale else rule.text_digest for rule in chosen}
        sort = WaiverKind.BREAK_GLASS if is_glass else WaiverKind.EXCEPTION
        made.append(Waiver(WaiverId(f"w{number}"), sort, AgentId(agent), action, lifts, "because", "sam", 0, 1))
    return made


EVERYTHING = msgspec.structs.replace(
    compiled([Written("permit", "principal", "action", "resource", "", False)]).rules[0], id=PolicyId("everything")
)
teams = st.sampled_from(("", "platform", "finance"))


@given(sets, sets, teams, givens, written, calls, moments)
def test_one_more_forbid_never_allows_more_whatever_is_waived_and_whoever_wrote_it(
    policies: list[Written], others: list[Written], team: str, found: list[Given], more: Written, question: Call, moment: Moment
) -> None:
    forbid = replace(more, effect="forbid")
    before = layered(("", with_exceptions(policies)), (team, others))
    after = layered(("", with_exceptions(policies)), (team, [*others, forbid]))
    waivers = by(*waivers_for(after, found))
    first, second = before.decide(question, moment, waivers), after.decide(question, moment, waivers)
    assert RANK[kind(second)] <= RANK[kind(first)]


@given(sets, givens, givens, calls, moments)
def test_more_waivers_never_deny(policies: list[Written], found: list[Given], more: list[Given], question: Call, moment: Moment) -> None:
    subject = compiled(with_exceptions(policies))
    made = waivers_for(subject, [*found, *more])
    fewer, all_of_them = made[: len(found)], made
    decisions = [subject.decide(question, moment, by(*some)) for some in ((), fewer, all_of_them)]
    ranks = [RANK[kind(decision)] for decision in decisions]
    assert ranks == sorted(ranks)
    seen = [subject.could_allow(question.principal, question.target, moment, by(*some)) for some in ((), fewer, all_of_them)]
    assert seen == sorted(seen)


@given(sets, givens, calls, moments)
def test_an_exception_is_a_permit_and_the_set_without_what_it_names_and_lifts(
    policies: list[Written], found: list[Given], question: Call, moment: Moment
) -> None:
    subject = compiled(with_exceptions(policies))
    made = waivers_for(subject, [one for one in found if not one[3]])
    action = action_name(question.target, question.method)
    here = [one for one in made if one.agent == question.principal.agent.id and one.action in (action, question.target.upstream)]
    lifted = {(policy, text) for one in here for policy, text in one.lifts.items()}
    left = [rule for rule in subject.rules if rule.liftable_by is None or (rule.id, rule.text_digest) not in lifted]
    opened = Policies((*left, EVERYTHING), subject.vocabulary, Digest(""), ())
    alone, decision = subject.decide(question, moment), subject.decide(question, moment, by(*made))
    has_failed = isinstance(alone, Deny) and re.search("could not be evaluated|cannot be decided", alone.reason)
    if has_failed or not here:
        assert decision == alone
    else:
        assert kind(decision) == kind(opened.decide(question, moment))
    if not isinstance(alone, Deny):
        return
    assert (decision == alone) if isinstance(decision, Deny) else (decision.would == alone and decision.waiver)


@given(sets, st.lists(givens, min_size=1, max_size=4), st.lists(calls, min_size=1, max_size=6), moments)
def test_nothing_is_hidden_that_could_be_had_by_a_waiver_and_nothing_of_one_is_remembered(
    policies: list[Written], several: list[list[Given]], questions: list[Call], moment: Moment
) -> None:
    subject = compiled(with_exceptions(policies))
    for found in (*several, []):
        waivers = by(*waivers_for(subject, found))
        for question in questions:
            fresh = Policies(subject.rules, subject.vocabulary, subject.digest, ())
            decision = subject.decide(question, moment, waivers)
            assert decision == fresh.decide(question, moment, waivers)
            seen = subject.could_allow(question.principal, question.target, moment, waivers)
            assert seen == fresh.could_allow(question.principal, question.target, moment, waivers)
            if not isinstance(decision, Deny):
                assert seen
                of_upstream = target(question.target.upstream, "all", kind=Kind.UPSTREAM, team=question.target.team)
                assert subject.could_allow(question.principal, of_upstream, moment, waivers)


@given(sets, givens, calls, st.lists(st.sampled_from(PRINCIPALS), max_size=2), moments)
def test_a_chain_may_what_each_of_its_agents_may_by_its_own_waivers(
    policies: list[Written], found: list[Given], question: Call, others: list[Principal], moment: Moment
) -> None:
    subject = compiled(with_exceptions(policies))
    waivers = by(*waivers_for(subject, found))
    whole = replace(question.principal, actors=tuple(Link(one.agent.id, "self", one.agent) for one in others))
    agents = [whole.agent, *(actor.agent for actor in whole.actors)]
    each = [replace(whole, agent=agent, actors=whole.actors[number:]) for number, agent in enumerate(agents)]
    alone = [kind(subject._eased(question, one, moment, waivers)) for one in each]
    decision = subject.decide(replace(question, principal=whole), moment, waivers)
    assert kind(decision) == min(alone, key=lambda one: RANK[one])
