"""The page that a run writes: always the same tables in the same order, so that two runs can be compared line by line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.figures import Spread, spread
from bench.gateway import READING
from bench.load import Seen
from bench.noisy import HEAD
from bench.plan import BIGS, ECHOES, LISTINGS, SESSIONS, Row, Subject
from bench.run import MOST_FOREIGN, SHOWN, Figures
from bench.speech import BIG
from bench.upstream import LISTED, LISTS

INTRODUCTION = """\
# Benchmarks

Written by `make bench`, which takes about five minutes on a machine with two cores; nothing here is edited by hand. Figures depend
on the machine: what carries over is how they compare with each other, above all the share of the *floor*. The tests assert none of them.

- **direct**: the load calls the upstream without a gateway. It is the most that the two can do together.
- **floor**: a bare pass-through on Doorward's own HTTP server and connection pool, which governs nothing.
- **Doorward**: one process with everything on: agent keys, Cedar policies, inspection of requests and results, and two leaves in the
  log for each call, of which the first is on disk before the call is forwarded. All metrics are on as well.
"""

METHOD = """\
## How it is measured

- Loopback, plain HTTP, kept connections. The gateway has one core to itself, the upstream and the load share another.
- Closed loop: each connection calls again as soon as it was answered. Every answer is checked: HTTP status 200, the id of its request,
  a text that no other request sends, word for word, and no error. One wrong answer, and there is no report.
- Each row is measured {repeats} times for {seconds:g} s after {warm:g} s of warming up, all rows in turn and then all of them again; the
  tables have the median, and the spread from the least to the greatest in percent of it. Percentiles are medians of each repeat's.
- *Calls per CPU-second* divides by the processor time of the gateway's process, its threads included: it holds on machines that are not idle.
- Where others took more than {foreign:.0%} of a core meanwhile, a row is measured once more, up to {again} times in a run; the less disturbed
  measurement counts, whatever its result. {disturbed}
- Eight agents with a key each; {policies}.
- The log is an SQLite database in a temporary directory with `synchronous=FULL`, encrypted side records and an anchor file.
- *Stages* are measured on the rooms themselves, in microseconds of processor time; those that wait (7, 9, 11) with 64 calls at a time and
  all threads of the process counted.
