"""Strict JSON (RFC 8259 within I-JSON, RFC 7493) and JSON-RPC 2.0: what two readers could read differently is refused.

Law: a message is parsed once, decided on as this value, and printed again from it; its bytes are never passed on (RULINGS 18).
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import chain

import jiter
import msgspec

from doorward.domain.calls import Fault
from doorward.domain.clipping import clipped
from doorward.domain.reasons import Reason, Refused
from doorward.domain.record import record

Id = str | int

_ID_CHARACTERS = 256
_METHOD_CHARACTERS = 256
_ID_LEAST, _ID_BOUND = -(2**63), 2**63
"""Integer ids stay within what every reader holds in one machine word."""

_DIGITS = 400
"""Digits of a number: more than a double's range needs, and few enough to print and compare at no cost."""
_LARGEST, _SMALLEST = Decimal("1.7976931348623157E+308"), Decimal("4.9406564584124654E-324")
"""The range of a double: beyond it one reader sees infinity or zero where another sees a number."""
_LARGEST_INTEGER = 2**1024 - 2**971


class Limits(msgspec.Struct, frozen=True):
    """How big a JSON text may be, and what is in it (SECURITY.md, "Limits to ship")."""

    body_bytes: int = 1_048_576
    depth: int = 64
    nodes: int = 100_000
    string_bytes: int = 262_144


@record(frozen=True, slots=True)
class Request:
    """A message that wants an answer."""

    id: Id
    method: str
    params: dict[str, object]


@record(frozen=True, slots=True)
class Notification:
    """A message that wants none."""

    method: str
    params: dict[str, object]


@record(frozen=True, slots=True)
class Response:
    """An answer; `id` is None only where an error could not name its request."""

    id: Id | None
    body: dict[str, object] | Fault


def parse(body: bytes, limits: Limits) -> Request | Notification | Response:
    """One JSON-RPC message; raises `Refused` MALFORMED (not one strict JSON text) or INVALID_REQUEST (not one message)."""
    message = parse_value(body, limits)
    if not isinstance(message, dict):
        raise _invalid("expected one object, a batch or a bare value was there")
    get = message.get
    if get("jsonrpc") != "2.0":
        raise _invalid("expected 2.0 in jsonrpc")
    method = get("method", _NONE)
    if method is _NONE:
        return _response(message)
    if "result" in message or "error" in message:
        raise _invalid("expected a request or a response, both were there")
    if not isinstance(method, str) or not 0 < len(method) <= _METHOD_CHARACTERS:
        raise _invalid(f"expected a string of 1 to {_METHOD_CHARACTERS} characters in method")
    params = get("params", _NONE)
    if not isinstance(params, dict):
        raise _invalid("expected an object in params")
    if params is _NONE:
        params = {}
    request_id = get("id", _NONE)
    return Notification(method, params) if request_id is _NONE else Request(_id(request_id), method, params)


