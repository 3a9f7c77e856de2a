"""What a demonstration writes, and its word for a step that did not do what it should."""

from __future__ import annotations

import textwrap

WIDTH = 110


class UnexpectedError(Exception):
    """A step did something else than it shows."""


def heading(number: int, text: str) -> None:
    """The beginning of a step."""
    print(f"\n{number}. {text}\n", flush=True)


def tell(text: str) -> None:
    """A sentence of the narrator."""
    print(textwrap.fill(text, WIDTH, initial_indent="   ", subsequent_indent="   "), flush=True)


def show(text: str) -> None:
    """What a program or person said; long lines are folded."""
    for line in text.rstrip().splitlines():
        inner = " " * (len(line) - len(line.lstrip()) + 3)
        for piece in textwrap.wrap(line, WIDTH, subsequent_indent=inner, drop_whitespace=False, break_on_hyphens=False) or [""]:
            print(f"     | {piece}".rstrip(), flush=True)


def command(text: str) -> None:
    """A command as it would be typed."""
    print(f"     $ {text}", flush=True)


def expect(holds: object, text: str) -> None:
    """Says that a claim holds; raises UnexpectedError where it does not."""
    if not holds:
        raise UnexpectedError(f"expected otherwise: {text}")
    print(f"     ok  {text}", flush=True)
