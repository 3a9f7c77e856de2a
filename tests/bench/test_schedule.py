"""When calls of an open loop arrive."""

import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.schedule import announce, arrivals


@given(st.floats(min_value=1, max_value=5000), st.floats(min_value=0.01, max_value=1), st.integers(min_value=0, max_value=9))
def test_arrivals_are_in_order_and_within_the_time(rate: float, seconds: float, seed: int) -> None:
    moments = list(arrivals(rate, seconds, seed))
    assert moments == sorted(moments)
    assert all(0 <= moment < seconds for moment in moments)


def test_there_are_as_many_arrivals_as_the_rate_says_and_their_gaps_vary() -> None:
    moments = list(arrivals(1000, 10, 1))
    gaps = [after - before for before, after in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    assert spread == pytest.approx(mean, rel=0.1)


def test_arrivals_come_alike_in_each_run() -> None:
    assert arrivals(100, 1, 7) == arrivals(100, 1, 7)


@pytest.mark.anyio
async def test_every_arrival_is_announced_with_the_moment_at_which_it_was_due() -> None:
    heard: list[float] = []
    start = time.perf_counter() - 100.0
    await asyncio.to_thread(announce([0.0, 0.25, 0.5], start, heard.append).join)
    await asyncio.sleep(0)
    assert heard == [start, start + 0.25, start + 0.5]
