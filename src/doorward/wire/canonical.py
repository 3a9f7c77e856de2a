"""The canonical form of a JSON value: sorted keys, no space, shortest numbers; its SHA-256 names the value (RFC 8785).

Numbers are laid out as RFC 8785 lays them out, from their own exact digits: the same bytes as its own wherever a number is the
shortest text of its double, and never the same bytes for two different numbers. Keys are sorted by UTF-16 code units.
"""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from doorward.domain.catalog import Definition, Kind
from doorward.domain.ids import Digest, UpstreamId

_SORTED = msgspec.json.Encoder(order="sorted")
_AS_IT_IS = msgspec.json.Encoder()
_SAFE = 2**53
"""Integers below are printed by the fast encoder; beyond, the digits decide (from 10^21 on, RFC 8785 writes an exponent)."""

_PLAIN = frozenset({str, bool, type(None)})
_SHORT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,5}[1-9]")
"""Numbers whose usual text is the canonical one: without needless zeros, and neither so small nor so large that an exponent is due."""
_HIGH = "\ud800"
"""Below it, the order of characters is that of UTF-16 code units."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value (mappings, lists, tuples, strings, finite numbers, booleans, None).

    Raises `ValueError` for numbers that are not finite and for lone surrogates, `TypeError` for what is not JSON.
    """
    return _SORTED.encode(value) if _is_plain(value) else _AS_IT_IS.encode(_ready(value))


def sha256(raw: bytes) -> Digest:
    """SHA-256 as 64 lower-case hexadecimal characters."""
    return Digest(hashlib.sha256(raw).hexdigest())


def define(upstream: UpstreamId, kind: Kind, name: str, body: Mapping[str, Any]) -> Definition:
    """A definition with its canonical bytes and digest."""
    raw = canonical(body)
    return Definition(upstream, kind, name, body, raw, sha256(raw))


def number(exact: Decimal | int) -> str:
    """The canonical text of a number: its own digits without needless zeros, in the layout of ECMAScript's Number::toString."""
    written = str(exact)
    if _SHORT.fullmatch(written):
        return written
    if isinstance(exact, Decimal) and not exact.is_finite():
        raise ValueError(f"expected a finite number, got {exact}")
    mantissa, _, power = written.removeprefix("-").partition("E")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    stripped = digits.rstrip("0")
    if not stripped:
        return "0"
    exponent = int(power or 0) - len(fraction) + len(digits) - len(stripped)
    return ("-" if written.startswith("-") else "") + _layout(stripped, exponent)


def _ready(value: Any) -> Any:
    """A value such that an encoder prints it canonically as it stands: keys in order, other numbers than small whole ones as their text."""
    kind = type(value)
    if kind in _PLAIN or (kind is int and -_SAFE < value < _SAFE):
        return value
    if kind is Decimal:
        return msgspec.Raw(number(value).encode())
    if kind is list:
        return [_ready(item) for item in value]
    match value:
        case tuple() | list():
            return [_ready(item) for item in value]
        case dict() | Mapping():
            keys = sorted(value) if max("".join(value), default="") < _HIGH else sorted(value, key=_utf16)
            return {key: _ready(value[key]) for key in keys}
        case int() | Decimal() | float():
            return msgspec.Raw(_number(value).encode())
        case _:
            raise TypeError("expected a JSON value")


def _is_plain(value: Any) -> bool:
    """Whether the fast encoder prints a value canonically; no for whatever it might print in another way."""
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict and "".join(item).isascii():
            inner = item.values()
        elif kind is list or kind is tuple:
            inner = item
        elif kind in _PLAIN or (kind is int and -_SAFE < item < _SAFE):
            continue
        else:
            return False
        # In C: most objects and lists hold nothing but text.
        if not _PLAIN.issuperset(map(type, inner)):
            stack.extend(inner)
    return True


def _number(value: int | Decimal | float) -> str:
    return number(Decimal(repr(value)) if isinstance(value, float) else value)


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _layout(digits: str, exponent: int) -> str:
    """Number::toString of a positive number, from its digits and the exponent of the last one."""
    point = len(digits) + exponent
    if exponent >= 0 and point <= 21:
        return digits + "0" * exponent
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    power = point - 1
    return f"{head}e{'+' if power > 0 else '-'}{abs(power)}"
