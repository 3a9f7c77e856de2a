"""What was measured, and the bounds that it has to keep. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec


class AtMost(msgspec.Struct, frozen=True, tag=True):
    """It may not be more."""

    value: float

    def is_kept(self, measured: float) -> bool:
        """Whether it is not."""
        return measured <= self.value


class AtLeast(msgspec.Struct, frozen=True, tag=True):
    """It may not be less."""

    value: float

    def is_kept(self, measured: float) -> bool:
        """Whether it is not."""
        return measured >= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure."""

    name: str
    value: float
    unit: str
    bound: AtMost | AtLeast | None = None

    @property
    def is_kept(self) -> bool:
        """Whether it keeps its bound, if it has one."""
        return self.bound is None or self.bound.is_kept(self.value)


@dataclass(frozen=True, slots=True)
class Series:
    """How much one thing costs, with more and more of another."""

    name: str
    unit: str
    values: Sequence[float]
    """For each of the steps of its chapter."""
    most_growth: float | None = None
    """The last may be at most so many times the first."""

    @property
    def growth(self) -> float:
        """The last in shares of the first."""
        return self.values[-1] / self.values[0] if self.values[0] else 0.0

    @property
    def is_kept(self) -> bool:
        """Whether it did not grow more than it may."""
        return self.most_growth is None or self.growth <= self.most_growth


@dataclass(frozen=True, slots=True)
class Chapter:
    """What belongs together: figures of the whole, and series over steps."""

    title: str
    text: str
    figures: Sequence[Figure] = ()
    steps: Sequence[str] = ()
    """The heads of the columns of the series."""
    series: Sequence[Series] = ()

    @property
    def missed(self) -> list[str]:
        """What does not keep its bound."""
        figures = [one.name for one in self.figures if not one.is_kept]
        return figures + [one.name for one in self.series if not one.is_kept]
