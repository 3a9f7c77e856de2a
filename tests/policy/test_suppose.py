"""What if: each thing of a call otherwise, and the rest as it is."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from doorward.domain.actors import ALL_SCOPES, Actor, AuthnMethod, Bound, Proof
from doorward.policy import suppose
from doorward.policy.suppose import Supposition
from tests.policy.world import CREATE, FILE, NOON, SEARCH, call, principal, user

CALL = call(SEARCH, {"query": "x", "options": {"deep": True, "page": 1}})
START = Supposition(CALL, NOON)


def test_an_argument_is_put_and_taken_wherever_it_lies() -> None:
    deeper = suppose.with_argument(START, ("options", "page"), 2)
    assert deeper is not None
    assert deeper.call.arguments == {"query": "x", "options": {"deep": True, "page": 2}}
    less = suppose.without_argument(START, ("options", "deep"))
    assert less is not None
    assert less.call.arguments == {"query": "x", "options": {"page": 1}}
    assert suppose.with_argument(START, ("query", "below"), 1) is None
    assert suppose.without_argument(START, ("query", "below")) is None
    assert suppose.without_argument(START, ("limit",)) is None
    assert suppose.argument(CALL, ("options", "page")) == (1, True)
    assert suppose.argument(CALL, ("options", "page", "x")) == (None, False)


def test_another_address_is_another_resource() -> None:
    start = Supposition(call(FILE, {"uri": FILE.name}, method="resources/read"), NOON)
    other = suppose.with_argument(start, ("uri",), "file:///a")
    assert other is not None
    assert (other.call.target.name, other.call.arguments) == ("file:///a", {"uri": "file:///a"})


@pytest.mark.parametrize(
    ("name", "value", "moment"),
    [
        ("hour", 8, "2026-11-18T08:00:00"),
        ("minute", 59, "2026-11-18T12:59:00"),
        ("weekday", 1, "2026-11-23T12:00:00"),
        ("date", "2027-01-02", "2027-01-02T12:00:00"),
        ("unix", 0, "1970-01-01T00:00:00"),
        ("now", 1000, "1970-01-01T00:00:01"),
        ("hour", 24, None),
        ("weekday", 8, None),
        ("date", "tomorrow", None),
        ("year", 2027, None),
    ],
)
def test_another_moment_is_one_of_the_same_zone(name: str, value: object, moment: str | None) -> None:
    other = suppose.with_time(START, name, value)
    told = None if other is None else datetime.fromtimestamp(other.at.unix_seconds, UTC).isoformat().removesuffix("+00:00")
    assert told == moment


def test_who_calls_is_another_in_one_thing() -> None:
    who = principal()
    for other, wanted in (
        (suppose.with_proof(START, "authn", "certificate"), replace(who, method=AuthnMethod.CERTIFICATE)),
        (suppose.with_proof(START, "network", "192.0.2.1"), replace(who, network="192.0.2.1")),
        (suppose.with_proof(START, "bound", "dpop"), replace(who, proof=Proof(ALL_SCOPES, bound=Bound.DPOP))),
        (suppose.with_proof(START, "issuer", "corp"), replace(who, proof=Proof(ALL_SCOPES, "corp"))),
        (suppose.with_proof(START, "client", "c"), replace(who, proof=Proof(ALL_SCOPES, client="c"))),
        (suppose.with_scopes(START, frozenset({"mcp:git"})), replace(who, proof=Proof(frozenset({"mcp:git"})))),
        (suppose.with_agent(START, "team", "sales"), principal(team="sales")),
        (suppose.with_agent(START, "name", "cursor"), principal("cursor")),
        (suppose.for_user(START, "corp:ann"), principal(user=user("corp:ann"))),
        (suppose.for_issuer(START, "corp"), principal(user=user("corp:somebody"))),
        (suppose.with_group(START, "corp:staff"), principal(user=user("corp:somebody", "corp:staff"))),
        (suppose.with_group(START, "staff"), principal(user=user("somebody", "staff"))),
    ):
        assert other == Supposition(replace(CALL, principal=wanted), NOON)


def test_what_nobody_can_be_is_not_supposed() -> None:
    assert suppose.with_proof(START, "authn", "own") is None
    assert suppose.with_proof(START, "authn", "password") is None
    assert suppose.with_proof(START, "bound", "tight") is None
    assert suppose.with_agent(START, "colour", "red") is None
    assert suppose.without_group(START, "staff") is None


def test_people_keep_what_is_not_changed() -> None:
    start = Supposition(call(CREATE, {"owner": "a"}, principal(user=user("okta:ann", "okta:staff"))), NOON)
    assert suppose.for_issuer(start, "corp").call.principal.subject == user("corp:ann", "okta:staff")
    assert suppose.for_issuer(start, "").call.principal.subject == user("ann", "okta:staff")
    assert suppose.for_nobody(start).call.principal.subject is None
    left = suppose.without_group(start, "okta:staff")
    assert left is not None
    assert left.call.principal.subject == user("okta:ann")


def test_an_agent_of_the_chain_is_changed_by_its_position() -> None:
    planner = principal("planner").agent
    start = Supposition(replace(CALL, principal=replace(principal(), actors=(Actor("planner", "corp", planner),))), NOON)
    other = suppose.with_agent(start, "team", "sales", 1)
    assert other is not None
    assert [actor.agent.team for actor in other.call.principal.actors] == ["sales"]
    assert suppose.without_actors(start) == START
