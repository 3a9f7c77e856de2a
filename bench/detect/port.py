"""What a room measures: families of texts, each with how many of them were flagged, and what was promised."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import sqrt
from pathlib import Path
from typing import Any

CORPORA = Path(os.environ.get("DOORWARD_CORPORA", Path(__file__).resolve().parents[3] / "shared" / "corpora"))
"""Where the corpora are: they are no part of this repository, each row has a licence of its own."""

Row = dict[str, Any]


class Goal(Enum):
    """Which way a share is meant to lie of its bound."""

    AT_LEAST = "≥"
    AT_MOST = "≤"
    REPORTED = ""
    """Nothing was promised."""


@dataclass(frozen=True, slots=True)
class Family:
    """One line of the report: of `total` texts, `flagged` were found to be what the room looks for."""

    room: str
    """`secrets`, `pii`, `injection` …"""
    name: str
    total: int
    flagged: int
    goal: Goal = Goal.REPORTED
    bound: float = 0.0
    """A share from 0 to 1."""
    note: str = ""
    is_sample: bool = True
    """Whether it counts texts, of which more could be had; a score is none, and has no interval."""

    @property
    def share(self) -> float:
        """Flagged of all."""
        return self.flagged / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of 95 %."""
        return wilson(self.flagged, self.total)

    @property
    def is_met(self) -> bool:
        """Whether the share itself lies where it was meant to."""
        match self.goal:
            case Goal.AT_LEAST:
                return self.share >= self.bound
            case Goal.AT_MOST:
                return self.share <= self.bound
            case Goal.REPORTED:
                return True


def rows(file: str, *, keep: Callable[[Row], bool] = lambda row: True) -> Iterator[Row]:
    """The rows of a corpus; raises `FileNotFoundError` where it is not there."""
    with (CORPORA / file).open(encoding="utf-8") as lines:
        yield from (row for row in map(json.loads, lines) if keep(row))


def counted(room: str, name: str, flags: Iterable[bool], goal: Goal = Goal.REPORTED, bound: float = 0.0) -> Family:
    """The family of texts of which each was flagged or not."""
    seen = list(flags)
    return Family(room, name, len(seen), sum(seen), goal, bound)


def by_kind(file: str, field: str = "kind") -> dict[str, list[Row]]:
    """The rows of a corpus by the value of a field, in its order."""
    found: dict[str, list[Row]] = {}
    for row in rows(file):
        found.setdefault(str(row.get(field, "")), []).append(row)
    return found


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The interval in which the true share lies with 95 % (Wilson, 1927)."""
    if not total:
        return 0.0, 1.0
    share, square = hits / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    return max(0.0, middle - half), min(1.0, middle + half)
