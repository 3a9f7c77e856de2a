"""The page that a run writes."""

from bench.cores import Reading
from bench.figures import spread
from bench.load import Seen
from bench.plan import FULL, ROWS, Row, Subject
from bench.report import page, table
from bench.run import Figures, Memory, Ready, foreign

WAITS = ("one noisy agent", "1.00", "2.00", "1.50", "3.00", "1.50")
MACHINE = {"Processor": "a processor", "Python": "CPython 3"}


def _seen(calls: int, cpu: float = 2.0, busy: float = 2.0) -> Seen:
    spent = Reading({"subject": cpu, "upstream": 0.5, "load": 0.5}, {0: busy, 1: 1.0})
    return Seen(calls, 2.0, 0.001, 0.002, 0.003, 0.004, 0, (), spent)


def _figures(doorward: int = 10_000) -> Figures:
    def calls(row: Row) -> int:
        return doorward if row.subject is Subject.DOORWARD else 40_000

    rows = {row: tuple(_seen(calls(row) + step) for step in (0, 100, 200)) for row in ROWS}
    return Figures(MACHINE, FULL, rows, Memory(80.0, 95.0), Ready(spread([0.8]), spread([0.7])), {"parse (0)": 3.14}, 0)


def test_the_page_has_the_median_the_spread_and_the_share_of_the_floor() -> None:
    lines = page(_figures(), [WAITS], "2026-01-02").splitlines()
    assert "| Doorward | 64 | 5,050 | 2 % | 0.25 | 5,050 | 0.25 | 1.000 | 3.000 |" in lines
    assert "| parse (0) | 3.1 |" in lines
    assert "| Date | 2026-01-02 |" in lines
    assert "| one noisy agent | 1.00 | 2.00 | 1.50 | 3.00 | 1.50 |" in lines


def test_two_runs_differ_only_where_their_figures_differ() -> None:
    one, other = (page(_figures(doorward), [WAITS], "2026-01-02").splitlines() for doorward in (10_000, 12_000))
    changed = [line for line, changed in zip(one, other, strict=True) if line != changed]
    assert changed
    assert all(line.startswith("| ") for line in changed)


def test_a_table_has_one_text_column() -> None:
    assert table(["", "a"], [["x", "1"]]) == ["|  | a |", "| --- | ---: |", "| x | 1 |", ""]


def test_what_others_took_of_a_core_is_noticed() -> None:
    assert foreign(_seen(1, cpu=1.5, busy=2.0), Row(Subject.DOORWARD, 1)) == 0.25


def test_the_core_of_the_gateway_does_not_matter_to_direct_calls() -> None:
    assert foreign(_seen(1, cpu=0.0, busy=2.0), Row(Subject.DIRECT, 1)) == 0.0
