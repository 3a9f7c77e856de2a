"""From a JSON value to Cedar's JSON, along a shape and only as far as somebody reads it.

Exact or not at all (RULINGS 4): what Cedar cannot hold as it is, is left out and named as `Unheld`, and whoever reads it
must deny. INVARIANT: only declared names get through, so a caller cannot smuggle in Cedar's escapes (`__entity`, `__extn`).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv6Address, ip_address
from typing import assert_never

import msgspec

from doorward.policy.reads import WHOLE, Tree
from doorward.policy.shapes import Address, Exact, Field, Fields, Instant, Many, Shape, Text, Truth, Whole, word

_LONG = 2**63
_PLACES = 4
"""Places after the point of a Cedar decimal, which is a 64-bit count of ten-thousandths."""
_SCALE = 10**_PLACES
_DIGITS = 19
"""No 64-bit number has more; checked first, so that 1e999999 is never written out."""
_LENGTH = 64
"""Digits that a number may be written with, so that a million zeros cost nothing."""
ELEMENTS = 10_000
"""Of one list: Cedar makes a set of it, and so many take as long to decide on as a hundred usual calls."""
_ABSENT = object()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unheld(msgspec.Struct, frozen=True):
    """A place of the context that is read and that Cedar cannot hold, with the reason; the value itself is not told."""

    path: tuple[str, ...]
    reason: str


class _UnheldError(Exception):
    """The way out of a projection. Each level that it passes adds its name to `path`, so that the way in costs nothing."""

    def __init__(self, reason: str, *path: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = list(path)


def project(value: object, shape: Shape, read: Tree) -> object | Unheld:
    """The part of `value` that `read` names, as Cedar's JSON; or the first place of it that cannot be held."""
    try:
        return _project(value, shape, read)
    except _UnheldError as error:
        return Unheld(tuple(reversed(error.path)), error.reason)


def project_record(value: Mapping[str, object], shape: Fields, read: Tree) -> dict[str, object] | Unheld:
    """The same of a record."""
    try:
        return _record(value, shape, read)
    except _UnheldError as error:
        return Unheld(tuple(reversed(error.path)), error.reason)


def _project(value: object, shape: Shape, read: Tree) -> object:
    match shape:
        case Text():
            if isinstance(value, str):
                return value
        case Fields():
            if isinstance(value, dict | Mapping):
                return _record(value, shape, read)
        case Many(element=element):
            if isinstance(value, list | tuple):
                return _elements(value, element)
        case Truth():
            if isinstance(value, bool):
                return value
        case _:
            return _converted(value, shape)
    raise _UnheldError(f"it is not {word(shape)}")


def _converted(value: object, shape: Whole | Exact | Address | Instant) -> object:
    held: object
    match shape:
        case Whole():
            held = whole(value)
        case Exact():
            held = _extension("decimal", exact(value))
        case Address():
            held = _extension("ip", address(value))
        case Instant():
            held = _extension("datetime", instant(value))
        case _:
            assert_never(shape)
    if held is None:
        raise _UnheldError(f"it is not {word(shape)} that policy can hold exactly")
    return held


def _extension(function: str, argument: str | None) -> object | None:
    return None if argument is None else {"__extn": {"fn": function, "arg": argument}}


def _elements(value: Sequence[object], element: Shape) -> list[object]:
    if len(value) > ELEMENTS:
        raise _UnheldError(f"it has more than {ELEMENTS} elements")
    try:
        return [_project(inner, element, WHOLE) for inner in value]
    except _UnheldError as error:
        error.path.append("*")
        raise


def _record(value: Mapping[str, object], shape: Fields, read: Tree) -> dict[str, object]:
    parts = dict.fromkeys((*shape.fields, *value), WHOLE) if read.is_whole else read.parts
    held: dict[str, object] = {}
    for name, tree in parts.items():
        field, inner = shape.fields.get(name), value.get(name, _ABSENT)
        if field is None or inner is _ABSENT or (inner is None and field.nullable):
            _leave_out(name, field, shape.gaps.get(name, "it is not declared") if inner is not _ABSENT else None)
        elif type(inner) is str and type(field.shape) is Text:
            held[name] = inner  # as most of what is read
        else:
            held[name] = _attribute(name, inner, field.shape, tree)
    return held


def _attribute(name: str, value: object, shape: Shape, read: Tree) -> object:
    try:
        return _project(value, shape, read)
    except _UnheldError as error:
        error.path.append(name)
        raise


def _leave_out(name: str, field: Field | None, gap: str | None) -> None:
    """Fails where an attribute that is not held must be there, or is there and not declared (`gap` says why)."""
    reason = gap if field is None else "it is required and not there" if field.required else None
    if reason is not None:
        raise _UnheldError(reason, name)


def whole(value: object) -> int | None:
    """A JSON number as a 64-bit whole number, or None if it is none."""
    if isinstance(value, Decimal | float):
        parts = _ten_thousandths(value)
        value = None if parts is None or parts % _SCALE else parts // _SCALE
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if -_LONG <= value < _LONG else None


def exact(value: object) -> str | None:
    """A JSON number as the text of a Cedar decimal, or None if more than four places or 64 bits are needed."""
    if isinstance(value, Decimal | float):
        parts = _ten_thousandths(value)
    else:
        number = whole(value)
        parts = None if number is None else number * _SCALE
    if parts is None or not -_LONG <= parts < _LONG:
        return None
    sign, parts = ("-", -parts) if parts < 0 else ("", parts)
    return f"{sign}{parts // _SCALE}.{parts % _SCALE:04d}"


def _ten_thousandths(value: Decimal | float) -> int | None:
    """A number counted in ten-thousandths, if that is exact; a float stands for the text it is sent as."""
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number:
        return 0
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or abs(number.adjusted()) > _DIGITS or len(digits) > _LENGTH:
        return None
    count = int("".join(map(str, digits)))
    scaled, rest = (count * 10 ** (exponent + _PLACES), 0) if exponent >= -_PLACES else divmod(count, 10 ** -(exponent + _PLACES))
    return None if rest else -scaled if sign else scaled


def address(value: object) -> str | None:
    """An address as Cedar reads it: IPv4 also where it came mapped into IPv6, without a zone; None if it is no address."""
    if not isinstance(value, str):
        return None
    try:
        found = ip_address(value.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found)


def instant(value: object) -> str | None:
    """Unix milliseconds as RFC 3339 in UTC; None outside the years 1 to 9999."""
    if not isinstance(value, int):
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=value)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
