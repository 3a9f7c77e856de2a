"""Delays double up to a cap and are spread by chance."""

from hypothesis import given
from hypothesis import strategies as st

from doorward.upstream.backoff import Backoff


def test_delays_double_up_to_the_most_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(1.0, 10.0, lambda: 0.999999)
    assert [round(backoff.next_seconds()) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert round(backoff.next_seconds()) == 1


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 100))
def test_delay_is_between_half_and_all_of_its_step(chance: float, tries: int) -> None:
    backoff = Backoff(0.5, 60.0, lambda: chance)
    delays = [backoff.next_seconds() for _ in range(tries)]
    assert all(min(0.5 * 2**n, 60) / 2 <= delay <= min(0.5 * 2**n, 60) for n, delay in enumerate(delays[:30]))
    assert max(delays) <= 60
