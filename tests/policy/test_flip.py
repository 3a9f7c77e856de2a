"""The smallest flip: what is proposed flips, and what the caller can change comes first."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings

from doorward.domain.actors import ALL_SCOPES, Actor, AuthnMethod, Principal, Proof
from doorward.domain.calls import Call
from doorward.domain.decisions import Ask, Deny
from doorward.domain.ids import UpstreamId
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.facts.email import Email
from doorward.policy.facts.fact import Fact
from doorward.policy.facts.kind import Kind
from doorward.policy.facts.numbers import Length, Number
from doorward.policy.facts.path import Path as PathKind
from doorward.policy.facts.truths import Match
from doorward.policy.facts.url import Url
from doorward.policy.flip import DECISIONS, Flips, flips, is_flipped
from doorward.policy.question import Moment
from doorward.policy.rules import Source, parse
from tests.policy.generated import KNOWN, Written, calls, compiled, moments, sets
from tests.policy.world import CLAUDE, CREATE, ENTRIES, FILE, NOON, PAY, SEARCH, UPSTREAMS, call, loaded, policy, principal, user

ALL = policy("permit (principal, action, resource);", "all")
SMALL = policy(
    'permit (principal in Team::"support", action == Action::"bank/pay", resource) when '
    '{ context.input.amount.lessThanOrEqual(decimal("500.00")) && ["acme", "initech"].contains(context.input.to) };',
    "small-payments",
)


def never() -> bool:
    return False


def sentences(policies: Policies, question: Call, moment: Moment = NOON) -> list[str]:
    return [flip.sentence for flip in flips(policies, question, moment, never).found]


def pay(amount: object, to: str, who: Principal = CLAUDE) -> Call:
    return call(PAY, {"amount": amount, "to": to}, who)


def test_a_number_over_a_threshold_is_told_with_the_threshold_and_what_it_is_instead() -> None:
    assert sentences(loaded(SMALL), pay(Decimal("750.00"), "acme"))[0] == "amount ≤ 500.00 instead of 750.00 → allow by small-payments"


def test_two_things_together_are_told_where_neither_is_enough() -> None:
    assert sentences(loaded(SMALL), pay(Decimal("750.00"), "evil"))[0] == (
        'amount ≤ 500.00 instead of 750.00 and to = "acme" instead of "evil" → allow by small-payments'
    )


def test_a_membership_is_told_where_arguments_do_not_help() -> None:
    assert sentences(loaded(SMALL), pay(1, "acme", principal(team="sales"))) == [
        "the agent in team `support` instead of `sales` → allow by small-payments"
    ]


def condition(text: str, effect: str = "permit") -> str:
    return policy(f"{effect} (principal, action, resource) when {{ {text} }};", "p")


TOKEN = replace(principal(method=AuthnMethod.ACCESS_TOKEN), proof=Proof(ALL_SCOPES, "corp", "c1"))
HANDED_ON = replace(TOKEN, actors=(Actor("planner", "corp", principal("planner").agent),))


@pytest.mark.parametrize(
    ("text", "question", "first"),
    [
        ("context.time.hour < 9", call(CREATE, {"owner": "a"}), "context.time.hour < 9 (say, 8) instead of 12 → allow by p"),
        ("context.time.weekday > 5", call(CREATE, {"owner": "a"}), "context.time.weekday > 5 (say, 6) instead of 3 → allow by p"),
        (
            'context has network && context.network.isInRange(ip("192.168.0.0/16"))',
            call(CREATE, {"owner": "a"}),
            'context.network in 192.168.0.0/16 (say, 192.168.0.1) instead of "10.1.2.3" → allow by p',
        ),
        ('context.bound == "dpop"', call(CREATE, {"owner": "a"}), 'context.bound = "dpop" instead of "nothing" → allow by p'),
        ("context.certificate", call(CREATE, {"owner": "a"}), "context.certificate = true instead of false → allow by p"),
        ('context.issuer == "corp"', call(CREATE, {"owner": "a"}), 'context.issuer = "corp" instead of "" → allow by p'),
        (
            'context.authn == "certificate"',
            call(CREATE, {"owner": "a"}),
            'context.authn = "certificate" instead of "agent_key" → allow by p',
        ),
        (
            'context.scopes.contains("mcp:git")',
            call(CREATE, {"owner": "a"}),
            'context.scopes with "mcp:git" in it instead of ["mcp"] → allow by p',
        ),
        ("context.actors.isEmpty()", call(CREATE, {"owner": "a"}, HANDED_ON), 'context.actors empty instead of ["planner"] → allow by p'),
        ("principal has user", call(CREATE, {"owner": "a"}), "for a person → allow by p"),
        ('principal in Group::"corp:finance"', call(CREATE, {"owner": "a"}), "for somebody in group `corp:finance` → allow by p"),
        (
            'principal has user && principal.user.issuer == "corp"',
            call(CREATE, {"owner": "a"}, principal(user=user("okta:ann"))),
            'principal.user.issuer = "corp" instead of "okta" → allow by p',
        ),
        ("resource in principal.team", call(CREATE, {"owner": "a"}), "the agent in team `platform` instead of `support` → allow by p"),
        ('principal.kind == "robot"', call(CREATE, {"owner": "a"}), 'principal.kind = "robot" instead of "desktop" → allow by p'),
        (
            'context.input has title && context.input.title == "x"',
            call(CREATE, {"owner": "a"}),
            'title = "x" → allow by p',
        ),
        ("!(context.input has title)", call(CREATE, {"owner": "a", "title": "x"}), "without title → allow by p"),
        (
            'context.input has labels && context.input.labels.contains("ok")',
            call(CREATE, {"owner": "a", "labels": ["new"]}),
            'labels with "ok" in it instead of ["new"] → allow by p',
        ),
        (
            "context.input has options && context.input.options has deep && context.input.options.deep",
            call(SEARCH, {}),
            "options.deep = true → allow by p",
        ),
        (
            'context.input has uri && context.input.uri like "file:///srv/*"',
            call(FILE, {"uri": "file:///etc/passwd"}, method="resources/read"),
            'uri like `file:///srv/*` (say, "file:///srv/x") instead of "file:///etc/passwd" → allow by p',
        ),
        (
            "context.input has owner && principal.owner == context.input.owner",
            call(CREATE, {"owner": "ann"}),
            'owner = principal.owner, which is "bob", instead of "ann" → allow by p',
        ),
    ],
)
def test_each_sort_of_condition_has_its_flip(text: str, question: Call, first: str) -> None:
    rules, wrong = parse(Source("p", condition(text)))
    assert not wrong
    assert sentences(Policies(rules, KNOWN, loaded(ALL).digest, ()), question)[0] == first


def of(name: str, argument: str, kind: Kind, tool: str = "search") -> Fact:
    return Fact(UpstreamId("github"), tool, name, tuple(argument.split("/")), kind, "here")


@pytest.mark.parametrize(
    ("fact", "text", "value", "first"),
    [
        (
            of("page", "query", Url()),
            'context.derived has page && context.derived.page.host == "acme.com"',
            "https://evil.com/x?y",
            'context.derived.page.host = "acme.com" instead of "evil.com", by query = "https://acme.com/x?y" → allow by p',
        ),
        (
            of("file", "query", PathKind("/srv", {"reports": "/srv/reports"})),
            'context.derived has file && context.derived.file.root == "reports"',
            "../etc/passwd",
            'context.derived.file.root = "reports" instead of "", by query = "/srv/reports/x" → allow by p',
        ),
        (
            of("to", "query", Email()),
            'context.derived has to && ["acme.com"].containsAll(context.derived.to.domains)',
            "ann@acme.com, eve@evil.com",
            'context.derived.to.domains within "acme.com" instead of ["acme.com", "evil.com"], by query = "ann@acme.com" → allow by p',
        ),
        (
            of("length", "query", Length("characters")),
            "context.derived has length && context.derived.length <= 3",
            "12345",
            'context.derived.length ≤ 3 instead of 5, by query = "123" → allow by p',
        ),
        (
            of("price", "query", Number()),
            'context.derived has price && context.derived.price.lessThan(decimal("5.0"))',
            "12.50",
            'context.derived.price < 5.0 (say, 4.99) instead of 12.50, by query = "4.99" → allow by p',
        ),
        (
            of("fits", "query", Match("[a-z]+")),
            "context.derived has fits && context.derived.fits",
            "A1",
            "context.derived.fits = true instead of false, by other arguments → allow by p",
        ),
    ],
)
def test_a_derived_fact_flips_by_its_argument_where_one_is_obvious(fact: Fact, text: str, value: str, first: str) -> None:
    source = Source("p", policy(f'permit (principal, action == Action::"github/search", resource) when {{ {text} }};', "p"))
    made = compile_policies([source], ENTRIES, UPSTREAMS, declared=[fact])
    assert isinstance(made, Policies), made
    assert sentences(made, call(SEARCH, {"query": value}))[0] == first


def test_what_allows_is_told_with_what_would_end_it() -> None:
    found = flips(loaded(SMALL), pay(Decimal("500.00"), "acme"), NOON, never).found
    assert [flip.sentence for flip in found][:2] == [
        "amount > 500.00 (say, 500.01) instead of 500.00 → deny, as nothing permits it",
        'to none of "acme", "initech" (say, "other") instead of "acme" → deny, as nothing permits it',
    ]
    assert all(isinstance(flip.decision, Deny) for flip in found)


def test_a_call_that_waits_for_a_yes_passes_with_it_or_with_less() -> None:
    large = policy(
        'forbid (principal, action == Action::"bank/pay", resource) when { context.input.amount.greaterThan(decimal("100.0")) };',
        "large",
        approval="2 of finance",
    )
    assert sentences(loaded(ALL, large), pay(200, "x"))[:2] == [
        "amount ≤ 100.0 instead of 200 → allow by all",
        "once 2 of `finance` said yes to exactly this call → allow by large",
    ]


def test_a_denial_may_flip_to_a_question() -> None:
    asking = policy('forbid (principal, action == Action::"bank/pay", resource);', "asked", approval="finance")
    (first, *_) = flips(loaded(SMALL, asking), pay(501, "acme"), NOON, never).found
    assert isinstance(first.decision, Ask)
    assert first.sentence == "amount ≤ 500.00 instead of 501 → ask `finance` by asked"


def test_a_policy_is_thought_away_last() -> None:
    closed = policy("forbid (principal, action, resource);", "closed")
    assert sentences(loaded(ALL, closed), pay(1, "acme")) == ["without policy closed → allow by all"]


def test_an_exception_is_told_where_one_can_be_had() -> None:
    closed = policy("forbid (principal, action, resource);", "closed", exception="security")
    assert sentences(loaded(ALL, closed), pay(1, "acme")) == [
        "with an exception from closed, which `security` may give → allow",
        "without policy closed → allow by all",
    ]


def test_an_agent_of_the_chain_is_told_by_name() -> None:
    sales = policy('permit (principal in Team::"sales", action, resource);', "sales")
    others = policy('permit (principal == Agent::"claude", action, resource);', "own")
    assert sentences(loaded(sales, others), pay(1, "acme", HANDED_ON))[0] == (
        "agent `planner` of the chain in team `sales` instead of `support` → allow by own, sales"
    )


def test_what_is_not_approved_has_no_flip() -> None:
    assert flips(loaded(ALL), call(replace(PAY, name="gone"), {}), NOON, never) == Flips((), 0, True)


def test_time_that_is_up_ends_the_search_and_is_said() -> None:
    found = flips(loaded(SMALL), pay(750, "evil"), NOON, lambda: True)
    assert (found.found, found.is_whole) == ((), False)


@settings(deadline=None, max_examples=60)
@given(sets, calls, moments)
def test_whatever_is_proposed_flips(texts: list[Written], question: Call, moment: Moment) -> None:
    policies = compiled(texts)
    base = policies.decide(question, moment)
    told = flips(policies, question, moment, never)
    assert told.tried <= DECISIONS
    for flip in told.found:
        left = Policies(tuple(rule for rule in policies.rules if rule.id not in flip.supposed.without), KNOWN, policies.digest, ())
        if flip.changes[0].what != "approval" and not flip.supposed.excepted:
            assert left.decide(flip.supposed.call, flip.supposed.at) == flip.decision
        assert is_flipped(base, flip.decision)
