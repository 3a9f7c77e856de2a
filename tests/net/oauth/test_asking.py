"""A client's secret is written as RFC 6749 says, and of errors only the code is repeated."""

import pytest

from doorward.domain.secret import Secret
from doorward.net.oauth.asking import basic, error_code


def test_id_and_secret_are_form_encoded_before_they_are_basic() -> None:
    assert basic("door ward", Secret("s3: +ü")) == "Basic ZG9vcit3YXJkOnMzJTNBKyUyQiVDMyVCQw=="


@pytest.mark.parametrize("said", [{}, {"error": None}, {"error": "a secret!"}, {"error": "x" * 61}, {"error": ["invalid_grant"]}])
def test_what_is_no_code_is_not_repeated(said: dict[str, object]) -> None:
    assert error_code({**said, "error_description": "t0ken"}) == "no error that is known"


def test_a_code_is_repeated_without_its_description() -> None:
    assert error_code({"error": "invalid_grant", "error_description": "t0ken"}) == "invalid_grant"
