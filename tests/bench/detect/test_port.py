"""What `make bench-detect` counts with."""

import pytest

from bench.detect.port import Family, Goal, counted, wilson
from bench.detect.report import page


@pytest.mark.parametrize(("hits", "total", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)])
def test_the_interval_is_wilsons(hits: int, total: int, low: float, high: float) -> None:
    assert wilson(hits, total) == pytest.approx((low, high), abs=1e-4)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_family_counts_its_flags() -> None:
    assert counted("pii", "cards", [True, False, True]) == Family("pii", "cards", 3, 2)


def test_a_bound_that_is_not_kept_is_said_first() -> None:
    good, bad = counted("a", "good", [True], Goal.AT_LEAST, 0.9), counted("b", "bad", [True], Goal.AT_MOST, 0.1)
    text = page([good, bad], "2026-01-01")
    assert (good.is_met, bad.is_met) == (True, False)
    assert "1 of 2 bounds are kept. Not kept: b: bad." in text
    assert "| bad | 1 | 1 | 100.0% | 20.7% to 100.0% | ≤ 10.0% **not kept** |  |" in text
