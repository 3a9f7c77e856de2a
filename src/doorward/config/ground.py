"""What a check stands on: where the document lies and what surrounds it; and what a check finds."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from doorward.config.problems import Step


@dataclass(frozen=True, slots=True)
class Ground:
    """The directory that paths are relative to, and the environment that references read."""

    root: Path
    environment: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Ground({self.root})"


class Weight(StrEnum):
    """Whether a document is refused for it."""

    ERROR = "error"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing a check found, before its place is known."""

    path: tuple[Step, ...]
    message: str
    weight: Weight


def error(message: str, *path: Step) -> Found:
    """A finding for which the document is refused."""
    return Found(path, message, Weight.ERROR)


def note(message: str, *path: Step) -> Found:
    """A finding worth a look."""
    return Found(path, message, Weight.NOTE)
