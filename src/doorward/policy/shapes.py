"""Shapes: what Cedar can hold of a value, one type for each attribute."""

from collections.abc import Iterator, Mapping
from typing import assert_never

import msgspec

RESERVED = frozenset({"__entity", "__extn", "__expr"})
"""Keys that mean something else in Cedar's JSON; an argument of such a name is never given to Cedar."""


class Text(msgspec.Struct, frozen=True):
    """A string."""


class Truth(msgspec.Struct, frozen=True):
    """A boolean."""


class Whole(msgspec.Struct, frozen=True):
    """A whole number of 64 bits (Cedar's `Long`)."""


class Exact(msgspec.Struct, frozen=True):
    """A number with at most four places after the point (Cedar's `decimal`)."""


class Address(msgspec.Struct, frozen=True):
    """An IPv4 or IPv6 address (Cedar's `ipaddr`); no argument has this shape, the network has."""


class Instant(msgspec.Struct, frozen=True):
    """A moment (Cedar's `datetime`), given as Unix milliseconds; no argument has this shape, the time of the call has."""


class Many(msgspec.Struct, frozen=True):
    """A list, held as a set: order and repetition are lost."""

    element: "Shape"


class Field(msgspec.Struct, frozen=True):
    """One attribute of a record. Where `null` is allowed it counts as absent, so that such a field is never required."""

    shape: "Shape"
    required: bool = False
    nullable: bool = False


class Fields(msgspec.Struct, frozen=True):
    """A record. `gaps` are the declared attributes that Cedar cannot hold, each with the reason."""

    fields: Mapping[str, Field]
    gaps: Mapping[str, str]


Shape = Text | Truth | Whole | Exact | Address | Instant | Many | Fields

EMPTY = Fields({}, {})


class Gap(msgspec.Struct, frozen=True):
    """Why a place of a schema has no shape."""

    reason: str


def gaps_of(shape: Shape, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every gap of a shape with the path to it; the elements of a list stand as `*`."""
    match shape:
        case Fields(fields=fields, gaps=gaps):
            for name, reason in gaps.items():
                yield (*at, name), reason
            for name, field in fields.items():
                yield from gaps_of(field.shape, (*at, name))
        case Many(element=element):
            yield from gaps_of(element, (*at, "*"))


def cedar_type(shape: Shape) -> dict[str, object]:
    """A shape as a type of Cedar's JSON schema."""
    match shape:
        case Text():
            return {"type": "String"}
        case Truth():
            return {"type": "Boolean"}
        case Whole():
            return {"type": "Long"}
        case Exact():
            return {"type": "Extension", "name": "decimal"}
        case Address():
            return {"type": "Extension", "name": "ipaddr"}
        case Instant():
            return {"type": "Extension", "name": "datetime"}
        case Many(element=element):
            return {"type": "Set", "element": cedar_type(element)}
        case Fields(fields=fields):
            attributes = {name: {**cedar_type(field.shape), "required": field.required} for name, field in fields.items()}
            return {"type": "Record", "attributes": attributes}
        case _:
            assert_never(shape)


def word(shape: Shape) -> str:
    """A shape in the words of an error message."""
    match shape:
        case Text():
            return "a string"
        case Truth():
            return "true or false"
        case Whole():
            return "a whole number"
        case Exact():
            return "a number"
        case Address():
            return "an address"
        case Instant():
            return "a moment"
        case Many():
            return "a list"
        case Fields():
            return "an object"
        case _:
            assert_never(shape)
