"""How the `Authorization` header is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.identity.bearer import is_bearer, token


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("BEARER   abc", "abc"),
        ("Bearer a-._~+/9==", "a-._~+/9=="),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearer =", None),
        ("Bearer a=b", None),
        ("Bearer abc ", None),
        ("Bearer abc def", None),
        ("Bearer abc, Bearer def", None),
        ("Bearer\tabc", None),
        ("Bearer abc\n", None),
        ("Bearer äbc", None),
        ("Basic YTpi", None),
        ("Bearerabc", None),
        (" Bearer abc", None),
        ("", None),
        ("Bearer " + "a" * 9000, None),
    ],
)
def test_only_one_token_after_the_scheme_is_read(header: str, expected: str | None) -> None:
    assert token(header) == expected


@given(st.text())
def test_whatever_is_read_is_the_rest_of_the_header(header: str) -> None:
    found = token(header)
    assert found is None or (header.endswith(found) and is_bearer(header))
