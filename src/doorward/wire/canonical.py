"""The canonical form of a JSON value: sorted keys, no space, shortest numbers; its SHA-256 names the value (RFC 8785).

Numbers are laid out as RFC 8785 lays them out, from their own exact digits: the same bytes as its own wherever a number is the
shortest text of its double, and never the same bytes for two different numbers. Keys are sorted by UTF-16 code units.
"""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from doorward.domain.catalog import Definition, Kind
from doorward.domain.ids import Digest, UpstreamId

_SORTED = msgspec.json.Encoder(order="sorted")
_SAFE = 2**53
"""Integers below are printed by the fast encoder; beyond, the digits decide (from 10^21 on, RFC 8785 writes an exponent)."""

_PLAIN = frozenset({str, bool, type(None)})


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value (mappings, lists, tuples, strings, finite numbers, booleans, None).

    Raises `ValueError` for numbers that are not finite and for lone surrogates, `TypeError` for what is not JSON.
    """
    return _SORTED.encode(value) if _is_plain(value) else _slow(value).encode("utf-8")


def sha256(raw: bytes) -> Digest:
    """SHA-256 as 64 lower-case hexadecimal characters."""
    return Digest(hashlib.sha256(raw).hexdigest())


def define(upstream: UpstreamId, kind: Kind, name: str, body: Mapping[str, Any]) -> Definition:
    """A definition with its canonical bytes and digest."""
    raw = canonical(body)
    return Definition(upstream, kind, name, body, raw, sha256(raw))


def number(exact: Decimal) -> str:
    """The canonical text of a number: its own digits without needless zeros, in the layout of ECMAScript's Number::toString."""
    sign, digits, exponent = exact.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"expected a finite number, got {exact}")
    shown = "".join(map(str, digits)).lstrip("0")
    stripped = shown.rstrip("0")
    if not stripped:
        return "0"
    return ("-" if sign else "") + _layout(stripped, exponent + len(shown) - len(stripped))


def _is_plain(value: Any) -> bool:
    """Whether the fast encoder prints a value canonically; no for whatever it might print in another way."""
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict and "".join(item).isascii():
            stack.extend(item.values())
        elif kind is list or kind is tuple:
            stack.extend(item)
        elif kind not in _PLAIN and not (kind is int and -_SAFE < item < _SAFE):
            return False
    return True


def _slow(value: Any) -> str:
    match value:
        case Mapping():
            keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
            return "{" + ",".join(f"{_text(key)}:{_slow(value[key])}" for key in keys) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_slow, value)) + "]"
        case None | bool() | str():
            return _text(value)
        case int() | Decimal():
            return number(Decimal(value))
        case float():
            return number(Decimal(repr(value)))
        case _:
            raise TypeError("expected a JSON value")


def _text(value: str | bool | None) -> str:
    return _SORTED.encode(value).decode("utf-8")


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