"""


def page(figures: Figures, waits: Sequence[Sequence[str]], date: str) -> str:
    """The whole page; `waits` as `noisy.rows` gives them, `date` as year, month and day."""
    measured = [*_machine(figures, date), *_goals(figures), *_calls(figures), *_noisy(waits), *_rest(figures)]
    return "\n".join([INTRODUCTION, *measured, *_method(figures)])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown: the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [*[f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)], ""]


def _machine(figures: Figures, date: str) -> Iterator[str]:
    yield "## The machine\n"
    yield from table(["", ""], [["Date", date], *[[name, value] for name, value in figures.machine.items()]])


def _calls(figures: Figures) -> Iterator[str]:
    yield "## Calls of 200 bytes\n\nExchange era (2026-07-28) from client to upstream.\n"
    yield from _table_of(figures, ECHOES)
    yield "Session era (2025-11-25) from client to upstream, a session for each connection.\n"
    yield from _table_of(figures, SESSIONS)
    yield "## Results of 64 KiB\n"
    yield from _table_of(figures, BIGS)


def _noisy(waits: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "## Quiet agents beside noisy ones\n"
    yield "How long eight agents wait that ask 40 times a second together; see [overload](limits/overload.md). The goal is a factor of 2.\n"
    yield from table(HEAD, waits)


def _table_of(figures: Figures, rows: Sequence[Row]) -> list[str]:
    head = ["", "connections", "calls/s", "spread", "of floor", "calls per CPU-second", "of floor", "p50 ms", "p99 ms"]
    return table(head, [_line(figures, row) for row in rows])


def _line(figures: Figures, row: Row) -> list[str]:
    rate, work = _rate(figures, row), _work(figures, row)
    floor = Row(Subject.FLOOR, row.connections, tool=row.tool, era=row.era)
    is_direct = row.subject is Subject.DIRECT
    return [
        row.name,
        str(row.connections),
        f"{rate.middle:,.0f}",
        f"{rate.percent:.0f} %",
        "" if is_direct else f"{rate.middle / _rate(figures, floor).middle:.2f}",
        "" if is_direct else f"{work:,.0f}",
        "" if is_direct or not work else f"{work / _work(figures, floor):.2f}",
        f"{_milliseconds(figures, row, _p50):.3f}",
        f"{_milliseconds(figures, row, _p99):.3f}",
    ]


def _goals(figures: Figures) -> Iterator[str]:
    plain, reading = Row(Subject.DOORWARD, 64), Row(Subject.DOORWARD, 64, READING)
    one, direct, big = Row(Subject.DOORWARD, 1), Row(Subject.DIRECT, 1), Row(Subject.DOORWARD, 16, tool=BIG)
    share = _work(figures, plain) / (_work(figures, Row(Subject.FLOOR, 64)) or 1.0)

    def added(of: Callable[[Seen], float]) -> str:
        return f"{_milliseconds(figures, one, of) - _milliseconds(figures, direct, of):.2f}"

    yield "## Goals\n\nOne process on one core, everything on.\n"
    yield from table(
        ["", "measured", "first goal", "then"],
        [
            ["calls/s at 64 connections", f"{_rate(figures, plain).middle:,.0f}", "2,500, then 6,000", "20,000"],
            ["the same, a policy reads an argument", f"{_rate(figures, reading).middle:,.0f}", "4,000", "8,000"],
            ["the same in the session era", f"{_rate(figures, SESSIONS[-1]).middle:,.0f}", "", ""],
            ["share of the floor, per CPU-second", f"{share:.2f}", "0.2", "0.5"],
            ["added at 1 connection, p50 ms", added(_p50), "1.5, then 1.0", "0.4"],
            ["added at 1 connection, p99 ms", added(_p99), "4", "1.5"],
            ["64 KiB result, CPU ms a call", f"{1000 / (_work(figures, big) or 1000):.2f}", "2", "0.5"],
            [f"list of {LISTED} tools, p50 ms", f"{_milliseconds(figures, LISTINGS[0], _p50):.2f}", "3", "0.5"],
            ["idle memory, MiB", f"{figures.memory.idle:.0f}", "100", "70"],
            ["ready with three upstreams, s", f"{figures.ready.first.middle:.2f}", "2", "1"],
        ],
    )


def _rest(figures: Figures) -> Iterator[str]:
    listing = LISTINGS[0]
    yield f"## Lists\n\n{LISTED} tools of about 1 KiB over {LISTS} upstreams, of which policy lets the caller see {SHOWN}, on one page.\n"
    yield from table(
        ["", "lists/s", "spread", "p50 ms", "p99 ms", "CPU ms a list"],
        [
            [
                listing.name,
                f"{_rate(figures, listing).middle:,.0f}",
                f"{_rate(figures, listing).percent:.0f} %",
                f"{_milliseconds(figures, listing, _p50):.2f}",
                f"{_milliseconds(figures, listing, _p99):.2f}",
                f"{1000 / (_work(figures, listing) or 1000):.2f}",
            ]
        ],
    )
    yield "## Memory and start\n"
    yield from table(
        ["", "measured"],
        [
            ["memory, idle with three upstreams, MiB", f"{figures.memory.idle:.0f}"],
            ["memory, after all of the above, MiB", f"{figures.memory.loaded:.0f}"],
            ["ready with an empty state directory, s", f"{figures.ready.first.middle:.2f}"],
            ["ready when started again, s", f"{figures.ready.again.middle:.2f}"],
        ],
    )
    yield "## Stages\n\nThe numbers are those of the way of a call in [ARCHITECTURE.md](../ARCHITECTURE.md).\n"
    yield from table(["", "µs of CPU"], [[name, f"{cost:.1f}"] for name, cost in figures.stages.items()])


def _method(figures: Figures) -> Iterator[str]:
    pace = figures.pace
    count = sum(len(seen) for seen in figures.rows.values())
    yield METHOD.format(
        repeats=pace.repeats,
        seconds=pace.seconds,
        warm=pace.warm_seconds,
        foreign=MOST_FOREIGN,
        again=pace.again,
        disturbed=f"Of {count} measurements of this run {figures.disturbed} were disturbed all the same.",
        policies="seven policies, one of them about who may read, and for the rows that say so another one that compares an argument",
    )


def _rate(figures: Figures, row: Row) -> Spread:
    """Calls a second."""
    return spread([seen.calls / seen.seconds for seen in figures.rows[row]])


def _work(figures: Figures, row: Row) -> float:
    """Calls per CPU-second; 0 where the kernel does not say."""
    return median([_per_second(seen) for seen in figures.rows[row]])


def _per_second(seen: Seen) -> float:
    spent = seen.spent.processes.get("subject", 0.0)
    return seen.calls / spent if spent else 0.0


def _milliseconds(figures: Figures, row: Row, of: Callable[[Seen], float]) -> float:
    return 1000 * median([of(seen) for seen in figures.rows[row]])


def _p50(seen: Seen) -> float:
    return seen.p50


def _p99(seen: Seen) -> float:
    return seen.p99
