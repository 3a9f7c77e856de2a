"""Cut texts hold whole words only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.domain.clipping import clipped


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("short", 5, "short"),
        ("no half-a-secret", 8, "no …"),
        ('{"token":"0123456789"}', 14, '{"token":"…'),
        ("alltogether", 4, "…"),
        ("whole words", 6, "whole …"),
    ],
)
def test_a_word_that_would_be_cut_in_two_is_left_out(text: str, most: int, kept: str) -> None:
    assert clipped(text, most) == kept


@given(st.text(), st.integers(0, 50), st.from_regex(r"\A[A-Za-z0-9_.~+/=-]{12,40}\Z"), st.text())
def test_of_a_secret_all_is_left_or_nothing(before: str, most: int, secret: str, after: str) -> None:
    found = clipped(f"{before} {secret} {after}", most)
    assert len(found) <= most + 1 or found == f"{before} {secret} {after}"
    rest = found.removeprefix(f"{before} ").removesuffix("…") if found.startswith(f"{before} ") else ""
    assert rest == "" or rest.startswith(secret)
