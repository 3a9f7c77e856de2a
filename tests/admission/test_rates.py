"""The token bucket: what the long run and a burst let through, and what clocks cannot change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission.rates import Pace, Rates

PACE = Pace(per_minute=60, burst=5)


def taken(rates: Rates, key: str, times: list[float]) -> list[bool]:
    return [rates.take(key, now) == 0 for now in times]


def test_a_rested_agent_may_burst_and_then_goes_at_the_pace() -> None:
    rates = Rates(PACE)
    assert taken(rates, "a", [0.0] * 6 + [0.5, 1.0, 1.0, 2.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]) == (
        [True] * 5 + [False, False, True, False, True] + [True] * 5 + [False]
    )


def test_a_refusal_says_how_long_to_wait_and_takes_nothing() -> None:
    rates = Rates(PACE)
    taken(rates, "a", [0.0] * 5)
    assert [rates.take("a", 0.25) for _ in range(3)] == [pytest.approx(0.75)] * 3
    assert rates.take("a", 1.0) == 0


def test_agents_do_not_share_a_bucket() -> None:
    rates = Rates(PACE)
    taken(rates, "a", [0.0] * 6)
    assert rates.take("b", 0.0) == 0


@given(
    st.integers(1, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 120, allow_nan=False), max_size=200).map(sorted),
)
def test_no_window_lets_more_through_than_burst_and_pace(per_minute: int, burst: int, times: list[float]) -> None:
    rates = Rates(Pace(per_minute, burst))
    passed = [now for now, ok in zip(times, taken(rates, "a", times), strict=True) if ok]
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            window = passed[last] - start
            assert last - first + 1 <= burst + window * per_minute / 60 + 1e-3


@given(st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=100))
def test_a_clock_that_jumps_gives_no_more_than_one_that_stands_at_its_latest(times: list[float]) -> None:
    jumping, steady, latest = Rates(PACE), Rates(PACE), float("-inf")
    for now in times:
        latest = max(latest, now)
        assert jumping.take("a", now) == steady.take("a", latest)


def test_a_clock_an_hour_ahead_fills_the_bucket_and_no_more() -> None:
    rates = Rates(PACE)
    taken(rates, "a", [0.0] * 5)
    assert taken(rates, "a", [3600.0] * 6) == [True] * 5 + [False]
    assert taken(rates, "a", [0.0] * 2) == [False, False]


def test_buckets_are_bounded_and_full_ones_forgotten() -> None:
    rates = Rates(PACE, most=3)
    assert [rates.take(key, 0.0) for key in "abc"] == [0.0, 0.0, 0.0]
    assert rates.take("d", 0.5) == pytest.approx(0.5)
    assert rates.take("a", 0.5) == 0
    assert rates.take("d", 1.5) == 0
    assert len(rates) <= 3


def test_another_pace_takes_over_and_nobody_owes_more_than_a_bucket() -> None:
    rates = Rates(Pace(per_minute=1, burst=100))
    taken(rates, "a", [0.0] * 100)
    rates.adopt(PACE)
    assert rates.take("a", 1.0) == 0


def test_a_call_that_was_used_at_one_pace_is_one_call_at_another() -> None:
    rates = Rates(Pace(per_minute=1, burst=1))
    taken(rates, "a", [0.0])
    rates.adopt(Pace(per_minute=1, burst=3))
    rates.adopt(Pace(per_minute=3, burst=3))
    assert taken(rates, "a", [0.0] * 3) == [True, True, False]


def test_what_is_left_is_what_can_be_taken_now_and_when_there_will_be_one_more() -> None:
    rates = Rates(PACE)
    assert rates.left("a", 0.0) == (5, None)
    taken(rates, "a", [0.0] * 2)
    assert [rates.left("a", now) for now in (0.0, 0.5, 1.0, 1.5, 2.0)] == [(3, 1), (3, 1), (4, 1), (4, 1), (5, None)]
    taken(rates, "a", [1.0] * 4)
    assert rates.left("a", 1.0) == (0, 1)
    assert rates.wait("a", 1.0) == pytest.approx(1.0)


@given(st.lists(st.floats(0, 20, allow_nan=False), max_size=40).map(sorted), st.integers(1, 300), st.integers(1, 9))
def test_as_many_as_are_left_can_be_taken_and_no_more(times: list[float], per_minute: int, burst: int) -> None:
    rates = Rates(Pace(per_minute, burst))
    taken(rates, "a", times)
    now = times[-1] if times else 0.0
    left, reset = rates.left("a", now)
    waits = rates.wait("a", now)
    assert (waits == 0) is (left > 0)
    assert sum(taken(rates, "a", [now] * (burst + 1))) == left
    assert reset is None or rates.wait("a", now + reset) <= waits


def test_room_is_found_as_soon_as_any_bucket_is_full_also_one_that_was_taken_from_late() -> None:
    rates = Rates(PACE, most=2)
    taken(rates, "a", [0.0] * 5)
    taken(rates, "b", [0.0])
    assert rates.take("c", 0.5) == pytest.approx(0.5)
    assert rates.take("c", 1.0) == 0
    assert rates.take("d", 1.5) == pytest.approx(0.5)
    assert (rates.wait("d", 2.0), rates.take("d", 2.0)) == (0, 0)


def test_another_pace_makes_room_as_soon_as_its_buckets_are_full() -> None:
    rates = Rates(Pace(per_minute=1, burst=5), most=1)
    taken(rates, "a", [0.0])
    assert rates.take("b", 1.0) == pytest.approx(59)
    rates.adopt(PACE)
    assert rates.take("b", 3.0) == 0
