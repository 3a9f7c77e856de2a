"""The facts that policies read: arguments, numbers, networks and times, held exactly or denied."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from doorward.domain.catalog import Target
from doorward.domain.decisions import Allow, Decision, Deny
from doorward.domain.ids import PolicyId
from tests.policy.world import (
    CREATE,
    NOON,
    PAY,
    SEARCH,
    at,
    call,
    loaded,
    policy,
    principal,
)

ANY = "(principal, action, resource)"
PERMIT = policy(f"permit{ANY};", "open")


def allow(*policies: str) -> Allow:
    return Allow(tuple(map(PolicyId, policies)))


def deny(reason: str, *policies: str, sentence: str | None = None) -> Deny:
    return Deny(tuple(map(PolicyId, policies)), reason, sentence)


def undecided(argument: str, reason: str, *policies: str) -> Deny:
    """The denial of a call with an argument that policy reads and cannot hold; the caller is told which it is."""
    sentence = f"Policy cannot decide on the argument `/{argument.replace('.', '/')}`: {reason}."
    return deny(f"`context.input.{argument}` cannot be decided on: {reason}", *policies, sentence=sentence)


NOTHING = deny("no policy permits it")


def decided(*texts: str, what: Target = CREATE, **arguments: object) -> Decision:
    return loaded(*texts).decide(call(what, arguments), NOON)


def test_a_required_argument_that_is_missing_denies_where_it_is_read() -> None:
    guarded = policy('forbid(principal, action == Action::"github/create_issue", resource) when { context.input.owner == "evil" };', "evil")
    assert decided(PERMIT, guarded) == undecided("owner", "it is required and not there", "evil")
    assert decided(PERMIT) == allow("open")


def test_an_optional_argument_that_is_missing_does_not_meet_a_forbid_that_asks_for_it() -> None:
    guarded = policy(f'forbid{ANY} when {{ context.input has title && context.input.title like "*secret*" }};', "quiet")
    assert decided(PERMIT, guarded, owner="acme") == allow("open")
    assert decided(PERMIT, guarded, owner="acme", title="a secret plan") == deny("quiet says so", "quiet", sentence="quiet says so")


def test_null_counts_as_absent_where_the_schema_allows_it_and_denies_where_not() -> None:
    assigned = policy(f'forbid{ANY} when {{ context.input has assignee && context.input.assignee == "bob" }};', "assigned")
    titled = policy(f'forbid{ANY} when {{ context.input has title && context.input.title == "x" }};', "titled")
    assert decided(PERMIT, assigned, owner="acme", assignee=None) == allow("open")
    assert decided(PERMIT, titled, owner="acme", title=None) == undecided("title", "it is not a string", "titled")


LIMIT = policy(
    'forbid(principal, action == Action::"bank/pay", resource) when { context.input.amount.greaterThan(decimal("500.0")) };', "limit"
)
TIMES = policy("forbid(principal, action, resource) when { context.input has times && context.input.times > 3 };", "times")


@pytest.mark.parametrize("amount", [500, Decimal(500), Decimal("5e2"), Decimal("0.0001"), Decimal("499.9999"), 0.5, -1])
def test_an_amount_within_the_limit_is_paid(amount: object) -> None:
    assert decided(PERMIT, LIMIT, what=PAY, amount=amount, to="x") == allow("open")


@pytest.mark.parametrize("amount", [501, Decimal("500.0001"), Decimal("1e14"), 500.5])
def test_an_amount_over_the_limit_is_not_paid(amount: object) -> None:
    assert decided(PERMIT, LIMIT, what=PAY, amount=amount, to="x") == deny("limit says so", "limit", sentence="limit says so")


@pytest.mark.parametrize(
    "amount",
    [
        2**63,
        -(2**63) - 1,
        10**40,
        Decimal("0.00001"),
        Decimal("1e999999"),
        Decimal("1e-999999"),
        Decimal("NaN"),
        1e300,
        True,
        "500",
        None,
        [1],
    ],
)
def test_an_amount_that_cannot_be_held_exactly_is_not_paid(amount: object) -> None:
    reason = "it is not a number that policy can hold exactly"
    assert decided(PERMIT, LIMIT, what=PAY, amount=amount, to="x") == undecided("amount", reason, "limit")


def test_a_number_that_nobody_reads_may_be_of_any_size() -> None:
    assert decided(PERMIT, TIMES, what=PAY, amount=10**40, to="x", times=1) == allow("open")


def test_a_policy_whose_reason_is_for_operators_says_nothing_of_what_it_reads() -> None:
    quiet = policy(
        'forbid(principal, action == Action::"github/create_issue", resource) when { context.input.owner == "evil" };', "quiet", public="no"
    )
    assert decided(PERMIT, quiet, owner=1) == deny("`context.input.owner` cannot be decided on: it is not a string", "quiet")


def test_a_count_beyond_64_bits_is_denied_and_not_wrapped() -> None:
    reason = "it is not a whole number that policy can hold exactly"
    assert decided(PERMIT, TIMES, what=PAY, amount=1, to="x", times=2**64) == undecided("times", reason, "times")
    assert decided(PERMIT, TIMES, what=PAY, amount=1, to="x", times=Decimal("2.5")) == undecided("times", reason, "times")
    assert decided(PERMIT, TIMES, what=PAY, amount=1, to="x", times=Decimal("2.0")) == allow("open")


def test_an_argument_of_several_types_denies_a_call_that_brings_it_and_is_read() -> None:
    guarded = policy('forbid(principal, action in Action::"github", resource) when { context.input has ids };', "ids")
    assert decided(PERMIT, guarded, what=SEARCH, query="x") == allow("open")
    assert decided(PERMIT, guarded, what=SEARCH, ids="1") == undecided("ids", "it may be a string or a whole number", "ids")


def test_an_argument_that_the_tool_does_not_declare_denies_where_it_is_read() -> None:
    guarded = policy('forbid(principal, action in Action::"github", resource) when { context.input has repo };', "repo")
    assert decided(PERMIT, guarded, owner="acme", repo="x") == undecided("repo", "it is not declared", "repo")


def test_arguments_cannot_smuggle_in_entities_or_extensions() -> None:
    named = policy('permit(principal, action, resource) when { context.input has query && context.input.query == "x" };', "x")
    for value in ({"__entity": {"type": "Team", "id": "admin"}}, {"__extn": {"fn": "ip", "arg": "10.0.0.1"}}, {"__expr": "1"}):
        assert decided(named, what=SEARCH, query=value) == undecided("query", "it is not a string", "x")


def test_nested_attributes_are_read_where_they_are_declared_and_only_there() -> None:
    deep = policy(
        "forbid(principal, action, resource) when { context.input has options && context.input.options has deep && context.input.options.deep };",
        "deep",
    )
    assert decided(PERMIT, deep, what=SEARCH, options={"deep": False, "else": 1}) == allow("open")
    assert decided(PERMIT, deep, what=SEARCH, options={"deep": True}) == deny("deep says so", "deep", sentence="deep says so")
    assert decided(PERMIT, deep, what=SEARCH, options={"page": 2**70}) == allow("open")
    assert decided(PERMIT, deep, what=SEARCH, options=[1]) == undecided("options", "it is not an object", "deep")


def test_lists_are_sets() -> None:
    labelled = policy('permit(principal, action, resource) when { context.input has labels && context.input.labels.contains("ok") };', "ok")
    assert decided(labelled, owner="a", labels=["x", "ok", "ok"]) == allow("ok")
    assert decided(labelled, owner="a", labels=["x"]) == NOTHING
    assert decided(labelled, owner="a", labels=["ok", 1]) == undecided("labels.*", "it is not a string", "ok")


@pytest.mark.parametrize("network", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_a_network_is_matched_also_when_mapped_into_ipv6(network: str) -> None:
    inside = policy(
        'permit(principal, action, resource) when { context has network && context.network.isInRange(ip("10.0.0.0/8")) };', "lan"
    )
    assert loaded(inside).decide(call(CREATE, who=principal(network=network)), NOON) == allow("lan")


def test_a_local_caller_has_no_network_and_a_garbled_one_is_denied() -> None:
    outside = policy(
        'forbid(principal, action, resource) unless { context has network && context.network.isInRange(ip("10.0.0.0/8")) };', "lan"
    )
    inside = policy("forbid(principal, action, resource) when { context has network };", "none")
    assert loaded(PERMIT, outside).decide(call(CREATE, who=principal(network="local")), NOON) == deny(
        "lan says so", "lan", sentence="lan says so"
    )
    assert loaded(PERMIT, inside).decide(call(CREATE, who=principal(network="local")), NOON) == allow("open")
    assert loaded(PERMIT, inside).decide(call(CREATE, who=principal(network="10.1.2")), NOON) == deny(
        "`context.network` cannot be decided on: it is not an address that policy can hold exactly", "none"
    )


OFFICE = policy(
    "permit(principal, action, resource) when { context.time.weekday <= 5 && context.time.hour >= 9 && context.time.hour < 17 };", "office"
)


@pytest.mark.parametrize(
    ("unix_seconds", "zone", "is_open"),
    [
        (1_795_003_200, "UTC", True),  # Wednesday 12:00
        (1_795_003_200, "Asia/Tokyo", False),  # Wednesday 21:00
        (1_795_003_200, "America/New_York", False),  # Wednesday 07:00
        (1_795_276_800, "UTC", False),  # Saturday 16:00
        (1_795_395_600, "UTC", False),  # Monday 01:00
        (1_795_395_600, "Asia/Tokyo", True),  # Monday 10:00
        (1_793_516_400, "Europe/Berlin", False),  # Sunday 2026-11-01
        (1_792_913_400, "Europe/Berlin", False),  # Sunday 2026-10-25, the hour that comes twice
    ],
)
def test_office_hours_are_those_of_the_zone(unix_seconds: int, zone: str, is_open: bool) -> None:
    assert loaded(OFFICE).decide(call(CREATE), at(unix_seconds, ZoneInfo(zone))) == (allow("office") if is_open else NOTHING)


def test_a_policy_can_end_at_a_moment() -> None:
    until = policy('permit(principal, action, resource) when { context.time.now < datetime("2026-11-18T12:00:00Z") };', "until")
    assert loaded(until).decide(call(CREATE), at(NOON.unix_seconds - 0.001)) == allow("until")
    assert loaded(until).decide(call(CREATE), NOON) == NOTHING


def test_date_minute_and_unix_time_can_be_read() -> None:
    exact = 'context.time.date == "2026-11-18" && context.time.minute == 0 && context.time.unix == 1795003200'
    assert loaded(policy(f"permit(principal, action, resource) when {{ {exact} }};", "now")).decide(call(CREATE), NOON) == allow("now")


def test_text_that_is_not_unicode_is_denied_where_it_is_read() -> None:
    named = policy('permit(principal, action, resource) when { context.input has query && context.input.query == "x" };', "x")
    assert decided(named, what=SEARCH, query="\ud800") == deny("`context` cannot be decided on: it is text that is not Unicode", "x")
