"""What is wrong with a document: each problem with its place, and a guess at what was meant."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from doorward.domain.errors import DoorwardError

Step = str | int
"""One step of a path into the document: a field's name or the index of an item."""

SHOWN = 60
"""Characters of outside text that a message quotes."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file; both counts begin at 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or worth a look: the field (`upstreams.git.trust`), its place, and the sentence."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        field = f"{self.path}: " if self.path else ""
        return f"{self.line}:{self.column}: {field}{self.message}"


class ConfigError(DoorwardError):
    """A document that cannot be used; `problems` are all that were found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column, problem.path)))
        self.source = source
        super().__init__("; ".join(self.lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a problem, as compilers write them: `doorward.yaml:12:5: upstreams.git.trust: …`."""
        return tuple(f"{self.source}:{problem}" if self.source else str(problem) for problem in self.problems)


def dotted(path: Sequence[Step]) -> str:
    """A path as a person writes it: `upstreams.git.tools["a.b"].groups[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif 0 < len(step) <= SHOWN and all(letter.isalnum() or letter in "_-" for letter in step):
            text += f".{step}" if text else step
        else:
            text += f"[{quoted(step)}]"
    return text


def quoted(text: str) -> str:
    """Outside text for a message: on one line, cut, with what cannot be seen written as escapes."""
    cut = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    shown = "".join(letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}" for letter in cut)
    return f'"{shown}"'


def listed(names: Iterable[str], joint: str = "or") -> str:
    """`"a", "b" or "c"`."""
    every = [quoted(name) for name in names]
    return f" {joint} ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def meant(given: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` when one of the known names is near, else nothing."""
    names = {_plain(name): name for name in known}
    near = difflib.get_close_matches(_plain(given[:SHOWN]), names, n=1, cutoff=0.6)
    return f"; did you mean {quoted(names[near[0]])}?" if near else ""


def _plain(name: str) -> str:
    """Spelling habits aside: `callsPerMinute` and `calls-per-minute` are near to `calls_per_minute`."""
    return "".join(letter.lower() for letter in name if letter.isalnum())
