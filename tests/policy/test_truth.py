"""What is said to contradict itself never matches, and what is said to cover does: for all calls, over conditions made to meet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.domain.calls import Call
from doorward.domain.ids import Digest
from doorward.policy.cover import Book
from doorward.policy.engine import Policies
from doorward.policy.panel import Match
from doorward.policy.question import Moment, facts
from doorward.policy.reads import WHOLE
from doorward.policy.rules import Rule, Source, parse
from doorward.policy.truth import branches, is_like
from tests.policy.generated import KNOWN, PRINCIPALS
from tests.policy.world import CREATE, SEARCH, at, call, policy

TESTS = (
    'context.input.owner == "acme"',
    'context.input.owner != "acme"',
    '["acme", "ok"].contains(context.input.owner)',
    'context.input.owner like "a*"',
    'context.input.owner like "*e"',
    "context.input has title",
    'context.input has title && context.input.title == "x"',
    '(if context.input has title then context.input.title like "x*" else true)',
    'context.input has labels && context.input.labels.contains("ok")',
    "context.input has labels && context.input.labels.isEmpty()",
    'context.input has labels && context.input.labels.containsAny(["ok", "x"])',
    'context.input has labels && ["ok"].containsAll(context.input.labels)',
    "context.time.hour < 9",
    "context.time.hour >= 9",
    "context.time.hour > 12",
    "context.time.hour == 12",
    "context.time.weekday > 5",
    "context.time.weekday <= 5",
    'principal in Team::"support"',
    'principal.team == Team::"finance"',
    'principal == Agent::"claude"',
    "principal has user",
    'principal in User::"alice"',
    'principal in Group::"staff"',
    'context has network && context.network.isInRange(ip("10.0.0.0/8"))',
    'context has network && context.network.isInRange(ip("10.1.0.0/16"))',
    'context has network && !context.network.isInRange(ip("192.168.0.0/16"))',
    'context.authn == "agent_key"',
    'context.bound == "dpop"',
    "context.certificate",
    "context.certificate == false",
    "context.actors.isEmpty()",
    'action in Action::"write"',
    'action == Action::"github/search"',
    'resource in Team::"platform"',
    'context.reversibility == "read"',
    "context.input has limit && context.input.limit < 5",
    "context.input has limit && context.input.limit > 3",
    'principal.name like "c*"',
    "resource in principal.team",
)
tests_of = st.sampled_from(TESTS)
conditions = st.recursive(
    tests_of,
    lambda inner: (
        st.builds("({} && {})".format, inner, inner)
        | st.builds("({} || {})".format, inner, inner)
        | st.builds("!({})".format, inner)
        | st.builds("(if {} then {} else {})".format, inner, inner, inner)
    ),
    max_leaves=5,
)
words = st.sampled_from(("acme", "ok", "x", "apple", "e"))
created = st.fixed_dictionaries({"owner": words}, optional={"title": words | st.none(), "labels": st.lists(words, max_size=2)})
found = st.fixed_dictionaries({}, optional={"query": words, "limit": st.integers(2, 6)})
questions = st.builds(lambda arguments, who: call(CREATE, arguments, who), created, st.sampled_from(PRINCIPALS)) | st.builds(
    lambda arguments, who: call(SEARCH, arguments, who), found, st.sampled_from(PRINCIPALS)
)
NOON = 1_795_003_200.0
times = st.sampled_from([at(NOON), at(NOON - 4 * 3600), at(NOON + 3600), at(NOON + 3 * 86400)])


def rules_of(*texts: str) -> tuple[Rule, ...]:
    made = "\n".join(policy(f"permit (principal, action, resource) when {{ {text} }};", f"p{number}") for number, text in enumerate(texts))
    rules, wrong = parse(Source("t", made))
    assert not wrong
    return rules


def matched(rules: tuple[Rule, ...], question: Call, moment: Moment) -> list[Match]:
    policies = Policies(rules, KNOWN, Digest(""), ())
    lane = policies.lane(question, question.principal)
    assert lane is not None
    values = {**facts(question.principal, question.target, moment, WHOLE), "input": question.arguments}
    return [policies.match(position, lane, values) for position in range(len(rules))]


@settings(deadline=None, max_examples=300)
@given(conditions, questions, times)
def test_what_contradicts_itself_never_matches(text: str, question: Call, moment: Moment) -> None:
    rules = rules_of(text)
    book = Book(KNOWN)
    action = KNOWN.actions[f"github/{question.target.name}"]
    if book.branches(rules[0], action) == ():
        assert matched(rules, question, moment) != [Match.MATCHED]


@settings(deadline=None, max_examples=300)
@given(conditions, conditions, questions, times)
def test_what_is_covered_matches_nowhere_alone(one: str, other: str, question: Call, moment: Moment) -> None:
    rules = rules_of(one, other)
    book = Book(KNOWN)
    if book.covers(rules[1], rules[0], f"github/{question.target.name}"):
        narrow, wide = matched(rules, question, moment)
        assert narrow is not Match.MATCHED or wide is not Match.DID_NOT_MATCH


@pytest.mark.parametrize("text", TESTS)
def test_a_condition_covers_itself_and_its_opposite_contradicts_it(text: str) -> None:
    twice, never = rules_of(text, f"({text}) && !({text})")
    book = Book(KNOWN)
    for name in ("github/create_issue", "github/search"):
        assert book.covers(twice, twice, name)
        assert book.branches(never, KNOWN.actions[name]) == ()


@pytest.mark.parametrize(
    ("text", "pattern", "is_so"),
    [
        ("", ("",), True),
        ("a", (None,), True),
        ("", (None,), True),
        ("acme", ("a", None), True),
        ("acme", (None, "me"), True),
        ("acme", ("a", None, "e"), True),
        ("acme", ("a", None, "x", None), False),
        ("acme", ("acm",), False),
        ("abab", (None, "ab"), True),
    ],
)
def test_patterns_match_as_in_cedar(text: str, pattern: tuple[str | None, ...], is_so: bool) -> None:
    assert is_like(text, pattern) is is_so


def test_of_too_many_alternatives_nothing_is_known() -> None:
    (rule,) = rules_of(" && ".join(f"(context.time.hour == {n} || context.time.minute == {n})" for n in range(9)))
    assert branches(rule.cedar) is None


def test_numbers_differ_by_their_least_step() -> None:
    amount = "context.input.amount"
    rules, _ = parse(
        Source(
            "t",
            policy(
                f'permit (principal, action == Action::"bank/pay", resource) when {{ {amount}.greaterThan(decimal("5.0")) && '
                f'{amount}.lessThan(decimal("5.0001")) }};'
            ),
        )
    )
    assert branches(rules[0].cedar) == ()
