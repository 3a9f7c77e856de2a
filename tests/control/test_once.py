"""Codes: each gives its value at most once, for its moment, and there are never too many."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.control.once import MOST, Once
from tests.control.plane import Draws
from tests.made import Clock


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 40)), max_size=30))
def test_a_code_gives_its_value_once_and_within_its_time(steps: list[tuple[int, float]]) -> None:
    clock = Clock()
    once: Once[int] = Once(60, Draws(), clock)
    codes = [once.put(number) for number in range(6)]
    begun, taken = clock.at, set[int]()
    for number, wait in steps:
        clock.at += wait
        expected = number if number not in taken and clock.at < begun + 60 else None
        assert once.take(codes[number]) == expected
        taken.add(number)


def test_the_oldest_code_goes_where_there_are_too_many() -> None:
    once: Once[int] = Once(60, Draws(), Clock())
    codes = [once.put(number) for number in range(MOST + 1)]
    assert (once.take(codes[0]), once.take(codes[1]), once.take("invented")) == (None, 1, None)
