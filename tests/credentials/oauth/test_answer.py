"""Of what a token endpoint answers nothing is taken but a bearer token for a while."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.credentials.oauth.answer import ID_JAG, JWT, LONGEST_SECONDS, UNSAID_SECONDS, Granted, assertion, granted
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret

GOOD: dict[str, Any] = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}


def test_a_plain_answer_is_a_token_its_end_and_its_scope() -> None:
    assert granted({**GOOD, "scope": "crm.read mail"}) == Granted(Secret("t0ken"), 300.0, "crm.read mail")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (300, 300.0),
        ("3600", 3600.0),
        (Decimal("59.9"), 59.9),
        (None, UNSAID_SECONDS),
        (10**30, LONGEST_SECONDS),
        ("9" * 18, LONGEST_SECONDS),
        (LONGEST_SECONDS.__int__() + 1, LONGEST_SECONDS),
    ],
)
def test_an_end_is_taken_as_it_is_written_and_never_longer_than_a_day(said: object, seconds: float) -> None:
    assert granted({**GOOD, "expires_in": said}).seconds == seconds


@pytest.mark.parametrize("said", [0, -1, Decimal("0.5"), True, "", "soon", "-5", "1e3", "٣٠٠", [300], {"seconds": 3}, "9" * 19])
def test_an_end_that_is_no_time_to_come_is_refused(said: object) -> None:
    with pytest.raises(CredentialError, match="expires_in"):
        granted({**GOOD, "expires_in": said})


def test_an_end_that_nobody_says_is_a_short_one() -> None:
    assert granted({"access_token": "t", "token_type": "bearer"}) == Granted(Secret("t"), UNSAID_SECONDS, None)


@pytest.mark.parametrize("kind", [None, "DPoP", "mac", "N_A", "", 7, ["Bearer"]])
def test_a_token_that_is_not_a_bearers_is_refused(kind: object) -> None:
    with pytest.raises(CredentialError, match="Bearer"):
        granted({**GOOD, "token_type": kind})


@pytest.mark.parametrize("token", [None, "", " ", "two words", "line\r\nX-Admin: 1", "tab\t", "nul\0", "ümlaut", 7, ["t"], "x" * 16_385])
def test_a_token_that_a_header_cannot_carry_is_refused_and_not_repeated(token: object) -> None:
    with pytest.raises(CredentialError, match="access_token") as raised:
        granted({**GOOD, "access_token": token})
    assert not isinstance(token, str) or len(token) < 3 or token not in str(raised.value)


@given(st.text(max_size=40))
def test_every_token_that_is_taken_fits_in_one_header_line(token: str) -> None:
    try:
        found = granted({**GOOD, "access_token": token}).token.reveal()
    except CredentialError:
        return
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found


@pytest.mark.parametrize("kind", [ID_JAG, "urn:ietf:params:oauth:token-type:refresh_token", "urn:ietf:params:oauth:token-type:id_token", 7])
def test_an_exchange_for_something_else_than_an_access_token_is_refused(kind: object) -> None:
    with pytest.raises(CredentialError, match="something else"):
        granted({**GOOD, "issued_token_type": kind})


def test_an_access_token_may_be_called_a_jwt() -> None:
    assert granted({**GOOD, "issued_token_type": JWT}).token == Secret("t0ken")


@pytest.mark.parametrize("scope", ["a  b", " a", 'a"b', "a\nb", "ü", ["a"], "x" * 2049])
def test_a_scope_that_is_none_is_refused(scope: object) -> None:
    with pytest.raises(CredentialError, match="scope"):
        granted({**GOOD, "scope": scope})


def test_an_identity_assertion_is_told_by_its_type_alone() -> None:
    said = {"access_token": "a.b.c", "token_type": "N_A", "issued_token_type": ID_JAG}
    assert assertion(said) == Secret("a.b.c")
    with pytest.raises(CredentialError, match="identity assertion"):
        assertion({**said, "issued_token_type": JWT})
