"""When something comes too often from one source."""

from doorward.runtime.alerts.bursts import OTHERS, SOURCES, Bursts


def test_a_burst_is_told_when_the_threshold_is_reached_and_each_time_again() -> None:
    bursts = Bursts(3)
    assert [bursts.count("a", 60.0) for _ in range(7)] == [0, 0, 3, 0, 0, 6, 0]


def test_sources_are_counted_apart_and_each_minute_anew() -> None:
    bursts = Bursts(2)
    assert [bursts.count("a", 59.9), bursts.count("b", 59.9), bursts.count("a", 60.0), bursts.count("a", 60.1)] == [0, 0, 0, 2]


def test_sources_without_number_are_counted_as_one_and_nobody_hides_among_them() -> None:
    bursts = Bursts(5)
    for number in range(SOURCES):
        bursts.count(str(number), 0.0)
    assert [bursts.count(f"new {number}", 0.0) for number in range(5)] == [0, 0, 0, 0, 5]
    assert (bursts.counted("new 9"), bursts.counted("7"), bursts.is_loud("new 9"), bursts.is_loud("7")) == (OTHERS, "7", True, False)
