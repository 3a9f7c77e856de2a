"""From JSON values to Cedar's: exact or not at all, and only what is declared and read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.project import Unheld, address, exact, instant, project, whole
from doorward.policy.reads import NOTHING, WHOLE, Tree
from doorward.policy.shapes import Address, Exact, Field, Fields, Instant, Many, Text, Truth, Whole

RECORD = Fields(
    {
        "a": Field(Text(), required=True),
        "b": Field(Whole(), nullable=True),
        "c": Field(Fields({"d": Field(Truth()), "e": Field(Text(), required=True)}, {"f": "it may be anything"})),
    },
    {"g": "it may be a string or a list"},
)


def parts(**trees: Tree) -> Tree:
    return Tree(False, trees)


def test_only_what_is_read_is_converted() -> None:
    value = {"a": "x", "b": 2**80, "c": {"d": True, "f": 1}, "g": [1], "h": 0}
    assert project(value, RECORD, parts(a=WHOLE, c=parts(d=WHOLE))) == {"a": "x", "c": {"d": True}}
    assert project(value, RECORD, NOTHING) == {}


def test_a_record_that_is_only_looked_for_is_there_and_empty() -> None:
    assert project({"c": {"f": 1, "z": 2}}, RECORD, parts(c=NOTHING)) == {"c": {}}
    assert project({}, RECORD, parts(c=NOTHING)) == {}


def test_a_record_that_is_read_whole_must_be_held_whole() -> None:
    held = {"a": "x", "c": {"d": False, "e": "y"}}
    assert project(held, RECORD, WHOLE) == held
    assert project({**held, "z": 1}, RECORD, WHOLE) == Unheld(("z",), "it is not declared")
    assert project({**held, "g": 1}, RECORD, WHOLE) == Unheld(("g",), "it may be a string or a list")
    assert project({"a": "x", "c": {"e": "y", "f": 0}}, RECORD, WHOLE) == Unheld(("c", "f"), "it may be anything")
    assert project({"a": "x", "c": {}}, RECORD, WHOLE) == Unheld(("c", "e"), "it is required and not there")


@pytest.mark.parametrize(
    ("value", "shape", "reason"),
    [
        (1, Text(), "it is not a string"),
        ("true", Truth(), "it is not true or false"),
        ("1", Whole(), "it is not a whole number that policy can hold exactly"),
        ({}, Many(Text()), "it is not a list"),
        ([], RECORD, "it is not an object"),
        (1, Address(), "it is not an address that policy can hold exactly"),
        (10**30, Instant(), "it is not a moment that policy can hold exactly"),
        (None, Exact(), "it is not a number that policy can hold exactly"),
    ],
)
def test_a_value_of_another_type_is_not_held(value: object, shape: Text, reason: str) -> None:
    assert project(value, shape, WHOLE) == Unheld((), reason)


def test_null_is_absent_where_it_is_allowed() -> None:
    assert project({"a": "x", "b": None}, RECORD, parts(a=WHOLE, b=WHOLE)) == {"a": "x"}
    assert project({"a": None}, RECORD, parts(a=WHOLE)) == Unheld(("a",), "it is not a string")


def test_one_bad_element_spoils_a_list() -> None:
    assert project(["a", "b"], Many(Text()), WHOLE) == ["a", "b"]
    assert project(["a", None], Many(Text()), WHOLE) == Unheld(("*",), "it is not a string")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0000"),
        (-7, "-7.0000"),
        (Decimal("1.5"), "1.5000"),
        (Decimal("-0.0001"), "-0.0001"),
        (Decimal("1.500000"), "1.5000"),
        (Decimal("12e2"), "1200.0000"),
        (Decimal("-0"), "0.0000"),
        (Decimal("0e999999"), "0.0000"),
        (0.1, "0.1000"),
        (1e3, "1000.0000"),
        (Decimal("922337203685477.5807"), "922337203685477.5807"),
        (Decimal("-922337203685477.5808"), "-922337203685477.5808"),
        (Decimal("922337203685477.5808"), None),
        (Decimal("0.00001"), None),
        (Decimal("1e-400"), None),
        (Decimal("1e400"), None),
        (Decimal("1." + "0" * 80), None),
        (Decimal("Infinity"), None),
        (Decimal("sNaN"), None),
        (float("inf"), None),
        (float("nan"), None),
        (0.30000000000000004, None),
        (2**63, None),
        (True, None),
        ("1", None),
    ],
)
def test_a_number_is_a_decimal_or_nothing(value: object, text: str | None) -> None:
    assert exact(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, None),
        (Decimal("3.0"), 3),
        (Decimal("3e2"), 300),
        (5.0, 5),
        (Decimal("3.5"), None),
        (Decimal(9223372036854775807), 2**63 - 1),
        (Decimal(9223372036854775808), None),
        (False, None),
        (None, None),
    ],
)
def test_a_whole_number_is_of_64_bits_or_nothing(value: object, number: int | None) -> None:
    assert whole(value) == number


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers().map(Decimal))
def test_a_decimal_that_is_held_is_the_number_that_was_given(value: Decimal) -> None:
    text = exact(value)
    assert text is None or Decimal(text) == value


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_count_of_ten_thousandths_is_held(count: int) -> None:
    sign, digits = ("-" if count < 0 else ""), f"{abs(count):05d}"
    text = f"{sign}{digits[:-4]}.{digits[-4:]}"
    assert exact(Decimal(text)) == text


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("10.0.0.1/8", None),
        ("010.0.0.1", None),
        ("", None),
    ],
)
def test_an_address_is_one_in_any_spelling(text: str, held: str | None) -> None:
    assert address(text) == held


def test_a_moment_is_written_in_utc() -> None:
    assert instant(0) == "1970-01-01T00:00:00.000Z"
    assert instant(-1) == "1969-12-31T23:59:59.999Z"
    assert instant(1_795_003_200_123) == "2026-11-18T12:00:00.123Z"
    assert instant("0") is None
