"""What the tables say of measured rows: medians, spreads, shares of the floor. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.figures import Spread, spread
from bench.gateway import PLAIN, STREAMED
from bench.load import Seen
from bench.plan import DIRECT, FLOOR, Row

Measured = Mapping[Row, tuple[Seen, ...]]
HEAD = ("", "connections", "calls/s", "spread", "of floor", "calls per CPU-second", "of floor", "p50 ms", "p90 ms", "p99 ms")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown: the first column is text, the others are numbers."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [*[f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)], ""]


def table_of(measured: Measured, rows: Sequence[Row]) -> list[str]:
    """The table of some rows of a closed loop; those that were not measured are left out."""
    return table(HEAD, [_line(measured, row) for row in rows if row in measured])


def _line(measured: Measured, row: Row) -> list[str]:
    rate, work = rate_of(measured[row]), work_of(measured[row])
    floor = measured.get(floor_of(row), ())
    is_direct = row.subject == DIRECT
    return [
        row.name,
        str(row.connections),
        f"{rate.middle:,.0f}",
        f"{rate.percent:.0f} %",
        "" if is_direct or not floor else f"{rate.middle / rate_of(floor).middle:.2f}",
        "" if is_direct else f"{work:,.0f}",
        "" if is_direct or not floor or not work else f"{work / work_of(floor):.2f}",
        *[f"{milliseconds(measured[row], of):.3f}" for of in (p50, p90, p99)],
    ]


def floor_of(row: Row) -> Row:
    """The floor under the same load."""
    return _beside(row, FLOOR)


def direct_of(row: Row) -> Row:
    """The same load on the upstream itself."""
    return _beside(row, DIRECT)


def _beside(row: Row, subject: str) -> Row:
    return Row(subject, row.connections, STREAMED if row.upstream == STREAMED else PLAIN, row.tool, row.era)


def rate_of(seen: Sequence[Seen]) -> Spread:
    """Calls a second."""
    return spread([one.calls / one.seconds for one in seen])


def ends_of(seen: Sequence[Seen]) -> tuple[float, float]:
    """The least and the greatest calls a second."""
    rates = [one.calls / one.seconds for one in seen]
    return min(rates), max(rates)


def work_of(seen: Sequence[Seen]) -> float:
    """Calls per CPU-second; 0 where the kernel does not say."""
    return median([_per_second(one) for one in seen])


def _per_second(seen: Seen) -> float:
    spent = seen.spent.processes.get("subject", 0.0)
    return seen.calls / spent if spent else 0.0


def milliseconds(seen: Sequence[Seen], of: Callable[[Seen], float]) -> float:
    """The median of each repeat's percentile."""
    return 1000 * median([of(one) for one in seen])


def p50(seen: Seen) -> float:
    """Half of all calls took no longer."""
    return seen.p50


def p90(seen: Seen) -> float:
    """Nine of ten took no longer."""
    return seen.p90


def p99(seen: Seen) -> float:
    """All but one in a hundred took no longer."""
    return seen.p99
