"""What became of one scenario: nothing, or something that Doorward did about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Fixture = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was done: nothing, said (`detect`), or stopped or changed (`enforce`)."""

    detect: bool
    enforce: bool
    signal: str = ""

    def asdict(self) -> dict[str, Any]:
        """As the benchmark reads it."""
        return {"detect": self.detect, "enforce": self.enforce, "signal": self.signal[:200]}


NOTHING = Verdict(False, False)


def stopped(why: str) -> Verdict:
    """It was refused, withheld or changed."""
    return Verdict(True, True, why)


def said(what: str) -> Verdict:
    """It went on, and somebody was told."""
    return Verdict(True, False, what)
