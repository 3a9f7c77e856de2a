"""Percentiles, medians and spreads."""

from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Spread, percentile, spread

TIMES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1)


def test_percentiles_of_a_hundred_values_are_the_values_themselves() -> None:
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.01, 0.5, 0.9, 0.99, 1)] == [1, 50, 90, 99, 100]


def test_percentiles_of_few_values_are_values_that_were_seen() -> None:
    assert [percentile([1.0, 2.0, 9.0], share) for share in (0.3, 0.5, 0.99)] == [1.0, 2.0, 9.0]


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.5) == 0.0


@given(TIMES, st.floats(min_value=0.001, max_value=1))
def test_a_percentile_is_the_least_value_that_enough_others_do_not_exceed(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    not_above = sum(value <= found for value in ordered)
    below = sum(value < found for value in ordered)
    assert below < share * len(ordered) + 1e-9
    assert not_above >= share * len(ordered) - 1e-9


def test_the_spread_is_from_the_least_to_the_greatest_in_percent_of_the_median() -> None:
    assert spread([90.0, 120.0, 100.0]) == Spread(100.0, 30.0)


def test_one_value_has_no_spread() -> None:
    assert spread([7.0]) == Spread(7.0, 0.0)
