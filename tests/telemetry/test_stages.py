"""The stage clock."""

import pytest

from doorward.telemetry.meter import Meter
from doorward.telemetry.stages import NO_CLOCK, STAGE_SECONDS, Stopwatch
from tests.telemetry.test_meter import Sample, named


class Ticking:
    """A clock of which each look takes a second."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def _twice(number: int) -> int:
    return 2 * number


async def _soon(number: int) -> int:
    return 2 * number


def _fails() -> None:
    raise ValueError


def test_without_a_clock_a_stage_is_handed_back_as_it_is() -> None:
    assert NO_CLOCK.timed("decide", _twice) is _twice
    assert NO_CLOCK.awaited("forward", _soon) is _soon


@pytest.mark.anyio
async def test_stages_give_what_they_gave_and_their_times_are_added_up() -> None:
    watch = Stopwatch(Ticking())
    decide, forward = watch.timed("decide", _twice), watch.awaited("forward", _soon)
    assert (decide(1), decide(2), await forward(3)) == (2, 4, 6)
    assert {stage: (sum(times.counts), times.seconds) for stage, times in watch.times.items()} == {"decide": (2, 2.0), "forward": (1, 1.0)}


def test_a_stage_that_refuses_is_timed_as_well() -> None:
    watch = Stopwatch(Ticking())
    with pytest.raises(ValueError):
        watch.timed("decide", _fails)()
    assert watch.times["decide"].seconds == 1.0


def test_times_are_a_histogram_by_stage_among_the_metrics() -> None:
    meter, watch = Meter(), Stopwatch(Ticking())
    meter.follow(watch)
    watch.timed("decide", _twice)(1)
    labels: tuple[tuple[str, str], ...] = (("stage", "decide"),)
    assert named(meter, "doorward_stage_seconds_count") == [("doorward_stage_seconds_count", labels, 1.0)]
    assert named(meter, "doorward_stage_seconds_sum") == [("doorward_stage_seconds_sum", labels, 1.0)]
    buckets: list[Sample] = named(meter, "doorward_stage_seconds_bucket")
    assert [(dict(sample[1])["le"], sample[2]) for sample in buckets] == [
        *((str(bound), float(bound >= 1.0)) for bound in STAGE_SECONDS),
        ("+Inf", 1.0),
    ]
