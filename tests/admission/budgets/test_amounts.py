"""Amounts, exactly; or not at all."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.admission.budgets.amounts import UncountedError, millionths, steps, value_at, written


@pytest.mark.parametrize(
    ("value", "units"),
    [
        (12, 12_000_000),
        (0, 0),
        (Decimal("12.5"), 12_500_000),
        (Decimal("1E+3"), 1_000_000_000),
        (Decimal("1.500000000"), 1_500_000),
        (Decimal("-0.0"), 0),
        ("12.50", 12_500_000),
        ("0012", 12_000_000),
        (Decimal("0.1") * 3, 300_000),
        (10**30, 10**36),
    ],
)
def test_a_number_or_a_decimal_text_is_counted_exactly(value: object, units: int) -> None:
    assert millionths(value, 2) == units


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [],
        {},
        -1,
        Decimal("-0.01"),
        Decimal("0.001"),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+100"),
        Decimal("1E-100"),
        10**50,
        1.5,
        "",
        "1e3",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1,5",
        ".5",
        "5.",
        "0x10",
        "1_000",
        "NaN",
        "١٢",
        "0.001",
        "9" * 21,
    ],
)
def test_what_is_no_plain_amount_cannot_be_counted(value: object) -> None:
    with pytest.raises(UncountedError):
        millionths(value, 2)


@given(st.text("0123456789.-+e_ \n٣²", max_size=45))
def test_a_text_is_counted_if_it_is_digits_with_perhaps_a_point_among_them_and_only_then(text: str) -> None:
    is_plain = re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?", text) is not None
    try:
        counted = Decimal(millionths(text, 6))
    except UncountedError:
        assert not is_plain or len(text.partition(".")[2].rstrip("0")) > 6
    else:
        assert (is_plain, counted) == (True, Decimal(text).scaleb(6))


@given(st.integers(0, 10**20), st.integers(0, 6))
def test_what_is_written_is_read_as_the_same(units: int, places: int) -> None:
    text = written(units, places)
    assert millionths(text, 6) == units
    assert len(text.partition(".")[2]) >= places


@pytest.mark.parametrize(
    ("units", "places", "text"), [(12_500_000, 2, "12.50"), (3_000_000, 0, "3"), (1, 2, "0.000001"), (-500_000, 2, "-0.50")]
)
def test_units_are_written_with_at_least_the_places_of_their_budget(units: int, places: int, text: str) -> None:
    assert written(units, places) == text


def test_a_pointer_leads_through_objects_and_lists() -> None:
    arguments = {"payments": [{"a/b": {"~": 7}}]}
    assert value_at(arguments, steps("/payments/0/a~1b/~0")) == 7


@pytest.mark.parametrize("pointer", ["/amount", "/payments/1", "/payments/00", "/payments/-", "/payments/0/x/y", "/text/0"])
def test_where_nothing_stands_nothing_can_be_counted(pointer: str) -> None:
    with pytest.raises(UncountedError, match="is missing"):
        value_at({"payments": [{"x": 1}], "text": "abc"}, steps(pointer))


ALIKE = ["Amount", "AMOUNT", "amo_unt", "amount ", "-amount", "ａｍｏｕｎｔ", "amount\u0000"]


@pytest.mark.parametrize("name", ALIKE)
def test_a_second_field_that_an_upstream_might_read_in_its_place_makes_an_amount_uncounted(name: str) -> None:
    with pytest.raises(UncountedError, match="of a name that is read alike"):
        value_at({"amount": 1, name: 500}, steps("/amount"))
    with pytest.raises(UncountedError, match="of a name that is read alike"):
        value_at({"payment": {name: 500, "amount": 1}}, steps("/payment/amount"))
    with pytest.raises(UncountedError, match="of a name that is read alike"):
        value_at({"pay": {"amount": 1}, "PAY": {"amount": 500}}, steps("/pay/amount"))


@pytest.mark.parametrize("name", ["amount2", "amounts", "total", "", "_"])
def test_fields_of_other_names_do_not_disturb_an_amount(name: str) -> None:
    assert value_at({"amount": 1, name: 500}, steps("/amount")) == 1


@pytest.mark.parametrize("name", ["\u017fum", "S_um"])
def test_letters_that_fold_to_the_same_are_alike(name: str) -> None:
    with pytest.raises(UncountedError):
        value_at({"sum": 1, name: 500}, steps("/sum"))
