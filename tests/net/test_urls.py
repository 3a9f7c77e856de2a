"""Strict URLs: read in one way, or refused."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.net.urls import Origin, UrlError, parse_url

ODD = [
    "",
    "example.com/mcp",
    "//example.com/mcp",
    "ftp://example.com/mcp",
    "file:///etc/passwd",
    "https://",
    "https:///mcp",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://127.0.0.1@example.com/",
    "https://example.com#@127.0.0.1/",
    "https://example.com/#x",
    "https://example.com\\@127.0.0.1/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:/",
    "https://example.com:80:81/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://127.0.0.01/",
    "https://1.2.3.4.5/",
    "https://example.0x7f/",
    "https://127。0。0。1/",
    "https://１２７.0.0.1/",
    "https://exämple.com/",
    "https://example.com./",
    "https://.example.com/",
    "https://exa mple.com/",
    "https://-example.com/",
    "https://exam%70le.com/",
    "https://example.com/a b",
    "https://example.com/%zz",
    "https://example.com/a\r\nX: y",
    "https://example.com/\tmcp",
    "https://[::1",
    "https://[127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1]x/",
    f"https://{'a' * 64}.com/",
    f"https://{'.'.join(['a' * 60] * 5)}/",
]


@pytest.mark.parametrize("text", ODD)
def test_url_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(UrlError):
        parse_url(text)


@pytest.mark.parametrize(
    ("text", "origin", "authority"),
    [
        ("https://Example.COM/mcp", Origin("https", "example.com", 443, "/mcp", None), "example.com"),
        ("https://example.com", Origin("https", "example.com", 443, "/", None), "example.com"),
        ("HTTPS://example.com:443/mcp?a=b%20c", Origin("https", "example.com", 443, "/mcp?a=b%20c", None), "example.com"),
        ("http://my_host:8080/a/b", Origin("http", "my_host", 8080, "/a/b", None), "my_host:8080"),
        ("http://127.0.0.1:9/", Origin("http", "127.0.0.1", 9, "/", ip_address("127.0.0.1")), "127.0.0.1:9"),
        ("https://[0:0::1]:8443/x", Origin("https", "::1", 8443, "/x", ip_address("::1")), "[::1]:8443"),
        ("https://xn--exmple-cua.com/", Origin("https", "xn--exmple-cua.com", 443, "/", None), "xn--exmple-cua.com"),
    ],
)
def test_url_is_read_into_origin_and_target(text: str, origin: Origin, authority: str) -> None:
    assert parse_url(text) == origin
    assert parse_url(text).authority == authority


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}(/.*)?", fullmatch=True))
def test_any_text_gives_a_url_or_a_url_error(text: str) -> None:
    try:
        origin = parse_url(text)
    except UrlError:
        return
    assert parse_url(f"{origin.scheme}://{origin.authority}{origin.target}") == origin
    assert not set("\r\n ") & set(origin.authority + origin.target)
