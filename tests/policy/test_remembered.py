"""What policies remember of decisions and views ends with whatever it rests on: another set, time, argument, principal, target or waiver."""

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest

from doorward.domain.actors import Actor, Principal
from doorward.domain.catalog import Reversibility
from doorward.domain.decisions import Allow, Decision
from doorward.domain.ids import AgentId, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind, Waivers, nothing_waived
from doorward.policy import book, engine, sight
from doorward.policy.engine import Policies
from doorward.policy.memo import Memo
from doorward.policy.question import Moment
from tests.policy.world import CLAUDE, NOON, PAY, SEARCH, at, call, loaded, policy, principal

PERMIT = policy("permit(principal, action, resource);", "open")
HOUR = 3600.0


def kinds(*decisions: Decision) -> list[str]:
    return [type(one).__name__ for one in decisions]


def stop(condition: str = "") -> Policies:
    return loaded(PERMIT, policy(f"forbid(principal, action, resource) {condition};", "stop"))


def each_twice(policies: Policies, *moments: Moment) -> Iterator[Decision]:
    """Decisions on one call, principal and target: the very same objects each time."""
    asked = call(SEARCH, {"query": "x"})
    for moment in (*moments, *moments):
        yield policies.decide(asked, moment)


def test_another_set_of_policies_remembers_nothing_of_the_last_one() -> None:
    asked = call(SEARCH)
    before, after = loaded(PERMIT), stop()
    assert kinds(before.decide(asked, NOON), before.decide(asked, NOON), after.decide(asked, NOON)) == ["Allow", "Allow", "Deny"]
    assert [one.could_allow(CLAUDE, SEARCH, NOON) for one in (before, before, after)] == [True, True, False]


@pytest.mark.parametrize(
    "unit",
    ["hour > 12", "minute > 30", "weekday > 3", 'date == "2026-11-19"', "unix > 1795003300", 'now > datetime("2026-11-18T13:00:00Z")'],
)
def test_what_reads_the_time_is_decided_by_the_time_of_each_call(unit: str) -> None:
    policies = stop(f"when {{ context.time.{unit} }}")
    late = at(NOON.unix_seconds + 24 * HOUR + HOUR + 2400)
    assert kinds(*each_twice(policies, NOON, late)) == ["Allow", "Deny"] * 2


def test_what_is_seen_only_at_a_time_is_seen_no_longer_than_that() -> None:
    policies = stop("when { context.time.hour > 12 }")
    late = at(NOON.unix_seconds + 2 * HOUR)
    assert [policies.could_allow(CLAUDE, SEARCH, when) for when in (NOON, NOON, late, NOON)] == [True, True, False, True]


def test_the_same_arguments_are_decided_alike_and_others_anew() -> None:
    policies = stop('when { context.input has query && context.input.query like "*secret*" }')
    queries = ["open", "secret", "open", "secrets", "secret", "open"]
    assert kinds(*(policies.decide(call(SEARCH, {"query": query}), NOON) for query in queries)) == [
        *("Allow", "Deny", "Allow"),
        *("Deny", "Deny", "Allow"),
    ]


def test_one_that_reads_an_argument_and_the_time_is_decided_by_both() -> None:
    policies = stop('when { context.input has query && context.input.query == "x" && context.time.hour > 12 }')
    late = at(NOON.unix_seconds + 2 * HOUR)
    assert kinds(*each_twice(policies, NOON, late)) == ["Allow", "Deny"] * 2


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ('when { context has network && context.network.isInRange(ip("192.168.0.0/16")) }', principal(network="192.168.0.1")),
        ('when { principal in Team::"contractors" }', principal(team="contractors")),
        ('when { principal.owner == "eve" }', replace(CLAUDE, agent=replace(CLAUDE.agent, owner="eve"))),
        ('when { context.scopes.contains("narrow") }', replace(CLAUDE, proof=replace(CLAUDE.proof, scopes=frozenset({"narrow"})))),
        (
            'when { context.input has query && context has network && context.network.isInRange(ip("192.168.0.0/16")) }',
            principal(network="192.168.0.1"),
        ),
    ],
)
def test_one_principal_is_never_taken_for_another(condition: str, other: Principal) -> None:
    policies = stop(condition)
    arguments = {"query": "x"}
    found = [policies.decide(call(SEARCH, arguments, who), NOON) for who in (CLAUDE, other, CLAUDE, other)]
    assert kinds(*found) == ["Allow", "Deny"] * 2


READING = policy('forbid(principal, action, resource) when { context.input has query && context.input.query == "secret" };', "reading")
"""With it, every call is asked about: what is known of its principal and target is the ground of its questions (`policy/grounds.py`)."""


@pytest.mark.parametrize("more", [(), (READING,)])
def test_a_principal_that_is_gone_lends_its_place_in_memory_to_nobody(more: tuple[str, ...]) -> None:
    policies = loaded(policy('permit(principal in Team::"support", action, resource);', "open"), *more)
    for number in range(400):
        is_let = number % 2 == 0
        who = principal(f"agent-{number}", "support" if is_let else "other")
        assert isinstance(policies.decide(call(SEARCH, {"query": "x"}, who), NOON), Allow) is is_let
        assert policies.could_allow(who, SEARCH, NOON) is is_let
        del who
        gc.collect(0)


