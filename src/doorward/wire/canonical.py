"""The canonical form of a JSON value: sorted keys, no space, shortest numbers; its SHA-256 names the value (RFC 8785).

Numbers that a double holds exactly are printed as RFC 8785 prints them; all others keep their own digits, so that two different
numbers never share a digest. Keys are sorted by UTF-16 code units.
"""

import hashlib
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any

import msgspec

from doorward.domain.catalog import Definition, Kind
from doorward.domain.ids import Digest, UpstreamId

_SORTED = msgspec.json.Encoder(order="sorted", decimal_format="number")
_SAFE = 2**53


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value (dicts, lists, strings, ints, Decimals, booleans, None)."""
    plain = _plain(value)
    if plain is _ODD:
        return _slow(value).encode("utf-8")
    return _SORTED.encode(plain)


def sha256(raw: bytes) -> Digest:
    """SHA-256 as 64 lower-case hexadecimal characters."""
    return Digest(hashlib.sha256(raw).hexdigest())


def define(upstream: UpstreamId, kind: Kind, name: str, body: Mapping[str, Any]) -> Definition:
    """A definition with its canonical bytes and digest."""
    raw = canonical(body)
    return Definition(upstream, kind, name, body, raw, sha256(raw))


_ODD = object()
"""Says that a value holds something that the fast encoder would print in another way."""


def _plain(value: Any) -> Any:
    """The value itself if the fast encoder prints it canonically, else `_ODD`."""
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is dict:
            for key in item:
                if not key.isascii():
                    return _ODD
            stack.extend(item.values())
        elif kind is list or kind is tuple:
            stack.extend(item)
        elif kind is Decimal or kind is float or (kind is int and not -_SAFE < item < _SAFE):
            return _ODD
    return value


def _slow(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_slow(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_slow(item) for item in value) + "]"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float | Decimal):
        return number(Decimal(value) if not isinstance(value, float) else Decimal(repr(value)))
    raise TypeError(f"expected a JSON value, got {type(value).__name__}")


def _text(value: Any) -> str:
    return _SORTED.encode(value).decode("utf-8")


def number(exact: Decimal) -> str:
    """The text of a number: ECMAScript's where its double is exactly or shortest this number, else its own digits without needless zeros."""
    if exact == 0:
        return "0"
    double = float(exact) if abs(exact.adjusted()) < 308 else 0.0
    if double and Decimal(repr(double)) == exact:
        return _ecmascript(repr(double))
    sign, digits, exponent = exact.normalize(_context(exact)).as_tuple()
    assert isinstance(exponent, int)
    return _layout(sign, "".join(map(str, digits)), exponent)


def _ecmascript(text: str) -> str:
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits))
    stripped = shown.rstrip("0") or "0"
    return _layout(sign, stripped, exponent + len(shown) - len(stripped))


def _layout(sign: int, digits: str, exponent: int) -> str:
    """Number::toString of ECMAScript, from digits and the exponent of the last one."""
    point = len(digits) + exponent
    minus = "-" if sign else ""
    if exponent >= 0 and point <= 21:
        return minus + digits + "0" * exponent
    if 0 < point <= 21:
        return minus + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return minus + "0." + "0" * -point + digits
    head = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    power = point - 1
    return f"{minus}{head}e{'+' if power > 0 else '-'}{abs(power)}"


def _context(exact: Decimal) -> Context:
    return Context(prec=max(1, len(exact.as_tuple().digits)))
