"""Names that some readers take for the same."""

import pytest

from doorward.wire.alike import are_told_apart, folded, letters


@pytest.mark.parametrize("other", ["Arguments", "ARGUMENTS", "argument\u017f", "\uff41rguments"])
def test_names_that_differ_in_letter_case_or_width_are_alike(other: str) -> None:
    assert folded(other) == folded("arguments")
    assert not are_told_apart(["name", "arguments", other])


@pytest.mark.parametrize("other", ["total_amount", "total-amount", "TOTALAMOUNT", "totalAmount "])
def test_names_in_several_styles_have_the_same_letters(other: str) -> None:
    assert letters(other) == letters("totalAmount")


def test_other_names_are_told_apart() -> None:
    assert are_told_apart(["a", "b", "a2", "a_", "_a", ""])
    assert are_told_apart([])
