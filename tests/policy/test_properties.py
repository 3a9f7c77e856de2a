"""What holds for all policies, principals and arguments: slicing, memory and lists change nothing, and a `forbid` only narrows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache

from cedarpy import is_authorized
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.domain.actors import Actor as Link
from doorward.domain.actors import Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Deny
from doorward.policy.engine import Policies
from doorward.policy.project import Unheld, project
from doorward.policy.question import Actor, Moment, Place, entities, facts
from doorward.policy.reads import WHOLE, Tree
from doorward.policy.schema import COMPLETE, Vocabulary, action_name
from tests.policy.generated import (
    ACTION_SCOPES,
    CONDITIONS,
    PRINCIPAL_SCOPES,
    PRINCIPALS,
    RANK,
    RESOURCE_SCOPES,
    TARGETS,
    Written,
    asked,
    calls,
    compiled,
    kind,
    moments,
    sets,
    tidy,
    unchecked,
    written,
)
from tests.policy.world import (
    CREATE,
    DELETE,
    FILE,
    NOON,
    PAY,
    REVIEW,
    SEARCH,
    WHOLE_GITHUB,
    call,
    loaded,
    policy,
    principal,
    target,
    user,
)


def whole_set(texts: Sequence[str], question: Call, moment: Moment, known: Vocabulary) -> str:
    """What Cedar says of all policies at once over the whole context, without slices."""
    name = action_name(question.target, question.method)
    assert name is not None
    action = known.actions[name]
    values = {**facts(question.principal, question.target, moment, WHOLE), "input": question.arguments}
    held = project(values, action.context, Tree(False, {name: WHOLE for name in action.context.fields if name != "derived"}))
    assert not isinstance(held, Unheld)
    actor, place = Actor(question.principal.agent, question.principal.subject), Place(question.target.upstream, question.target.team)
    request = {
        "principal": {"type": "Agent", "id": actor.agent.id},
        "action": {"type": "Action", "id": name},
        "resource": {"type": "Upstream", "id": place.upstream},
        "context": json.dumps(held),
    }
    result = is_authorized(request, "\n".join(texts), entities(actor, place, name, action.groups | {action.upstream}))
    if result.diagnostics.errors:
        return "error"
    return "allow" if result.allowed else "deny"


@given(sets, tidy, moments)
def test_slices_decide_as_the_whole_set_would(policies: list[Written], question: Call, moment: Moment) -> None:
    strict = [Written(one.effect, one.principal, one.action, one.resource, one.condition, False) for one in policies]
    subject = compiled(strict)
    expected = whole_set([rule.piece.text for rule in subject.rules], question, moment, subject.vocabulary)
    assert kind(subject.decide(question, moment)) == ("allow" if expected == "allow" else "deny")


@given(sets, st.lists(st.tuples(calls, moments), min_size=1, max_size=12))
def test_what_is_remembered_is_what_would_be_worked_out(policies: list[Written], questions: list[tuple[Call, Moment]]) -> None:
    subject = compiled(policies)
    for question, moment in (*questions, *reversed(questions)):
        fresh = Policies(subject.rules, subject.vocabulary, subject.digest, ())
        assert subject.decide(question, moment) == fresh.decide(question, moment)
        visible = subject.could_allow(question.principal, question.target, moment)
        assert visible == fresh.could_allow(question.principal, question.target, moment)


@given(sets, written, calls, moments)
def test_one_more_forbid_never_allows_more(policies: list[Written], more: Written, question: Call, moment: Moment) -> None:
    forbid = Written("forbid", more.principal, more.action, more.resource, more.condition, more.approval)
    before, after = compiled(policies).decide(question, moment), compiled([*policies, forbid]).decide(question, moment)
    assert RANK[kind(after)] <= RANK[kind(before)]


@given(sets, st.lists(calls, min_size=1, max_size=8), moments)
def test_nothing_is_hidden_that_could_be_had(policies: list[Written], questions: list[Call], moment: Moment) -> None:
    subject = compiled(policies)
    for question in questions:
        if not isinstance(subject.decide(question, moment), Deny):
            assert subject.could_allow(question.principal, question.target, moment)
            of_upstream = target(question.target.upstream, "all", kind=Kind.UPSTREAM, team=question.target.team)
            assert subject.could_allow(question.principal, of_upstream, moment)


@given(sets, calls, moments)
def test_observing_policies_never_change_a_decision(policies: list[Written], question: Call, moment: Moment) -> None:
    enforced, others = policies[::2], policies[1::2]
    texts = [one.text(f"p{position}") for position, one in enumerate(enforced)]
    watching = [one.text(f"q{position}").replace('@id("q', '@mode("observe") @id("q') for position, one in enumerate(others)]
    assert unchecked(*texts, *watching).decide(question, moment) == unchecked(*texts).decide(question, moment)


def handed_on(who: Principal, others: Sequence[Principal]) -> Principal:
    """The same by the rights of others: whatever they are besides agents does not go with it."""
    return replace(who, actors=tuple(Link(other.agent.id, "self", other.agent) for other in others))


def by_turns(whole: Principal) -> list[Principal]:
    """Each agent of a chain as if it spoke itself."""
    agents = [whole.agent, *(actor.agent for actor in whole.actors)]
    return [replace(whole, agent=agent, actors=whole.actors[number:]) for number, agent in enumerate(agents)]


chains = st.lists(st.sampled_from(PRINCIPALS), max_size=3)


@given(sets, calls, chains, moments)
def test_a_chain_may_what_each_of_its_agents_may_and_no_more(
    policies: list[Written], question: Call, others: list[Principal], moment: Moment
) -> None:
    subject = compiled(policies)
    whole = handed_on(question.principal, others)
    each = by_turns(whole)
    alone = [kind(subject._decide(question, one, moment)) for one in each]
    assert kind(subject.decide(replace(question, principal=whole), moment)) == min(alone, key=lambda found: RANK[found])


@given(sets, calls, chains, moments)
def test_what_an_agent_of_the_chain_may_not_see_is_not_seen_through_another(
    policies: list[Written], question: Call, others: list[Principal], moment: Moment
) -> None:
    subject = compiled(policies)
    whole = handed_on(question.principal, others)
    each = by_turns(whole)
    seen = subject.could_allow(whole, question.target, moment)
    assert seen == all(subject.could_allow(one, question.target, moment) for one in each)
    if not isinstance(subject.decide(replace(question, principal=whole), moment), Deny):
        assert seen


# A second evaluator, of scopes alone, that shares nothing with the first.

_STANDS = {
    'principal in Team::"finance"': lambda who: who.agent.team == "finance",
    'principal == Agent::"claude"': lambda who: who.agent.id == "claude",
    'principal == Agent::"odd\\"\\\\\\nname"': lambda who: who.agent.id == 'odd"\\\nname',
    'principal in User::"alice"': lambda who: who.subject is not None and who.subject.id == "alice",
    'principal in Group::"staff"': lambda who: who.subject is not None and "staff" in who.subject.groups,
    'principal is Agent in Group::"admins"': lambda who: who.subject is not None and "admins" in who.subject.groups,
    "principal": lambda who: True,
}
_DOES = {
    "action": {*TARGETS},
    'action in Action::"github"': {CREATE, SEARCH, DELETE, REVIEW, FILE},
    'action in [Action::"write", Action::"bank"]': {CREATE, DELETE, PAY},
    'action == Action::"bank/pay"': {PAY},
    'action == Action::"github/create_issue"': {CREATE},
    'action in Action::"read"': {SEARCH, REVIEW, FILE},
    'action == Action::"github/prompt/review"': {REVIEW},
}
_AT = {
    "resource": lambda what: True,
    'resource == Upstream::"github"': lambda what: what.upstream == "github",
    'resource in Team::"finance"': lambda what: what.team == "finance",
    'resource is Upstream in Team::"platform"': lambda what: what.team == "platform",
}


def reference(policies: Sequence[Written], who: Principal, what: Target) -> str:
    matching = [one for one in policies if _STANDS[one.principal](who) and what in _DOES[one.action] and _AT[one.resource](what)]
    forbids = [one for one in matching if one.effect == "forbid"]
    if not any(one.effect == "permit" for one in matching) or not all(one.approval for one in forbids):
        return "deny"
    return "ask" if forbids else "allow"


@given(sets, st.sampled_from(PRINCIPALS), st.sampled_from(TARGETS))
def test_scopes_decide_as_the_reference_says(policies: list[Written], who: Principal, what: Target) -> None:
    bare = [Written(one.effect, one.principal, one.action, one.resource, "", one.approval) for one in policies]
    subject = compiled(bare)
    expected = reference(bare, who, what)
    assert kind(subject.decide(asked(what, {}, who), NOON)) == expected
    assert subject.could_allow(who, what, NOON) == (expected != "deny")


@cache
def everyday() -> Policies:
    """A set whose decisions are remembered wherever they may be."""
    return compiled(
        [
            Written("permit", p, a, r, c, False)
            for p in PRINCIPAL_SCOPES[:4]
            for a in ACTION_SCOPES[:3]
            for r in RESOURCE_SCOPES[:2]
            for c in ("", CONDITIONS[10])
        ]
    )


@settings(max_examples=200)
@given(
    st.builds(
        principal,
        st.sampled_from(("claude", "cursor")),
        st.sampled_from(("support", "finance")),
        st.none() | st.builds(user, st.sampled_from(("alice", "bob")), st.sampled_from(("staff", "admins"))),
        st.sampled_from(("10.0.0.1", "11.0.0.1", "local", "nonsense")),
    ),
    st.sampled_from(TARGETS),
)
def test_decisions_of_different_principals_are_kept_apart(who: Principal, what: Target) -> None:
    subject = everyday()
    question = asked(what, {"owner": "acme"}, who)
    fresh = Policies(subject.rules, subject.vocabulary, subject.digest, ())
    assert subject.decide(question, NOON) == fresh.decide(question, NOON)


def test_an_upstream_is_seen_by_completion_as_well() -> None:
    helped = loaded(policy(f'permit(principal, action == Action::"github/{COMPLETE}", resource);'))
    assert helped.could_allow(PRINCIPALS[0], WHOLE_GITHUB, NOON)
    assert not helped.could_allow(PRINCIPALS[0], PAY, NOON)
    assert isinstance(helped.decide(call(SEARCH, {"limit": Decimal(1)}), NOON), Deny)
