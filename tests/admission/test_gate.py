"""The gate: seats, shares and what a refused agent is told."""

from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from doorward.admission import stops
from doorward.admission.gate import Gate, Limits, Seat
from doorward.admission.limits import compiled
from doorward.admission.rates import Pace
from doorward.admission.stops import EVERYTHING, Switch
from doorward.config.limits import Limit
from doorward.domain.actors import AuthnMethod
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.reasons import Reason, Refused
from tests.admission.stores import Memory
from tests.made import Clock, call, principal

pytestmark = pytest.mark.anyio

LIMITS = Limits(Pace(per_minute=60, burst=100), concurrent=2, in_flight=3)
CLAUDE, OTHER = call(by=principal("claude")), call(by=principal("other"))


async def gate(limits: Limits = LIMITS) -> tuple[Gate, Switch, Clock]:
    switch, clock = Switch(Memory(), Clock()), Clock(0.0)
    await switch.load()
    return Gate(switch, limits, clock), switch, clock


def refused(at: Gate, what: object = CLAUDE) -> Refused:
    with pytest.raises(Refused) as caught:
        at.admit(what)  # type: ignore[arg-type]
    return caught.value


async def test_a_seat_is_held_for_the_length_of_a_call() -> None:
    at, _, _ = await gate()
    with at.admit(CLAUDE):
        assert (at.inside, at.running(AgentId("claude"))) == (1, 1)
    assert (at.inside, at.running(AgentId("claude"))) == (0, 0)


async def test_a_seat_is_given_back_once_however_often_it_is_left() -> None:
    at, _, _ = await gate()
    kept, seat = at.admit(CLAUDE), at.admit(CLAUDE)
    seat.leave()
    seat.leave()
    assert at.inside == 1
    kept.leave()
    assert at.inside == 0


async def test_a_seat_is_given_back_when_the_call_fails() -> None:
    at, _, _ = await gate()
    with pytest.raises(ValueError, match="x"), at.admit(CLAUDE):
        raise ValueError("x")
    assert at.inside == 0


async def test_an_agent_over_its_share_is_refused_and_others_are_not() -> None:
    at, _, _ = await gate()
    at.admit(CLAUDE)
    at.admit(CLAUDE)
    found = refused(at)
    assert (found.reason, found.public) == (
        Reason.OVER_CONCURRENCY,
        "Too many calls at once: at most 2. Wait until one of them ends, then try again.",
    )
    at.admit(OTHER)


async def test_two_keys_of_one_agent_share_one_share() -> None:
    at, _, _ = await gate()
    at.admit(call(by=principal("claude", key="key1")))
    at.admit(call(by=principal("claude", key="key2")))
    assert refused(at, call(by=principal("claude", key="key3"))).reason is Reason.OVER_CONCURRENCY


async def test_an_agent_alone_gets_three_quarters_of_all_seats_and_the_rest_is_kept_for_others() -> None:
    at, _, _ = await gate(Limits(Pace(1_000_000, 1_000_000), concurrent=100, in_flight=8))
    seats = [at.admit(CLAUDE) for _ in range(6)]
    found = refused(at)
    assert (found.reason, found.public, found.extra) == (
        Reason.OVER_CONCURRENCY,
        "Too many calls at once: what is left is kept for others. Wait until one of yours ends, then try again.",
        {"limit": "admission.in_flight"},
    )
    at.admit(OTHER)
    assert refused(at).reason is Reason.OVER_CONCURRENCY
    seats.pop().leave()
    at.admit(CLAUDE)


@pytest.mark.parametrize("greedy", [1, 2, 3, 10])
async def test_however_many_agents_take_what_they_get_another_one_finds_a_seat(greedy: int) -> None:
    at, _, _ = await gate(Limits(Pace(1_000_000, 1_000_000), concurrent=1000, in_flight=64))
    for number in range(1000):
        with suppress(Refused):
            at.admit(call(by=principal(f"greedy{number % greedy}")))
    assert 64 - at.inside >= 64 // (3 * greedy + 1)
    at.admit(OTHER)


async def test_what_a_declared_limit_refuses_counts_for_the_pace_of_its_agent_and_takes_no_seat() -> None:
    limit = compiled({"none-left": Limit.model_validate({"rate": {"calls": 1, "seconds": 3600}})})
    at, _, _ = await gate(Limits(Pace(per_minute=1, burst=4), concurrent=9, in_flight=9, declared=limit))
    at.admit(CLAUDE)
    assert [refused(at).extra["limit"] for _ in range(4)] == ["none-left"] * 3 + ["admission.calls_per_minute"]
    assert (at.inside, at.running(AgentId("claude"))) == (1, 1)


async def test_a_seat_tells_what_is_left_and_gives_back_what_runs() -> None:
    limit = compiled({"running": Limit.model_validate({"concurrent": 2})})
    at, _, _ = await gate(Limits(Pace(60, 100), concurrent=9, in_flight=9, declared=limit))
    entry = {"name": "running", "quota": 2, "unit": "concurrent-requests"}
    with at.admit(CLAUDE) as seat:
        assert seat.left() == ({**entry, "left": 1},)
        assert at.admit(OTHER).left() == ({**entry, "left": 1},)
    assert at.admit(CLAUDE).left() == ({**entry, "left": 1},)


async def test_the_gateways_own_calls_take_from_no_limit() -> None:
    limit = compiled({"one": Limit.model_validate({"per": [], "concurrent": 1, "rate": None})})
    at, _, _ = await gate(Limits(Pace(60, 100), concurrent=9, in_flight=9, declared=limit))
    own = call(by=principal("doorward", method=AuthnMethod.OWN))
    assert [at.admit(own).left() for _ in range(3)] == [()] * 3
    at.admit(CLAUDE)


