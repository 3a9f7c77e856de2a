"""Parameters are read as they were written, or not at all."""

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.identity.authority.port import OAuthError
from doorward.serving.authority.browser import cookies
from doorward.serving.authority.forms import fields

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.dictionaries(TEXT, TEXT, max_size=10))
def test_what_is_written_is_read_but_for_what_is_empty(params: dict[str, str]) -> None:
    assert fields(urlencode(params)) == {name: value for name, value in params.items() if value}


@given(st.dictionaries(TEXT, TEXT, min_size=1, max_size=5), TEXT, st.data())
def test_whatever_is_there_twice_is_refused(params: dict[str, str], value: str, data: st.DataObject) -> None:
    pairs = [*params.items(), (data.draw(st.sampled_from(sorted(params))), value)]
    with pytest.raises(OAuthError):
        fields(urlencode(data.draw(st.permutations(pairs))))


@given(st.text(max_size=60))
def test_reading_any_text_ends_in_parameters_or_in_an_error_of_oauth(text: str) -> None:
    with suppress(OAuthError):
        assert all(fields(text).values())


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], {}),
        (["a=1; b=2"], {"a": "1", "b": "2"}),
        (["a=1", "b=x=y"], {"a": "1", "b": "x=y"}),
        (["a=1; a=1"], {}),
        (["a=1", "b=2; a=3; a=4"], {"b": "2"}),
        (["a=1;b; =3"], {"a": "1", "": "3"}),
    ],
)
def test_cookies_that_are_there_twice_are_not_there(headers: list[str], found: dict[str, str]) -> None:
    assert cookies(headers) == found
