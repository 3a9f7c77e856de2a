"""Numbers as exact decimals, and lengths as whole numbers; of a list, the least, the most and the sum."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from doorward.policy.facts.kind import UnderivedError
from doorward.policy.project import exact
from doorward.policy.shapes import Exact, Field, Fields, Many, Shape, Text, Whole

_WRITTEN = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)
"""No exponents, no plus, no separators: `1,000` is a thousand to some and one to others."""


def _of_list(shape: Shape) -> Fields:
    """`least` and `most` are absent for an empty list."""
    return Fields({"least": Field(shape), "most": Field(shape), "sum": Field(shape, required=True)}, {})


class Number(msgspec.Struct, frozen=True):
    """An exact decimal, of a number or of text."""

    word: str = "decimal"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text and numbers."""
        return (Text, Whole, Exact)

    @property
    def options(self) -> tuple[object, ...]:
        """None."""
        return ()

    @property
    def shape(self) -> Shape:
        """Cedar's decimal."""
        return Exact()

    @property
    def shape_of_many(self) -> Shape:
        """Least, most and sum."""
        return _of_list(Exact())

    def one(self, value: object) -> Decimal:
        """The number, if Cedar can hold it."""
        number = _number(value)
        if exact(number) is None:
            raise UnderivedError("it has more than four places, or is too large")
        return number

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """Least, most and sum of the numbers."""
        numbers = [self.one(value) for value in values]
        total = self.one(sum(numbers, Decimal(0)))
        return {"least": min(numbers), "most": max(numbers), "sum": total} if numbers else {"sum": total}


def _number(value: object) -> Decimal:
    match value:
        case bool():
            pass
        case Decimal() if value.is_finite():
            return value
        case int() if abs(value) < 2**64:
            return Decimal(value)
        case float():
            return Decimal(repr(value)) if value - value == 0 else Decimal("NaN")
        case str() if _WRITTEN.fullmatch(value):
            return Decimal(value)
    raise UnderivedError("it is no number, or not plainly written")


class Length(msgspec.Struct, frozen=True):
    """How much there is of a text, a list or an object."""

    unit: Literal["characters", "bytes", "items"]
    word: str = "length"

    @property
    def takes(self) -> tuple[type, ...]:
        """Text, or lists and objects."""
        return (Many, Fields) if self.unit == "items" else (Text,)

    @property
    def options(self) -> tuple[object, ...]:
        """What is counted."""
        return (self.unit,)

    @property
    def shape(self) -> Shape:
        """A whole number."""
        return Whole()

    @property
    def shape_of_many(self) -> Shape:
        """Least, most and sum."""
        return _of_list(Whole())

    def one(self, value: object) -> int:
        """The length."""
        match self.unit:
            case "items":
                if not isinstance(value, list | tuple | dict):
                    raise UnderivedError("it is no list and no object")
                return len(value)
            case "characters" | "bytes":
                if not isinstance(value, str):
                    raise UnderivedError("it is no text")
                return len(value) if self.unit == "characters" else _bytes(value)

    def many(self, values: Sequence[object]) -> dict[str, object]:
        """Least, most and sum of the lengths."""
        lengths = [self.one(value) for value in values]
        return {"least": min(lengths), "most": max(lengths), "sum": sum(lengths)} if lengths else {"sum": 0}


def _bytes(value: str) -> int:
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        raise UnderivedError("it is text that is not Unicode") from None