async def test_more_calls_than_the_gateway_carries_are_shed() -> None:
    at, _, _ = await gate()
    for name in ("a", "b", "c"):
        at.admit(call(by=principal(name)))
    found = refused(at)
    assert (found.reason, found.extra) == (Reason.OVERLOADED, {"limit": "admission.in_flight", "retryAfterSeconds": 1})


async def test_an_agent_over_its_pace_is_told_how_long_to_wait() -> None:
    at, _, clock = await gate(Limits(Pace(per_minute=6, burst=1), concurrent=9, in_flight=9))
    at.admit(CLAUDE)
    clock.at = 0.5
    found = refused(at)
    assert (found.reason, found.public, found.extra) == (
        Reason.OVER_RATE,
        "Too many calls: at most 6 a minute. Wait 10 s, then try again.",
        {"limit": "admission.calls_per_minute", "retryAfterSeconds": 10},
    )


async def test_a_call_that_is_refused_for_its_share_costs_nothing_of_its_pace() -> None:
    at, _, _ = await gate(Limits(Pace(per_minute=6, burst=2), concurrent=1, in_flight=9))
    with at.admit(CLAUDE):
        for _ in range(5):
            assert refused(at).reason is Reason.OVER_CONCURRENCY
    at.admit(CLAUDE)


async def test_a_stopped_call_counts_for_the_pace_of_its_agent_so_that_its_refusals_do_not_flood_the_log() -> None:
    at, switch, _ = await gate(Limits(Pace(per_minute=6, burst=1), concurrent=9, in_flight=9))
    await switch.stop(EVERYTHING, "leak", "ada")
    assert refused(at).reason is Reason.STOPPED
    assert refused(at).reason is Reason.OVER_RATE


async def test_whoever_is_turned_back_before_the_gate_counts_for_its_pace_but_the_gateway_itself() -> None:
    at, _, _ = await gate(Limits(Pace(per_minute=6, burst=1), concurrent=9, in_flight=9))
    for _ in range(3):
        at.turned_back(principal("doorward", method=AuthnMethod.OWN))
    at.turned_back(principal("claude"))
    with pytest.raises(Refused) as over:
        at.turned_back(principal("claude"))
    assert over.value.reason is Reason.OVER_RATE


async def test_the_gateways_own_calls_are_not_counted_but_stop_like_any_other() -> None:
    at, switch, _ = await gate(Limits(Pace(per_minute=1, burst=1), concurrent=1, in_flight=1))
    own = call(by=principal("doorward", method=AuthnMethod.OWN))
    at.admit(CLAUDE)
    for _ in range(5):
        at.admit(own)
    assert at.inside == 1
    await switch.stop(stops.upstream(UpstreamId("git")), "leak", "ada")
    assert refused(at, own).reason is Reason.STOPPED


async def test_a_call_admitted_before_a_stop_may_not_go_on() -> None:
    at, switch, _ = await gate()
    seat = at.admit(CLAUDE)
    at.still(CLAUDE, seat.epoch)
    await switch.stop(stops.agent(AgentId("other")), "x", "ada")
    at.still(CLAUDE, seat.epoch)
    await switch.stop(stops.agent(AgentId("claude")), "x", "ada")
    with pytest.raises(Refused) as caught:
        at.still(CLAUDE, seat.epoch)
    assert caught.value.reason is Reason.REVOKED_MEANWHILE


async def test_other_limits_take_over_and_seats_are_kept() -> None:
    at, _, _ = await gate()
    seat = at.admit(CLAUDE)
    at.adopt(Limits(Pace(per_minute=60, burst=100), concurrent=1, in_flight=9))
    assert refused(at).reason is Reason.OVER_CONCURRENCY
    seat.leave()
    at.admit(CLAUDE)


async def test_another_pace_takes_over_for_agents_that_are_over_the_old_one() -> None:
    at, _, _ = await gate(Limits(Pace(per_minute=1, burst=1), concurrent=9, in_flight=9))
    at.admit(CLAUDE)
    assert refused(at).reason is Reason.OVER_RATE
    at.adopt(Limits(Pace(per_minute=60, burst=5), concurrent=9, in_flight=9))
    at.admit(OTHER)


class Seats(RuleBasedStateMachine):
    """The gate against a plain list of who sits."""

    seats: Bundle[tuple[str, Seat]] = Bundle("seats")

    def __init__(self) -> None:
        super().__init__()
        switch = Switch(Memory(), Clock())
        switch._is_loaded = True
        self.gate = Gate(switch, Limits(Pace(1_000_000, 1_000_000), concurrent=2, in_flight=4), Clock())
        self.sitting: list[str] = []

    @rule(target=seats, name=st.sampled_from("abc"))
    def admit(self, name: str) -> tuple[str, Seat]:
        may_sit = len(self.sitting) < 4 and self.sitting.count(name) < 2
        try:
            seat = self.gate.admit(call(by=principal(name)))
        except Refused:
            assert not may_sit
            return name, Seat(self.gate, None, 0)
        assert may_sit
        self.sitting.append(name)
        return name, seat

    @rule(held=consumes(seats))
    def leave(self, held: tuple[str, Seat]) -> None:
        name, seat = held
        if seat._agent is not None:
            self.sitting.remove(name)
        seat.leave()
        seat.leave()

    @invariant()
    def counts_agree(self) -> None:
        assert self.gate.inside == len(self.sitting)
        assert {name: self.gate.running(AgentId(name)) for name in "abc"} == {name: self.sitting.count(name) for name in "abc"}


TestSeats = Seats.TestCase
