"""What every kind of fact is: a pure function from an argument to something Cedar can hold, or a refusal to guess."""

from collections.abc import Sequence
from typing import Protocol

from doorward.policy.shapes import Shape

CHARACTERS = 65_536
"""Of one text that a fact is derived from."""
ELEMENTS = 1_000
"""Of one list that a fact is derived from."""


class UnderivedError(ValueError):
    """An argument that is there and of which a fact cannot be derived: why, without the value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Kind(Protocol):
    """One way to derive, with its options. Pure; raises `UnderivedError` and nothing else."""

    @property
    def word(self) -> str:
        """How a configuration calls it."""
        ...

    @property
    def takes(self) -> tuple[type, ...]:
        """The shapes of arguments that it can be derived of."""
        ...

    @property
    def shape(self) -> Shape:
        """Of the fact of one value."""
        ...

    @property
    def shape_of_many(self) -> Shape:
        """Of the fact of all elements of a list."""
        ...

    @property
    def options(self) -> tuple[object, ...]:
        """Everything besides the kind that the fact depends on, as JSON values: part of a policy set's digest."""
        ...

    def one(self, value: object) -> object:
        """The fact of one value."""
        ...

    def many(self, values: Sequence[object]) -> object:
        """The fact of a list."""
        ...


def text(value: object, most: int = CHARACTERS) -> str:
    """An argument as text within bounds, without half characters."""
    if not isinstance(value, str):
        raise UnderivedError("it is no text")
    if len(value) > most:
        raise UnderivedError(f"it has more than {most} characters")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise UnderivedError("it is text that is not Unicode")
    return value


def distinct(values: Sequence[object]) -> list[object]:
    """A set as Cedar takes it: each value once, in an order of their own."""
    return sorted(set(values), key=lambda value: (str(type(value)), value))
