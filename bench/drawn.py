"""The chart of a run: calls a second and added latency by configuration. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bench.chart import Bar, Panel, Tone, chart
from bench.gateway import READING
from bench.load import Seen
from bench.plan import DIRECT, FLOOR, KEY, OFF, TOKEN, Row
from bench.run import Figures
from bench.tables import direct_of, ends_of, milliseconds, p50, rate_of

_NAMES = {
    DIRECT: "direct, no gateway",
    FLOOR: "floor, nothing governed",
    OFF: "stages off",
    KEY: "everything on, key",
    TOKEN: "everything on, token",
}
_READS = "key, a policy reads an argument"
_LEGEND = ((Tone.OURS, "Doorward, one process on one core"), (Tone.BOUND, "bounds: nothing is governed"))


def drawn(figures: Figures, date: str) -> str:
    """The chart as SVG."""
    note = (
        f"tools/call of 200 B, exchange era, loopback; medians, with the least and the greatest of {figures.pace.repeats} repeats. "
        f"{figures.machine.get('Processor', '')}, {date}."
    )
    rows = [Row(subject, 64) for subject in (DIRECT, FLOOR, OFF, KEY, TOKEN)] + [Row(KEY, 64, READING)]
    rates = Panel("Calls a second at 64 connections (longer is better)", "calls/s", [_rate(figures, row) for row in rows])
    ones = [Row(subject, 1) for subject in (FLOOR, OFF, KEY, TOKEN)] + [Row(KEY, 1, READING)]
    added = Panel("Latency added at one connection, p50 (shorter is better)", "ms", [_added(figures, row) for row in ones])
    return chart("Doorward: what a governed call costs", note, [rates, added], _LEGEND)


def _rate(figures: Figures, row: Row) -> Bar:
    seen = figures.rows[row]
    return Bar(_name(row), rate_of(seen).middle, *ends_of(seen), _tone(row))


def _added(figures: Figures, row: Row) -> Bar:
    seen, direct = figures.rows[row], milliseconds(figures.rows[direct_of(row)], p50)
    times = _times(seen)
    return Bar(_name(row), milliseconds(seen, p50) - direct, min(times) - direct, max(times) - direct, _tone(row))


def _times(seen: Sequence[Seen]) -> list[float]:
    return [1000 * one.p50 for one in seen]


def _name(row: Row) -> str:
    return _READS if row.upstream == READING else _NAMES[row.subject]


def _tone(row: Row) -> Tone:
    return Tone.OURS if row.is_ours else Tone.BOUND
