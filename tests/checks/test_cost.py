"""Counted costs: the same work counts the same, more work counts more, and what costs more than the baseline is told."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from checks.cost.__main__ import cheaper, dearer
from checks.cost.counting import Cost, cost
from checks.cost.works import WORKS, UnexpectedError, Work, bench


def _counting_to(most: int) -> Callable[[], None]:
    def work() -> None:
        sum([number * number for number in range(most)])

    return work


def _nothing() -> None:
    """Costs next to nothing."""


def test_the_same_work_counts_the_same() -> None:
    assert cost(_counting_to(10), 3) == cost(_counting_to(10), 3)


def test_each_turn_of_a_loop_counts() -> None:
    few, more, most = (cost(_counting_to(most), 3).instructions for most in (10, 20, 30))
    assert most - more == more - few > 10


def test_calls_are_told_apart_by_what_is_called() -> None:
    before, after = cost(_nothing, 3), cost(_counting_to(3), 3)
    assert (after.c_calls - before.c_calls, after.calls > before.calls) == (1, True)


def test_work_that_is_done_now_and_then_does_not_count() -> None:
    runs, rare = count(), _counting_to(1000)

    def work() -> None:
        if next(runs) == 2:
            rare()

    assert cost(work, 5).instructions < 100


WAS = {"a call": Cost(1000, 100, 50), "gone": Cost(1, 1, 1)}


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (Cost(1000, 100, 50), []),
        (Cost(1009, 100, 50), []),
        (Cost(1030, 100, 50), ["a call: 1,030 instructions instead of 1,000 (+3.0%)"]),
        (Cost(900, 110, 60), ["a call: 110 calls instead of 100 (+10.0%)", "a call: 60 c_calls instead of 50 (+20.0%)"]),
    ],
)
def test_what_costs_more_than_the_baseline_is_told(now: Cost, told: list[str]) -> None:
    assert sorted(dearer(WAS, {"a call": now, "gone": WAS["gone"]})) == told


def test_a_work_that_only_one_of_them_knows_is_told() -> None:
    assert sorted(dearer(WAS, {"a call": WAS["a call"], "new": Cost(1, 1, 1)})) == [
        "gone: only in the baseline",
        "new: only in what is counted",
    ]


def test_a_gain_is_told_once_it_is_worth_keeping() -> None:
    now = {"a call": Cost(900, 99, 50)}
    assert list(cheaper(WAS, now)) == ["a call: 900 instructions instead of 1,000 (-10.0%)"]


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_every_work_that_is_counted_ends_with_a_result(work: Work) -> None:
    loop = asyncio.new_event_loop()
    try:
        with bench(loop) as runner:
            runner(work)()
    finally:
        loop.close()


def test_a_work_that_is_refused_is_not_counted() -> None:
    loop = asyncio.new_event_loop()
    try:
        with bench(loop) as runner, pytest.raises(UnexpectedError, match="unknown_target"):
            runner(Work("nothing", "nowhere__nothing", {}))()
    finally:
        loop.close()
