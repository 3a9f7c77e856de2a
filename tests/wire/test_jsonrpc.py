"""Strict JSON and JSON-RPC: accepted and read in one way, or refused."""

import json
from collections.abc import Callable
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from doorward.domain.calls import Fault
from doorward.domain.reasons import Reason, Refused
from doorward.wire.jsonrpc import Limits, Notification, Request, Response, check_value, dump, parse, parse_value

LIMITS = Limits()
SMALL = Limits(body_bytes=2000, depth=4, nodes=20, string_bytes=10)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | DECIMALS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def refused(act: Callable[[], object]) -> Reason:
    """The reason for which something is refused."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"jsonrpc":"2.0","id":7,"method":"ping"}', Request(7, "ping", {})),
        (b' {"id":"a","method":"x","params":{"b":[1.50]},"jsonrpc":"2.0"}\n', Request("a", "x", {"b": [Decimal("1.50")]})),
        (b'{"jsonrpc":"2.0","id":"","method":"x","vendor":true}', Request("", "x", {})),
        (b'{"jsonrpc":"2.0","id":-9223372036854775808,"method":"x"}', Request(-(2**63), "x", {})),
        (b'{"jsonrpc":"2.0","method":"notifications/initialized"}', Notification("notifications/initialized", {})),
        (b'{"jsonrpc":"2.0","id":1,"result":{"a":null}}', Response(1, {"a": None})),
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}', Response(1, Fault(-32601, "no", None))),
        (b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"","data":[0]}}', Response(None, Fault(1, "", [0]))),
        (b'{"jsonrpc":"2.0","error":{"code":1,"message":"","data":[0]}}', Response(None, Fault(1, "", [0]))),
    ],
)
def test_a_message_is_read_for_what_it_is(body: bytes, message: Request | Notification | Response) -> None:
    assert parse(body, LIMITS) == message


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]',
        b"null",
        b'{"id":1,"method":"ping"}',
        b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
        b'{"jsonrpc":2.0,"id":1,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":null,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":true,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1.0,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1e2,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":9223372036854775808,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":{},"method":"ping"}',
        b'{"jsonrpc":"2.0","id":"' + b"x" * 257 + b'","method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":""}',
        b'{"jsonrpc":"2.0","id":1,"method":null}',
        b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 257 + b'"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","error":null}',
        b'{"jsonrpc":"2.0","id":1}',
        b'{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}',
        b'{"jsonrpc":"2.0","id":1,"result":[]}',
        b'{"jsonrpc":"2.0","id":1,"result":null}',
        b'{"jsonrpc":"2.0","result":{}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":1.0,"message":""}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":true,"message":""}}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}',
        b'{"jsonrpc":"2.0","id":1,"error":"no"}',
    ],
)
def test_what_is_not_exactly_one_message_is_refused(body: bytes) -> None:
    assert refused(lambda: parse(body, LIMITS)) is Reason.INVALID_REQUEST


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{}{}",
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'[{"b":{"a":1,"c":2,"a":1}}]',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud83d":1}',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\xc0\x80"',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'"a\x00"',
        b'"a\nb"',
        b'"\\x41"',
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"0x1",
        b"[1,]",
        b'{"a":1,}',
        b"{'a':1}",
        b"[1]//",
        b"\xa0[]",
        b"[" * 300 + b"]" * 300,
        b"1" * 5000,
    ],
)
def test_what_two_readers_could_read_differently_is_malformed(text: bytes) -> None:
    assert refused(lambda: parse_value(text, LIMITS)) is Reason.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        "1e999999999",
        "-1E+309",
        "1.8e308",
        "0.00001e-330",
        "1e-325",
        "0e999999999",
        "0.0e-999999999",
        "1e" + "0" * 40 + "400",
        "1" + "0" * 250 + "e99",
        "1" + "0" * 309,
        "-" + "9" * 400,
        "1." + "1" * 500,
        "0." + "0" * 350 + "1",
        "1e1000000000000000000000",
    ],
)
def test_a_number_that_some_readers_make_infinite_zero_or_endless_is_malformed(text: str) -> None:
    for raw in (text, f"[{text}]", f'{{"a":[true,{text} ]}}'):
        assert refused(lambda raw=raw: parse_value(raw.encode(), LIMITS)) is Reason.MALFORMED  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    ["1.7976931348623157e308", "-5e-324", "1e308", "0e99", "1" + "0" * 308, "1." + "1" * 390, '"1e999999999"', '"' + "1" * 999 + '"'],
)
def test_a_number_within_a_doubles_range_and_a_text_that_looks_like_one_pass(text: str) -> None:
    assert parse_value(text.encode(), LIMITS) == (json.loads(text) if '"' in text else Decimal(text))


@given(VALUES)
def test_what_is_printed_is_read_back_as_the_same_value(value: Any) -> None:
    read = parse_value(dump(value), LIMITS)
    assert read == value
    assert dump(read) == dump(parse_value(dump(read), LIMITS))


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_printing_keeps_the_order_of_keys(value: dict[str, Any]) -> None:
    read = parse_value(dump(value), LIMITS)
    assert isinstance(read, dict)
    assert list(read) == list(value)


@given(VALUES)
def test_other_readers_read_the_same(value: Any) -> None:
    read = json.loads(dump(value), parse_float=Decimal)
    assert read == value


@pytest.mark.parametrize("text", ["1.50", "-0.0", "1E+2", "12345678901234567890.12345678901234567890", "0.1"])
def test_the_text_of_a_fraction_survives(text: str) -> None:
    assert dump(parse_value(text.encode(), LIMITS)) == text.encode()


def test_a_mapping_that_is_no_dict_is_printed_as_one() -> None:
    assert dump({"a": MappingProxyType({"b": (1, "é")})}) == '{"a":{"b":[1,"é"]}}'.encode()


@pytest.mark.parametrize(
    "text",
    [
        b'"' + b"x" * 11 + b'"',
        '"éééééé"'.encode(),
        b'{"' + b"x" * 11 + b'":1}',
        b"[[[[[]]]]]",
        b'{"a":{"b":{"c":{"d":{}}}}}',
        b"[" + b"0," * 19 + b"0]",
        b'{"a":[' + b"[]," * 18 + b"1]}",
        b" " * 2001,
    ],
)
def test_what_exceeds_a_limit_is_malformed(text: bytes) -> None:
    assert refused(lambda: parse_value(text, SMALL)) is Reason.MALFORMED


@pytest.mark.parametrize(
    "text", [b'"' + b"x" * 10 + b'"', b"[[[[0]]]]", b'"[[[[[[["', b"[" + b"0," * 18 + b"0]", b" " * 1998 + b"{}", b'[{},{},{},[],"{"]']
)
def test_what_just_keeps_the_limits_passes(text: bytes) -> None:
    assert parse_value(text, SMALL) == json.loads(text)


@given(VALUES)
def test_the_quick_test_of_the_text_and_the_thorough_one_of_the_value_agree(value: Any) -> None:
    raw = dump(value)
    expected = Reason.MALFORMED if _exceeds(value, SMALL) else None
    assert outcome(lambda: check_value(value, SMALL)) is expected
    assert outcome(lambda: parse_value(raw, replace(SMALL, body_bytes=len(raw)))) is expected


@given(VALUES)
def test_a_long_text_of_few_values_is_held_to_the_same_limits(value: Any) -> None:
    """There the values are looked at, and not the bytes."""
    long = [value, "z" * 4000]
    limits = replace(SMALL, body_bytes=10_000, string_bytes=5000)
    assert outcome(lambda: parse_value(dump(long), limits)) is (Reason.MALFORMED if _exceeds(long, limits) else None)


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1e-400", b"9" * 401, b"0." + b"1" * 401, b"1" + b"0" * 320])
def test_an_extreme_number_is_found_beside_a_long_string(number: bytes) -> None:
    assert refused(lambda: parse_value(b'["' + b"z" * 4000 + b'",' + number + b"]", LIMITS)) is Reason.MALFORMED


def outcome(act: Callable[[], object]) -> Reason | None:
    """The reason for which something is refused, if it is."""
    try:
        act()
    except Refused as caught:
        return caught.reason
    return None


def _exceeds(value: Any, limits: Limits) -> bool:
    return _depth(value) > limits.depth or _nodes(value) > limits.nodes or _longest(value) > limits.string_bytes


def _inner(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, _inner(value)), default=0) if isinstance(value, dict | list) else 0


def _nodes(value: Any) -> int:
    return 1 + sum(map(_nodes, _inner(value)))


def _longest(value: Any) -> int:
    own = [len(text.encode()) for text in ([value] if isinstance(value, str) else value if isinstance(value, dict) else [])]
    return max([*own, *map(_longest, _inner(value))], default=0)
