"""Numbers and lengths: exact or not at all."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.facts.numbers import Length, Number
from doorward.policy.project import exact
from tests.policy.facts.deriving import derived


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12.50", "12.50"),
        ("-0.0001", "-0.0001"),
        (7, "7"),
        (Decimal("1.2500"), "1.25"),
        (0.1, "0.1"),
        ("922337203685477.5807", "922337203685477.5807"),
    ],
)
def test_a_number_is_held_exactly(value: object, number: str) -> None:
    assert derived(Number(), value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        *("", "1,000", "1e3", "+1", " 1", "1 ", "0x10", "١", "1.00001", "922337203685477.5808", "NaN", "1_000", "1.", ".5", "1" * 100),
        *(10**30, 0.00001, float("nan"), float("inf"), Decimal("Infinity"), Decimal("1e999999"), True, None, [1]),
    ],
)
def test_a_number_that_is_not_plain_or_does_not_fit_is_none(value: object) -> None:
    assert derived(Number(), value) is None


def test_a_list_of_numbers_has_a_least_a_most_and_a_sum() -> None:
    assert Number().many(["10", 2, Decimal("0.5")]) == {"least": Decimal("0.5"), "most": Decimal(10), "sum": Decimal("12.5")}
    assert Number().many([]) == {"sum": Decimal(0)}


@given(st.one_of(st.text(max_size=20), st.decimals(), st.integers(), st.floats()))
def test_whatever_is_derived_cedar_can_hold(value: object) -> None:
    found = derived(Number(), value)
    assert found is None or exact(found) is not None


@pytest.mark.parametrize(
    ("kind", "value", "length"),
    [
        (Length("characters"), "größe", 5),
        (Length("bytes"), "größe", 7),
        (Length("items"), [1, 2], 2),
        (Length("items"), {"a": 1}, 1),
        (Length("characters"), [1], None),
        (Length("items"), "text", None),
        (Length("bytes"), "\ud800", None),
    ],
)
def test_a_length_counts_what_it_says(kind: Length, value: object, length: int | None) -> None:
    assert derived(kind, value) == length


def test_the_lengths_of_a_list_have_a_least_a_most_and_a_sum() -> None:
    assert Length("characters").many(["a", "bcd"]) == {"least": 1, "most": 3, "sum": 4}
    assert Length("characters").many([]) == {"sum": 0}