@pytest.mark.parametrize("more", [(), (READING,)])
def test_an_agent_is_allowed_by_itself_and_not_for_one_that_is_not(more: tuple[str, ...]) -> None:
    policies = loaded(policy('permit(principal == Agent::"claude", action, resource);', "open"), *more)
    through = replace(CLAUDE, actors=(Actor(AgentId("cursor"), "self", principal("cursor").agent),))
    found = [policies.decide(call(SEARCH, who=who), NOON) for who in (CLAUDE, through, CLAUDE, through)]
    assert kinds(*found) == ["Allow", "Deny"] * 2
    assert [policies.could_allow(who, SEARCH, NOON) for who in (CLAUDE, through, CLAUDE, through)] == [True, False] * 2


@pytest.mark.parametrize("more", [(), (READING,)])
def test_a_tool_that_is_another_by_now_is_decided_by_nothing_that_was_said_of_it(more: tuple[str, ...]) -> None:
    policies, drifted = loaded(PERMIT, *more), replace(SEARCH, reversibility=Reversibility.IRREVERSIBLE)
    found = [policies.decide(call(what), NOON) for what in (SEARCH, drifted, SEARCH, drifted)]
    assert kinds(*found) == ["Allow", "Deny"] * 2
    assert [policies.could_allow(CLAUDE, what, NOON) for what in (SEARCH, drifted, SEARCH, drifted)] == [True, False] * 2


@pytest.mark.parametrize("more", [(), (READING,)])
def test_a_call_says_nothing_of_a_completion_of_the_same_thing(more: tuple[str, ...]) -> None:
    policies = loaded(policy('permit(principal, action == Action::"github/search", resource);', "open"), *more)
    methods = ["tools/call", "completion/complete"] * 2
    assert kinds(*(policies.decide(call(SEARCH, method=method), NOON) for method in methods)) == ["Allow", "Deny"] * 2


@pytest.mark.parametrize(("mode", "is_settled"), [("enforce", True), ("observe", False)])
def test_a_call_that_is_watched_is_never_settled(mode: str, is_settled: bool) -> None:
    nowhere = policy('forbid(principal, action, resource) when { context.authn == "none" };', "nowhere", mode=mode)
    policies, asked = loaded(PERMIT, nowhere), call(SEARCH)
    decisions = [policies.decide(asked, NOON) for _ in range(2)]
    assert policies.settled(asked) == (decisions[0] if is_settled else None)
    assert decisions == [Allow((PolicyId("open"),))] * 2


def glass(*agents: str) -> Waivers:
    def of(agent: AgentId) -> list[Waiver]:
        given = Waiver(WaiverId("g"), WaiverKind.BREAK_GLASS, agent, "", {}, "it burns", "sam", 0, 1)
        return [given] if agent in agents else []

    return of


@pytest.mark.parametrize(("condition", "is_shown"), [("", False), ("when { context.input has query }", True)])
def test_what_a_waiver_lets_pass_is_stopped_when_it_ends(condition: str, is_shown: bool) -> None:
    policies, asked = stop(condition), call(SEARCH, {"query": "x"})
    for waivers, passes in ((nothing_waived, False), (glass("claude"), True), (glass("cursor"), False), (nothing_waived, False)):
        decision = policies.decide(asked, NOON, waivers)
        assert isinstance(decision, Allow) is passes
        assert policies.could_allow(CLAUDE, SEARCH, NOON, waivers) is (passes or is_shown)


def test_memories_are_bounded() -> None:
    memo: Memo[int, int] = Memo(3)
    for number in range(10):
        memo.put(number, number)
    assert [memo.get(number) for number in range(10)] == [None] * 7 + [7, 8, 9]
    assert max(book.LANES, book.GROUNDS, engine.ANSWERS, sight.ANSWERS, sight.URIS) <= 32_768


def test_an_argument_that_is_long_is_decided_on_and_not_kept() -> None:
    policies = stop('when { context.input has query && context.input.query like "*secret*" }')
    long = "x" * 5_000
    assert kinds(*(policies.decide(call(SEARCH, {"query": query}), NOON) for query in (long, long + "secret", long))) == [
        "Allow",
        "Deny",
        "Allow",
    ]


def test_what_cedar_cannot_hold_denies_whatever_was_decided_before() -> None:
    limit = 'forbid(principal, action == Action::"bank/pay", resource) when { context.input.amount.greaterThan(decimal("10.0")) };'
    policies = loaded(PERMIT, policy(limit, "stop"))
    found = [policies.decide(call(PAY, {"amount": amount, "to": "a"}), NOON) for amount in (1, 1.00001, 1)]
    assert kinds(*found) == ["Allow", "Deny", "Allow"]
    assert found[1].policies == ("stop",)
