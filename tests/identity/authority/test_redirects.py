"""Redirect URIs: the same text, or the same but for a port of loopback; nothing that a browser reads differently than we do."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.redirects import fault, is_loopback
from doorward.identity.authority.redirects import is_registered


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb",
        "https://a.example",
        "https://a.example:8443/cb?x=y",
        "https://xn--bcher-kva.example/",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://[::1]:65535/cb",
        "http://localhost",
        "https://localhost/cb",
    ],
)
def test_these_can_be(uri: str) -> None:
    assert fault(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "cb",
        "/cb",
        "http://a.example/cb",
        "http://0.0.0.0/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://localhost.evil.example/cb",
        "http://localhost:0/",
        "http://localhost:123456/",
        "https://u@a.example/cb",
        "https://a.example/cb#x",
        "https://a.example/cb#",
        "https://a.example\\cb",
        "https://a.example/c b",
        "https://a.example/\x00",
        "https://a.example/cb\n",
        "https://a.example.",
        "https://A.example/",
        "https://ä.example/",
        "https://*.example/cb",
        "javascript:alert(1)//https://a.example",
        "data:text/html,x",
        "app://cb",
        "https://a.example/" + "a" * 512,
    ],
)
def test_these_cannot(uri: str) -> None:
    assert fault(uri)
    assert not is_registered(uri, (uri,))


def test_the_port_of_loopback_is_free_and_no_other_part() -> None:
    registered = ("http://localhost/cb?x=1", "http://[::1]:1/a", "https://localhost/s")
    assert is_registered("http://localhost:99/cb?x=1", registered)
    assert is_registered("http://[::1]/a", registered)
    for other in ("http://localhost:99/cb", "http://127.0.0.1/cb?x=1", "http://[::1]/a/", "https://localhost:9/s", "http://localhost:99/s"):
        assert not is_registered(other, registered)


URIS = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"https?://[a-z0-9.:@\\/#?\[\]%-]{0,40}", fullmatch=True),
    st.builds("http://{}:{}/{}".format, st.sampled_from(["127.0.0.1", "[::1]", "localhost"]), st.integers(0, 70000), st.text(max_size=9)),
)


@given(URIS)
def test_what_can_be_is_read_by_others_as_by_us(uri: str) -> None:
    if fault(uri):
        return
    parts = urlsplit(uri)
    assert (parts.username, parts.fragment, uri.isascii(), "\\" in uri) == (None, "", True, False)
    assert parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")
    assert is_loopback(uri) == (parts.scheme == "http")


@given(URIS, URIS)
def test_no_other_text_is_registered_but_another_port_of_loopback(one: str, other: str) -> None:
    if one != other and is_registered(one, (other,)):
        first, second = urlsplit(one), urlsplit(other)
        assert (first.scheme, second.scheme, first.hostname) == ("http", "http", second.hostname)
        assert (first.path, first.query) == (second.path, second.query)
