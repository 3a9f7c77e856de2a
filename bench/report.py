"""The page that a run writes: always the same tables in the same order, so that two runs can be compared line by line. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.gateway import READING
from bench.load import Seen
from bench.measure import MOST_FOREIGN, SHOWN, loaded
from bench.noisy import HEAD as NOISY
from bench.plan import ECHOES, FLOOR, KEY, LARGE, LISTINGS, OPEN, PART_ROWS, SESSIONS, STREAMS, TOKEN, Row
from bench.run import Figures
from bench.speech import BIG, PAGE, Era
from bench.tables import direct_of, floor_of, milliseconds, p50, p90, p99, rate_of, table, table_of, work_of
from bench.upstream import LISTED, LISTS
from bench.variants import MORE, PARTS
from bench.variants import OFF as ALL_OFF
from bench.words import INTRODUCTION, METHOD

_SESSION = Row(KEY, 64, "steady", era=Era.SESSION)


def page(figures: Figures, waits: Sequence[Sequence[str]], date: str) -> str:
    """The whole page; `waits` as `noisy.rows` gives them, `date` as year, month and day."""
    measured = [
        *_machine(figures, date),
        *_goals(figures),
        *_calls(figures),
        *_parts(figures),
        *_opened(figures),
        *_held(figures),
        *_noisy(waits),
        *_rest(figures),
        *_stages(figures),
    ]
    return "\n".join([INTRODUCTION, *measured, *_method(figures)])


def _machine(figures: Figures, date: str) -> Iterator[str]:
    yield "## The machine\n"
    yield from table(["", ""], [["Date", date], *[[name, value] for name, value in figures.machine.items()]])


def _goals(figures: Figures) -> Iterator[str]:
    rows = figures.rows
    plain, reading, token = Row(KEY, 64), Row(KEY, 64, READING), Row(TOKEN, 64)
    one, big = Row(KEY, 1), Row(KEY, 16, tool=BIG)
    share = work_of(rows[plain]) / (work_of(rows[floor_of(plain)]) or 1.0)
    pure = milliseconds(rows[LISTINGS[0]], p50)

    def rate(row: Row) -> str:
        return f"{rate_of(rows[row]).middle:,.0f}"

    def added(of: Callable[[Seen], float]) -> str:
        return f"{milliseconds(rows[one], of) - milliseconds(rows[direct_of(one)], of):.2f}"

    yield "## Goals\n\nOne process on one core, everything on. *First* and *then* are what was aimed at.\n"
    yield from table(
        ["", "measured", "first", "then"],
        [
            ["calls/s at 64 connections, agent key", rate(plain), "6,000", "20,000"],
            ["the same with an access token", rate(token), "6,000", "20,000"],
            ["the same, a policy reads an argument", rate(reading), "4,000", "8,000"],
            ["the same in the session era", rate(_SESSION), "", ""],
            ["share of the floor, per CPU-second", f"{share:.2f}", "0.2", "0.5"],
            ["added at 1 connection, p50 ms", added(p50), "1.0", "0.4"],
            ["added at 1 connection, p99 ms", added(p99), "4", "1.5"],
            ["64 KiB result, CPU ms a call", f"{1000 / (work_of(rows[big]) or 1000):.2f}", "2", "0.5"],
            [f"list of {LISTED} tools, p50 ms", f"{pure:.2f}", "3", "0.5"],
            ["idle memory, MiB", f"{figures.memory.idle:.0f}", "100", "70"],
            ["ready with four upstreams, s", f"{figures.ready.first.middle:.2f}", "2", "1"],
        ],
    )


def _calls(figures: Figures) -> Iterator[str]:
    yield "## Calls of 200 bytes\n\nExchange era (2026-07-28) from client to upstream.\n"
    yield from table_of(figures.rows, ECHOES)
    yield "Session era (2025-11-25), a session for each connection.\n"
    yield from table_of(figures.rows, SESSIONS)
    for title, tool in (("8 KiB", PAGE), ("64 KiB", BIG)):
        yield f"## Results of {title}\n"
        yield from table_of(figures.rows, [row for row in LARGE if row.tool == tool])
    yield "## Answers as streams\n"
    yield "The upstream answers with a stream of events: a notification of progress, then the result. Both go through as they come.\n"
    yield from table_of(figures.rows, STREAMS)


def _parts(figures: Figures) -> Iterator[str]:
    yield "## What each stage costs\n"
    yield "Everything on but for one stage, which the configuration switches off, and in the last rows everything and more; 200 bytes,"
    yield "64 connections, measured beside each other.\n"
    whole = figures.parts[Row(KEY, 64)]
    lines = []
    for row in PART_ROWS:
        if row not in figures.parts:
            continue
        seen = figures.parts[row]
        rate, work = rate_of(seen), work_of(seen)
        saved = 1e6 / work_of(whole) - 1e6 / work if work and work_of(whole) else 0.0
        cells = [f"{rate.middle:,.0f}", f"{rate.percent:.0f} %", f"{work:,.0f}", f"{1e6 / (work or 1e6):.0f}", f"{saved:+.0f}"]
        lines.append([row.subject, *cells])
    yield from table(["", "calls/s", "spread", "calls per CPU-second", "CPU µs a call", "saved µs"], lines)
    for variant in (*PARTS.values(), ALL_OFF, *MORE.values()):
        yield f"- *{variant.name}*: {variant.told}."
    yield ""


def _opened(figures: Figures) -> Iterator[str]:
    yield "## Latency at half the load\n"
    yield "Open loop: calls arrive at random (a Poisson process) at half the rate that the closed loop reached in this run, over 64 connections,"
    yield "and each is timed from the moment at which it was due, whether or not a connection was free.\n"
    lines = []
    for row in OPEN:
        seen = figures.opened[row]
        times = [f"{milliseconds(seen, of):.3f}" for of in (p50, p90, p99)]
        late = 1000 * max(one.late for one in seen)
        lines.append([row.name, f"{figures.rates[row]:,.0f}", f"{rate_of(seen).middle:,.0f}", *times, f"{late:.2f}"])
    yield from table(["", "due/s", "answered/s", "p50 ms", "p90 ms", "p99 ms", "load itself late, p99 ms"], lines)


def _held(figures: Figures) -> Iterator[str]:
    held = figures.held
    yield f"## {held.count:,} streams that wait\n"
    yield "Subscriptions to changes of lists, held open by agents of their own while others call; 200 bytes, 64 connections.\n"
    lines = [
        [
            name,
            f"{rate_of(seen).middle:,.0f}",
            f"{rate_of(seen).percent:.0f} %",
            *[f"{milliseconds(seen, of):.3f}" for of in (p50, p90, p99)],
        ]
        for name, seen in (("alone", held.alone), (f"beside {held.count:,} streams", held.beside))
    ]
    yield from table(["", "calls/s", "spread", "p50 ms", "p90 ms", "p99 ms"], lines)
    yield f"Each stream takes {held.kibibytes:.1f} KiB of the gateway's memory.\n"


def _noisy(waits: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "## Quiet agents beside noisy ones\n"
    yield "How long eight agents wait that ask 40 times a second together; see [overload](limits/overload.md). The goal is a factor of 2.\n"
    yield from table(NOISY, waits)


def _rest(figures: Figures) -> Iterator[str]:
    listing = figures.rows[LISTINGS[0]]
    yield f"## Lists\n\n{LISTED} tools of about 1 KiB over {LISTS} upstreams, of which policy lets the caller see {SHOWN}, on one page.\n"
    yield from table(
        ["", "lists/s", "spread", "p50 ms", "p99 ms", "CPU ms a list"],
        [
            [
                LISTINGS[0].name,
                f"{rate_of(listing).middle:,.0f}",
                f"{rate_of(listing).percent:.0f} %",
                f"{milliseconds(listing, p50):.2f}",
                f"{milliseconds(listing, p99):.2f}",
                f"{1000 / (work_of(listing) or 1000):.2f}",
            ]
        ],
    )
    yield "## Memory and start\n"
    yield from table(
        ["", "measured"],
        [
            ["memory, idle with four upstreams, MiB", f"{figures.memory.idle:.0f}"],
            ["memory under load, the most seen, MiB", f"{figures.memory.loaded:.0f}"],
            ["memory, after all of the above, MiB", f"{figures.memory.after:.0f}"],
            ["ready with an empty state directory, s", f"{figures.ready.first.middle:.2f}"],
            ["ready when started again, s", f"{figures.ready.again.middle:.2f}"],
        ],
    )


def _stages(figures: Figures) -> Iterator[str]:
    yield "## Stages\n\nThe numbers are those of the way of a call in [ARCHITECTURE.md](../ARCHITECTURE.md).\n"
    yield from table(["", "µs of CPU"], [[name, f"{cost:.1f}"] for name, cost in figures.stages.items()])
    yield "The same way by the gateway's own clock (`telemetry.stages`, off by default): microseconds that pass in each stage on average, with what"
    yield "it waits for, of calls of 200 bytes at one connection. Above all, *intend* waits for the disk, and *forward* for the upstream.\n"
    told = [[name, f"{microseconds:.0f}"] for name, microseconds in figures.walls.items()]
    rest = figures.wall - sum(figures.walls.values())
    yield from table(
        ["", "µs"],
        [*told, ["edge, framing, the event loop and loopback", f"{rest:.0f}"], ["as its caller saw it, on average", f"{figures.wall:.0f}"]],
    )


def _method(figures: Figures) -> Iterator[str]:
    pace = figures.pace
    ours = {row: seen for row, seen in figures.rows.items() if row.is_ours and row.tool}
    yield METHOD.format(
        repeats=pace.repeats,
        seconds=pace.seconds,
        opened=pace.open_seconds,
        warm=pace.warm_seconds,
        foreign=MOST_FOREIGN,
        again=pace.again,
        disturbed=f"Of {figures.count} measurements of this run {figures.disturbed} were disturbed all the same.",
        ratio=f"{min(rate_of(figures.rows[direct_of(row)]).middle / rate_of(seen).middle for row, seen in ours.items()):.1f}",
        busiest=max(loaded(one) for seen in ours.values() for one in seen),
        floor=max(loaded(one) for row, seen in figures.rows.items() if row.subject == FLOOR for one in seen),
    )
