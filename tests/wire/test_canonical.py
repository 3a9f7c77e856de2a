"""One canonical form for one JSON value (RFC 8785)."""

import json
import struct
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.catalog import Definition, Kind
from doorward.domain.ids import UpstreamId
from doorward.wire.canonical import canonical, define, number, sha256
from doorward.wire.jsonrpc import Limits, dump, parse_value

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=None).filter(lambda number: abs(number.adjusted()) < 300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | DECIMALS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

# RFC 8785, appendix B: the bits of a double, and its text.
DOUBLES = """
0000000000000000 0
8000000000000000 0
0000000000000001 5e-324
8000000000000001 -5e-324
7fefffffffffffff 1.7976931348623157e+308
ffefffffffffffff -1.7976931348623157e+308
4340000000000000 9007199254740992
c340000000000000 -9007199254740992
4430000000000000 295147905179352830000
44b52d02c7e14af5 9.999999999999997e+22
44b52d02c7e14af6 1e+23
44b52d02c7e14af7 1.0000000000000001e+23
444b1ae4d6e2ef4e 999999999999999700000
444b1ae4d6e2ef4f 999999999999999900000
444b1ae4d6e2ef50 1e+21
3eb0c6f7a0b5ed8c 9.999999999999997e-7
3eb0c6f7a0b5ed8d 0.000001
41b3de4355555553 333333333.3333332
41b3de4355555554 333333333.33333325
41b3de4355555555 333333333.3333333
41b3de4355555556 333333333.3333334
41b3de4355555557 333333333.33333343
becbf647612f3696 -0.0000033333333333333333
43143ff3c1cb0959 1424953923781206.2
""".split()


@pytest.mark.parametrize(("bits", "text"), list(zip(DOUBLES[::2], DOUBLES[1::2], strict=True)))
def test_doubles_are_printed_as_appendix_b_of_rfc_8785_says(bits: str, text: str) -> None:
    (double,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(double).decode() == text
    assert canonical(parse_value(text.encode(), Limits())).decode() == text


@pytest.mark.parametrize(
    "texts",
    [
        ["1", "1.0", "1.000", "10e-1", "0.1e1", "1E0"],
        ["100", "1e2", "1E+2", "100.00"],
        ["0", "-0", "0.0", "-0.0", "0e7", "-0e0"],
        ["1000000000000000000000", "1e21", "10e20"],
        ["1e300", "10e299", "1" + "0" * 290 + "e10"],
        ["0.1000000000000000055511151231257827", "1.000000000000000055511151231257827e-1"],
    ],
)
def test_one_number_has_one_text_however_it_was_written(texts: list[str]) -> None:
    assert len({canonical(parse_value(text.encode(), Limits())) for text in texts}) == 1


def test_numbers_beyond_a_double_keep_their_digits() -> None:
    texts = ["9007199254740993", "0.1000000000000000055511151231257827", "123456789012345678901"]
    assert [canonical(parse_value(text.encode(), Limits())).decode() for text in texts] == texts
    assert [number(Decimal(text)) for text in ("1e400", "-15e-401")] == ["1e+400", "-1.5e-400"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_back_from_its_text(double: float) -> None:
    assert float(canonical(double)) == double


@given(DECIMALS, DECIMALS)
def test_two_numbers_share_a_text_only_if_they_are_one_number(one: Decimal, other: Decimal) -> None:
    assert (number(one) == number(other)) == (one == other)
    assert Decimal(number(one)) == one


@given(VALUES)
def test_the_form_survives_printing_and_parsing(value: Any) -> None:
    assert canonical(parse_value(dump(value), Limits())) == canonical(value)


@given(VALUES)
def test_the_form_is_its_own_form(value: Any) -> None:
    assert canonical(parse_value(canonical(value), Limits())) == canonical(value)


@given(VALUES, st.randoms(use_true_random=False))
def test_order_space_and_escapes_change_nothing(value: Any, random: Any) -> None:
    def shuffled(item: Any) -> Any:
        match item:
            case dict():
                pairs = list(item.items())
                random.shuffle(pairs)
                return {key: shuffled(inner) for key, inner in pairs}
            case list():
                return [shuffled(inner) for inner in item]
            case Decimal():
                return 0
            case _:
                return item

    plain = shuffled(value)
    other = json.dumps(shuffled(plain), indent=2, ensure_ascii=True).encode()
    assert canonical(parse_value(other, Limits())) == canonical(plain)


@given(VALUES)
def test_the_quick_and_the_thorough_way_print_the_same(value: Any) -> None:
    assert canonical(value) == canonical([MappingProxyType({"v": value})])[len('[{"v":') : -len("}]")]


def test_keys_are_sorted_by_utf_16_units_and_text_is_escaped_as_rfc_8785_says() -> None:
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f602": 5, "\x80": 6, "\xf6": 7, "": '\x00\x1f\x7f"\\/\b\f\n\r\t\u2028'}
    assert canonical(value).decode() == (
        '{"":"\\u0000\\u001f\x7f\\"\\\\/\\b\\f\\n\\r\\t\u2028","\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f602":5,"\ufb33":3}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), "\ud800", {"\udc00": 1}])
def test_what_json_cannot_say_has_no_form(value: object) -> None:
    with pytest.raises(ValueError):
        canonical({"value": [value]})


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object()])
def test_what_is_no_json_value_has_no_form(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"value": [value]})


def test_a_definition_carries_its_canonical_bytes_and_their_digest() -> None:
    body = {"name": "echo", "inputSchema": {"type": "object"}, "annotations": None}
    raw = b'{"annotations":null,"inputSchema":{"type":"object"},"name":"echo"}'
    assert define(UpstreamId("up"), Kind.TOOL, "echo", body) == Definition(UpstreamId("up"), Kind.TOOL, "echo", body, raw, sha256(raw))
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
