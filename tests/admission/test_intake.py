"""What is in the door: places and bytes are counted, bounded, shared, and given back exactly once."""

from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from doorward.admission.intake import BYTES, BYTES_OF_AGENT, REQUESTS, Bounds, Intake, Place, overloaded
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused

ADA, EVE = AgentId("ada"), AgentId("eve")


def refused(place: Place, agent: AgentId, count: int) -> tuple[Reason, object]:
    with pytest.raises(Refused) as caught:
        place.claim(agent, count)
    return caught.value.reason, caught.value.extra["limit"]


def test_a_request_of_nobody_yet_takes_a_place_until_it_leaves() -> None:
    intake = Intake(Bounds(requests=1))
    place = intake.enter()
    assert (intake.requests, intake.is_full) == (1, True)
    place.leave()
    place.leave()
    assert (intake.requests, intake.is_full) == (0, False)


def test_one_agent_gets_three_quarters_of_the_places_and_another_finds_one() -> None:
    intake = Intake(Bounds(requests=16))
    for _ in range(12):
        intake.enter().claim(ADA, 0)
    place = intake.enter()
    assert refused(place, ADA, 0) == (Reason.OVER_CONCURRENCY, REQUESTS)
    place.leave()
    intake.enter().claim(EVE, 0)
    assert (intake.requests, intake.requests_of(ADA), intake.requests_of(EVE)) == (13, 12, 1)


def test_the_only_place_there_is_may_be_had() -> None:
    intake = Intake(Bounds(requests=1))
    intake.enter().claim(ADA, 0)
    assert intake.requests_of(ADA) == 1


def test_bytes_of_one_agent_end_at_its_bound_and_others_still_get_theirs() -> None:
    intake = Intake(Bounds(bytes=1000, bytes_of_agent=100))
    first = intake.enter()
    first.claim(ADA, 60)
    assert refused(intake.enter(), ADA, 41) == (Reason.OVER_CONCURRENCY, BYTES_OF_AGENT)
    intake.enter().claim(EVE, 100)


def test_bytes_of_all_end_at_their_bound() -> None:
    intake = Intake(Bounds(bytes=100, bytes_of_agent=100))
    intake.enter().claim(ADA, 60)
    assert refused(intake.enter(), EVE, 41) == (Reason.OVERLOADED, BYTES)


def test_bytes_of_an_answer_are_counted_beyond_any_bound_and_keep_out_what_comes_next() -> None:
    intake = Intake(Bounds(bytes_of_agent=100))
    answered = intake.enter()
    answered.claim(ADA, 10)
    answered.keep(500)
    assert intake.bytes_of(ADA) == 510
    place = intake.enter()
    assert refused(place, ADA, 1) == (Reason.OVER_CONCURRENCY, BYTES_OF_AGENT)
    place.leave()
    answered.leave()
    assert (intake.bytes, intake.bytes_of(ADA)) == (0, 0)


def test_what_is_counted_after_the_place_was_left_is_counted_for_nobody() -> None:
    intake = Intake()
    place = intake.enter()
    place.claim(ADA, 1)
    place.leave()
    place.keep(10)
    place.hold(10)
    assert (intake.requests, intake.bytes) == (0, 0)


def test_new_bounds_hold_from_the_next_request_on() -> None:
    intake = Intake()
    intake.enter().claim(ADA, 10)
    intake.bounds = Bounds(requests=1)
    assert intake.is_full


def test_a_refusal_for_all_says_which_limit_and_when_to_come_back() -> None:
    told = overloaded(BYTES)
    assert (told.reason, dict(told.extra)) == (Reason.OVERLOADED, {"limit": BYTES, "retryAfterSeconds": 1})


class InAndOut(RuleBasedStateMachine):
    """Requests come, grow, are refused and end in any order: what is counted is what is there."""

    places = Bundle[tuple[Place, AgentId, list[int]]]("places")

    def __init__(self) -> None:
        super().__init__()
        self.intake = Intake(Bounds(requests=6, bytes=300, bytes_of_agent=100))
        self.open: list[tuple[AgentId, list[int]]] = []

    @rule(target=places, agent=st.sampled_from([ADA, EVE]), count=st.integers(0, 120))
    def come(self, agent: AgentId, count: int) -> tuple[Place, AgentId, list[int]]:
        place = self.intake.enter()
        with suppress(Refused):
            place.claim(agent, count)
        # A claim that is refused for its share has counted no bytes; any other has.
        held = [place._bytes]
        assert held[0] in (0, count)
        self.open.append((agent, held))
        return place, agent, held

    @rule(one=places, count=st.integers(0, 60))
    def grow(self, one: tuple[Place, AgentId, list[int]], count: int) -> None:
        place, _, held = one
        with suppress(Refused):
            place.hold(count)
        held[0] += count

    @rule(one=consumes(places), times=st.integers(1, 3))
    def end(self, one: tuple[Place, AgentId, list[int]], times: int) -> None:
        place, _, held = one
        for _ in range(times):
            place.leave()
        self.open = [entry for entry in self.open if entry[1] is not held]

    @invariant()
    def counts_what_is_there(self) -> None:
        intake = self.intake
        assert (intake.requests, intake.bytes) == (len(self.open), sum(held[0] for _, held in self.open))
        for agent in (ADA, EVE):
            mine = [held[0] for whose, held in self.open if whose == agent]
            assert (intake.requests_of(agent), intake.bytes_of(agent)) == (len(mine), sum(mine))


TestInAndOut = InAndOut.TestCase
