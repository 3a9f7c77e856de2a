"""The page of `make bench-detect`: a table for each room, and what was not met said first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bench.detect.port import Family, Goal


def page(families: Sequence[Family], day: str) -> str:
    """docs/detection.md."""
    missed = [family for family in families if not family.is_met]
    promised = [family for family in families if family.goal is not Goal.REPORTED]
    head = [
        "# Detection, measured",
        "",
        f"`make bench-detect`, {day}. Shares with Wilson's interval of 95 %. The texts are corpora of others that are not part of this",
        "repository; half of each was kept aside when the rules were written. Detection is never the promise: what decides is policy,",
        "pins, labels and approvals (see [inspection](inspection/README.md)).",
        "",
        f"{len(promised) - len(missed)} of {len(promised)} bounds are kept."
        + ("" if not missed else " Not kept: " + "; ".join(f"{one.room}: {one.name}" for one in missed) + "."),
        "",
    ]
    return "\n".join([*head, *(line for room, group in groupby(families, lambda one: one.room) for line in _table(room, list(group)))])


def _table(room: str, families: Sequence[Family]) -> list[str]:
    lines = [f"## {room}", "", "| family | flagged | of | share | 95 % | bound | |", "|---|---:|---:|---:|---|---|---|"]
    return [*lines, *map(_line, families), ""]


def _line(family: Family) -> str:
    low, high = family.interval
    interval = f"{low:.1%} to {high:.1%}" if family.is_sample else ""
    bound = "" if family.goal is Goal.REPORTED else f"{family.goal.value} {family.bound:.1%}{'' if family.is_met else ' **not kept**'}"
    cells = (family.name, family.flagged, family.total, f"{family.share:.1%}", interval, bound, family.note)
    return "| " + " | ".join(map(str, cells)) + " |"