def parse_value(raw: bytes, limits: Limits) -> object:
    """The value of one strict JSON text, fractions as `Decimal`; raises `Refused` MALFORMED, whoever sent it.

    Refused: duplicate keys, NaN and infinities, numbers beyond the range of a double, lone surrogates, a byte order mark, bytes that are not
    UTF-8, and what exceeds the limits.
    """
    size = len(raw)
    if size > limits.nodes or size > limits.body_bytes:
        _check_size(raw, limits)
    try:
        value: object = jiter.from_json(raw, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True, float_mode="decimal")
    except ValueError as error:
        raise _malformed(clipped(str(error), 200)) from None
    if size <= _SHORT_BYTES or not _checked_few(value, limits, min(size // _FEW_BYTES, limits.nodes)):
        shape = raw.translate(_SHAPE)
        # A value takes two bytes at least, with its comma or bracket.
        if shape.count(b"[") > limits.depth or size > 2 * limits.nodes or b"0e" in shape or _LONG_RUN in shape:
            _check_doubtful(shape, value, limits)
    if size > limits.string_bytes:
        _check_strings(value, limits)
    return value


def _checked_few(value: object, limits: Limits, few: int) -> bool:
    """Checks depth and numbers on the values themselves; False, and nothing is checked, where there are more than few.

    That of a long text with few values in it takes a hundredth of what a look at each of its bytes does.
    """
    levels: list[list[object]] = []
    for level in _levels(value):
        few -= len(level)
        if few < 0:
            return False
        levels.append(level)
    if len(levels) > limits.depth + 1:
        raise _too_deep(limits)
    if any(map(_is_extreme, chain.from_iterable(levels))):
        raise _extreme()
    return True


def _check_size(raw: bytes, limits: Limits) -> None:
    """Refuses a text that is too large, or certainly holds too many values, before it is read."""
    if len(raw) > limits.body_bytes:
        raise _malformed(f"expected at most {limits.body_bytes} bytes, {len(raw)} were there", "The message is too large.")
    if len(raw) > limits.nodes and _holds_more(raw, limits.nodes):
        raise _too_many(limits)


def _check_doubtful(shape: bytes, value: object, limits: Limits) -> None:
    """Looks at the values themselves where their text leaves a doubt: too deep or too many, or a number that is extreme."""
    if shape.count(b"[") > limits.depth or len(shape) > 2 * limits.nodes:
        _check_extent(value, limits)
    if b"0e000" in shape or b"0e-000" in shape or _LONG_RUN in shape:
        _check_numbers(value)


def parse_object(raw: bytes, limits: Limits) -> dict[str, object]:
    """The object of one strict JSON text, as `parse_value` reads it; raises `Refused` MALFORMED also for any other value."""
    value = parse_value(raw, limits)
    if not isinstance(value, dict):
        raise _malformed("a JSON object was expected")
    return value


def check_value(value: object, limits: Limits) -> None:
    """Raises `Refused` MALFORMED where a value is deeper, larger or longer than the limits, or a number extreme."""
    _check_extent(value, limits)
    _check_numbers(value)
    _check_strings(value, limits)


def as_dict(value: object) -> object:
    """What the encoder is given for a mapping that is not a `dict`."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError("expected a JSON value")


dump: Callable[[object], bytes] = msgspec.json.Encoder(decimal_format="number", enc_hook=as_dict).encode
"""A value as one line of JSON in UTF-8: keys in their order, decimals as numbers."""

_NONE: dict[str, object] = {}
"""Stands for what is not there."""

# What matters of a text for its bounds, in one pass at the speed of C: digits, exponent marks, signs and opening brackets.
_SHAPE = bytes(
    ord("0")
    if chr(byte).isdigit() and byte < 128
    else {"e": ord("e"), "E": ord("e"), "+": ord("-"), "-": ord("-"), "[": ord("["), "{": ord("[")}.get(chr(byte), ord(" "))
    for byte in range(256)
)
_SHORT_BYTES = 512
"""Of a text whose bytes are looked at in no time."""
_FEW_BYTES = 32
"""One value to so many bytes is few."""
_RUN = 200
"""Digits of one run that, with an exponent of two digits, stay within a double's range."""
_LONG_RUN = b"0" * (_RUN + 1)
_CONTAINERS = frozenset({dict, list})


def _levels(value: object) -> Iterator[list[object]]:
    """The value, then what is in it, then what is in that, and so on; ends with the innermost."""
    level = [value]
    yield level
    while not _CONTAINERS.isdisjoint(map(type, level)):
        # By exact type, and not as a pattern: this loop is most of what a large result costs.
        containers = [item for item in level if type(item) is dict or type(item) is list]
        level = list(chain.from_iterable([item.values() if type(item) is dict else item for item in containers]))
        yield level


def _check_extent(value: object, limits: Limits) -> None:
    nodes = 0
    for depth, level in enumerate(_levels(value)):
        nodes += len(level)
        if nodes > limits.nodes:
            raise _too_many(limits)
        if depth >= limits.depth and not _CONTAINERS.isdisjoint(map(type, level)):
            raise _too_deep(limits)


def _holds_more(raw: bytes, values: int) -> bool:
    """Whether a JSON text certainly holds more values than that; making them all only to count them takes too long.

    It holds as many at least as there are commas, or brackets that open, outside its strings, and half as many as there are strings.
    """
    if raw.count(b",") < values and raw.count(b"[") + raw.count(b"{") <= values and raw.count(b'"') <= 4 * values:
        return False
    unescaped = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    if unescaped.count(b'"') > 4 * values:
        return True
    between = b"".join(unescaped.split(b'"')[::2])
    return between.count(b",") >= values or between.count(b"[") + between.count(b"{") > values


def _too_many(limits: Limits) -> Refused:
    return _malformed(f"expected at most {limits.nodes} values", "The message holds too many values.")


def _check_numbers(value: object) -> None:
    if any(map(_is_extreme, chain.from_iterable(_levels(value)))):
        raise _extreme()


def _too_deep(limits: Limits) -> Refused:
    return _malformed(f"expected at most {limits.depth} levels", "The message is nested too deeply.")


def _extreme() -> Refused:
    detail = f"expected numbers of at most {_DIGITS} digits within the range of a double"
    return _malformed(detail, "The message holds an extreme number.")


def _is_extreme(item: object) -> bool:
    if type(item) is int:
        return abs(item) > _LARGEST_INTEGER
    return type(item) is Decimal and not _is_moderate(item)


def _is_moderate(number: Decimal) -> bool:
    if abs(number.adjusted()) > _DIGITS or len(number.as_tuple().digits) > _DIGITS:
        return False
    return not number or _SMALLEST <= number.copy_abs() <= _LARGEST


def _check_strings(value: object, limits: Limits) -> None:
    longest = limits.string_bytes
    for text in _strings(value):
        if len(text) * 4 > longest and len(text.encode()) > longest:
            raise _malformed(f"expected strings of at most {longest} bytes", "The message holds a string that is too long.")


def _strings(value: object) -> Iterator[str]:
    """Every string in a value, keys included."""
    for level in _levels(value):
        yield from [item for item in level if type(item) is str]
        yield from chain.from_iterable([item for item in level if type(item) is dict])


def _response(message: Mapping[str, object]) -> Response:
    result = message.get("result", _NONE)
    if (result is _NONE) is not ("error" in message):
        raise _invalid("expected one of method, result and error")
    if result is not _NONE:
        if not isinstance(result, dict):
            raise _invalid("expected an object in result")
        return Response(_id(message.get("id")), result)
    answered = message.get("id")
    return Response(None if answered is None else _id(answered), _fault(message["error"]))


def _fault(error: object) -> Fault:
    if isinstance(error, dict):
        code, text = error.get("code"), error.get("message")
        if type(code) is int and _ID_LEAST <= code < _ID_BOUND and isinstance(text, str):
            return Fault(code, text, error.get("data"))
    raise _invalid("expected an object with an integer code and a string message in error")


def _id(value: object) -> Id:
    if type(value) is int and _ID_LEAST <= value < _ID_BOUND:
        return value
    if isinstance(value, str) and len(value) <= _ID_CHARACTERS:
        return value
    raise _invalid(f"expected a string of at most {_ID_CHARACTERS} characters or an integer in id")


def _malformed(detail: str, sentence: str | None = None) -> Refused:
    return Refused(Reason.MALFORMED, detail, sentence=sentence)


def _invalid(detail: str) -> Refused:
    return Refused(Reason.INVALID_REQUEST, detail)
