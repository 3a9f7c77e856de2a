"""Time that never goes back, nor slower than it passes."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.approval.elapsed import Elapsed, still
from tests.made import Clock


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    wall, passed = Clock(1_000.0), Clock(50.0)
    time = Elapsed(wall, passed)
    wall.at = 10.0
    assert time() == 1_000.0
    passed.at += 30
    assert (time(), time()) == (1_030.0, 1_030.0)


def test_a_clock_that_is_set_forward_is_followed_and_time_goes_on_from_there() -> None:
    wall, passed = Clock(1_000.0), Clock(0.0)
    time = Elapsed(wall, passed)
    wall.at = 5_000.0
    assert time() == 5_000.0
    wall.at, passed.at = 1_001.0, 1.0
    assert time() == 5_001.0


def test_what_is_known_to_have_been_has_been() -> None:
    wall, passed = Clock(1_000.0), Clock(0.0)
    time = Elapsed(wall, passed)
    time.has_been(2_000.0)
    assert time() == 2_000.0
    time.has_been(500.0)
    passed.at = 7.0
    assert time() == 2_007.0


def test_with_a_clock_alone_time_stands_still_until_it_has_caught_up() -> None:
    wall = Clock(1_000.0)
    time = Elapsed(wall, still)
    for at, expected in ((900.0, 1_000.0), (999.0, 1_000.0), (1_001.0, 1_001.0)):
        wall.at = at
        assert time() == expected


@given(st.lists(st.tuples(st.integers(-10_000, 10_000), st.integers(0, 1_000)), max_size=20))
def test_it_never_goes_back_nor_slower_than_time_passes(steps: list[tuple[int, int]]) -> None:
    wall, passed = Clock(100_000.0), Clock(0.0)
    time = Elapsed(wall, passed)
    before = time()
    for jump, seconds in steps:
        wall.at += jump + seconds
        passed.at += seconds
        now = time()
        assert now >= before + seconds
        assert now >= wall.at
        before = now
