"""Figures out of repeated measurements: percentiles, medians and how far the repeats lie apart. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` (above 0, at most 1) of the ascending values do not exceed (nearest rank); 0 of none."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some repeats and how far they lie apart."""

    middle: float
    percent: float
    """From the least to the greatest, in percent of the median."""


def spread(values: Sequence[float]) -> Spread:
    """The median and spread of at least one value."""
    middle = median(values)
    return Spread(middle, 100 * (max(values) - min(values)) / middle if middle else 0.0)
