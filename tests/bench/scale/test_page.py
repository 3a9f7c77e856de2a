"""The page about growth: what was measured beside what was promised."""

from bench.scale.figures import AtLeast, AtMost, Chapter, Figure, Series
from bench.scale.page import number, page

CHAPTER = Chapter(
    "A log",
    "Some words.",
    [Figure("start", 4, "s", AtMost(3)), Figure("verify", 150_000, "leaves", AtLeast(100_000)), Figure("size", 12.34, "MiB")],
    ["10", "1,000"],
    [Series("a call", "µs", [100, 120], 1.3), Series("another", "µs", [100, 140], 1.3), Series("a third", "µs", [0, 7])],
)


def test_what_was_missed_is_said_first() -> None:
    written = page([CHAPTER], {"Processor": "one"}, "2026-01-02").splitlines()
    assert "2 of 4 bounds are kept. Missed: A log: start; A log: another." in written
    assert written[written.index("## A log") :] == [
        "## A log",
        "",
        "Some words.",
        "",
        "|  | 10 | 1,000 | last / first | bound |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| a call, µs | 100 | 120 | 1.20 | ≤ 1.3 |",
        "| another, µs | 100 | 140 | 1.40 | ≤ 1.3 **missed** |",
        "| a third, µs | 0 | 7 | 0.00 |  |",
        "",
        "|  | measured | bound |  |",
        "| --- | ---: | ---: | ---: |",
        "| start, s | 4 | ≤ 3 | **missed** |",
        "| verify, leaves | 150,000 | ≥ 100,000 | kept |",
        "| size, MiB | 12.3 |  |  |",
        "",
        "## The machine",
        "",
        "|  |  |",
        "| --- | ---: |",
        "| Date | 2026-01-02 |",
        "| Processor | one |",
    ]


def test_numbers_have_three_digits_that_count() -> None:
    assert [number(value) for value in (0.123, 4.0, 12.345, 123.4, 123456.7)] == ["0.12", "4", "12.3", "123", "123,457"]
