"""The page and the chart that a run writes."""

import xml.etree.ElementTree as ET

from bench.cores import Reading
from bench.drawn import drawn
from bench.figures import spread
from bench.load import Seen
from bench.measure import foreign, loaded
from bench.plan import DIRECT, FULL, KEY, LISTS, MAIN, OPEN, QUICK, Row, chosen, chosen_parts
from bench.report import page
from bench.run import Figures, Held, Memory, Ready
from bench.tables import direct_of, floor_of, table

WAITS = ("one noisy agent", "1.00", "2.00", "1.50", "3.00", "1.50")
MACHINE = {"Processor": "a processor", "Python": "CPython 3"}


def _seen(calls: int, cpu: float = 2.0, busy: float = 2.0) -> Seen:
    spent = Reading({"subject": cpu, "upstream": 0.5, "load": 0.5}, {0: busy, 1: 1.0})
    return Seen(calls, 2.0, 0.001, 0.002, 0.003, 0.004, 0, (), spent)


def _figures(doorward: int = 10_000, pace: object = FULL) -> Figures:
    def seen(row: Row) -> tuple[Seen, ...]:
        calls = doorward if row.is_ours else 40_000
        return tuple(_seen(calls + step) for step in (0, 100, 200))

    assert isinstance(pace, type(FULL))
    return Figures(
        machine=MACHINE,
        pace=pace,
        rows={row: seen(row) for row in chosen(MAIN, pace)},
        rates=dict.fromkeys(OPEN, 2_500.0),
        opened={row: seen(row) for row in OPEN},
        parts={row: seen(row) for row in chosen_parts(pace)},
        held=Held(1000, 12.5, seen(Row(KEY, 64)), seen(Row(KEY, 64))),
        memory=Memory(80.0, 110.0, 95.0),
        ready=Ready(spread([0.8]), spread([0.7])),
        stages={"parse (0)": 3.14},
        walls={"resolve": 20.0, "intend": 300.0},
        wall=900.0,
        count=99,
        disturbed=3,
    )


def test_the_page_has_the_median_the_spread_and_the_share_of_the_floor() -> None:
    lines = page(_figures(), [WAITS], "2026-01-02").splitlines()
    assert "| Doorward, everything on, agent key | 64 | 5,050 | 2 % | 0.25 | 5,050 | 0.25 | 1.000 | 2.000 | 3.000 |" in lines
    assert "| parse (0) | 3.1 |" in lines
    assert "| Date | 2026-01-02 |" in lines
    assert "| one noisy agent | 1.00 | 2.00 | 1.50 | 3.00 | 1.50 |" in lines
    assert "| calls/s at 64 connections, agent key | 5,050 | 6,000 | 20,000 |" in lines
    assert "Each stream takes 12.5 KiB of the gateway's memory." in lines


def test_what_the_clock_of_the_gateway_does_not_see_is_told_beside_the_stages() -> None:
    lines = page(_figures(), [WAITS], "2026-01-02").splitlines()
    assert lines[lines.index("| resolve | 20 |") :][:4] == [
        "| resolve | 20 |",
        "| intend | 300 |",
        "| edge, framing, the event loop and loopback | 580 |",
        "| as its caller saw it, on average | 900 |",
    ]


def test_two_runs_differ_only_where_their_figures_differ() -> None:
    one, other = (page(_figures(doorward), [WAITS], "2026-01-02").splitlines() for doorward in (10_000, 12_000))
    changed = [line for line, changed in zip(one, other, strict=True) if line != changed]
    assert changed
    assert all(line.startswith(("| ", "- The upstream and the load are not what is measured")) for line in changed)


def test_a_quick_run_has_the_same_page_with_fewer_rows() -> None:
    whole, quick = (page(_figures(pace=pace), [WAITS], "2026-01-02") for pace in (FULL, QUICK))
    heads = [[line for line in text.splitlines() if line.startswith("#")] for text in (whole, quick)]
    assert heads[0] == heads[1]
    assert len(quick.splitlines()) < len(whole.splitlines())


def test_the_chart_has_a_row_for_each_configuration() -> None:
    image = drawn(_figures(), "2026-01-02")
    texts = [found.text for found in ET.fromstring(image).iter("{http://www.w3.org/2000/svg}text")]
    assert {"direct, no gateway", "floor, nothing governed", "stages off", "everything on, key", "everything on, token"} <= set(texts)
    assert "5,050" in texts


def test_a_table_has_one_text_column() -> None:
    assert table(["", "a"], [["x", "1"]]) == ["|  | a |", "| --- | ---: |", "| x | 1 |", ""]


def test_every_row_has_a_floor_and_a_direct_row_under_the_same_load() -> None:
    rows = chosen(MAIN, FULL)
    assert [row for row in rows if row.subject != LISTS and not {floor_of(row), direct_of(row)} <= set(rows)] == []


def test_what_the_open_loop_needs_is_measured_in_the_closed_one_before() -> None:
    assert set(OPEN) <= set(chosen(MAIN, QUICK))


def test_what_others_took_of_a_core_is_noticed() -> None:
    assert foreign(_seen(1, cpu=1.5, busy=2.0), Row(KEY, 1)) == 0.25


def test_the_core_of_the_gateway_does_not_matter_to_direct_calls() -> None:
    assert foreign(_seen(1, cpu=0.0, busy=2.0), Row(DIRECT, 1)) == 0.0


def test_how_busy_the_load_and_its_upstream_kept_their_core_is_told() -> None:
    assert loaded(_seen(1)) == 0.5
