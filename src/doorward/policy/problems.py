"""What is wrong with a policy file, for the person who wrote it."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum

import msgspec

from doorward.domain.ids import PolicyId


class Weight(StrEnum):
    """Whether a problem stops the load, or is only told."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """One finding of the load, at a place of a file. Lines and columns count from 1; a problem of no file has neither."""

    path: str
    line: int
    column: int
    policy: PolicyId | None
    message: str
    weight: Weight = Weight.ERROR

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}:{self.column}: " if self.path else ""
        named = f"policy {self.policy}: " if self.policy else ""
        return f"{where}{self.weight}: {named}{self.message}"


class Problems(msgspec.Struct, frozen=True):
    """Everything that is wrong, at once; at least one of `items` is an error."""

    items: tuple[Problem, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Each as a line for people."""
        return tuple(str(problem) for problem in self.items)


def meant(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` where a known word is close, or nothing."""
    close = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {cut(close[0])}?" if close else ""


def cut(text: str, most: int = 80) -> str:
    """Text from outside, quoted, on one line and not longer than `most` characters."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    return f"`{''.join(character if character.isprintable() else '�' for character in short)}`"
