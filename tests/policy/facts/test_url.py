"""URLs: one reading, the one that everybody has, or none."""

from urllib.parse import urlsplit

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.policy.facts.kind import UnderivedError
from doorward.policy.facts.url import Url
from tests.policy.facts.deriving import derived


def parts(url: str) -> tuple[object, ...]:
    found = derived(Url(), url)
    assert isinstance(found, dict), url
    return tuple(found.get(name) for name in ("scheme", "host", "port", "path"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.COM/a/b?q#f", ("https", "example.com", 443, "/a/b")),
        ("HTTP://example.com.:8080", ("http", "example.com", 8080, "")),
        ("https://example.com:/x", ("https", "example.com", 443, "/x")),
        ("https://bücher.example/ü", ("https", "xn--bcher-kva.example", 443, "/%C3%BC")),
        ("https://example.com/a/../b/./c//d", ("https", "example.com", 443, "/b/c/d")),
        ("https://example.com/%7eann/%41%2e%2e", ("https", "example.com", 443, "/~ann/A..")),
        ("https://example.com/a/%2e%2E/b", ("https", "example.com", 443, "/b")),
        ("file:///srv/reports/../x", ("file", "", None, "/srv/x")),
        ("file://localhost/srv/x", ("file", "", None, "/srv/x")),
        ("file:/srv/x", ("file", "", None, "/srv/x")),
        ("memo://insights", ("memo", "insights", None, "")),
        ("urn:isbn:1", ("urn", "", None, "isbn:1")),
        ("https://[::1]:8443/", ("https", "::1", 8443, "/")),
        ("https://[2001:DB8:0::1]/", ("https", "2001:db8::1", 443, "/")),
        ("https://[::ffff:10.0.0.1]/", ("https", "10.0.0.1", 443, "/")),
    ],
)
def test_a_url_comes_in_its_parts_in_one_spelling(url: str, expected: tuple[object, ...]) -> None:
    assert parts(url) == expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7F000001", "2130706433", "017700000001", "0x7f.0x0.0x0.0x1", "127.0.0.1."]
)
def test_an_address_in_any_form_that_leads_there_is_the_same_address(host: str) -> None:
    found = derived(Url(), f"http://{host}/")
    assert isinstance(found, dict)
    assert (found["host"], found["is_address"], found["address"]) == ("127.0.0.1", True, "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "https:example.com",
        "https:/example.com",
        "https:///example.com",
        "https://",
        "https://:443/",
        "https://ann@/",
        "https://good.example\\@evil.example/",
        "https://good.example\t.evil.example/",
        " https://example.com/",
        "https://example.com/ x",
        "https://example.com/\x00",
        "https://ann@good.example@evil.example/",
        "https://good.example:80:81/",
        "https://good.example:99999/",
        "https://good.example:٣/",
        "https://ex%61mple.com/",
        "https://exa_mple..com/",
        "https://-example.com/",
        "https://010.0.0.1/",
        "https://08.0.0.1/",
        "https://1.2.3.4.5/",
        "https://256.0.0.1/",
        "https://example.1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://straße.example/",
        "https://xn--a.example/",
        "https://exa\u200dmple.com/",
        "https://example.com/%",
        "https://example.com/%zz",
        "https://example.com/..%2fetc",
        "https://example.com/a%5c..%5cb",
        "https://example.com/%252e%252e/b",
        "https://example.com/a/%c0%ae%c0%ae/b",
        "https://example.com/a/..;/b",
        "https://example.com/a/..%3b/b",
        "https://example.com/a/\uff0e\uff0e/b",
        "https://example.com/a%00.txt",
        "file:srv/x",
    ],
)
def test_a_url_that_might_be_read_in_two_ways_is_not_read(url: str) -> None:
    assert derived(Url(), url) is None


def test_credentials_are_told_of_and_change_no_host() -> None:
    found = derived(Url(), "https://good.example:x%40@evil.example/")
    assert isinstance(found, dict)
    assert (found["host"], found["has_credentials"]) == ("evil.example", True)


def test_full_width_digits_are_an_address() -> None:
    found = derived(Url(), "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/")
    assert found is None or (isinstance(found, dict) and found["host"] == "127.0.0.1")


def test_a_list_of_urls_comes_as_sets() -> None:
    assert Url().many(["https://b.example/x", "http://10.0.0.1/", "https://b.example/y"]) == {
        "schemes": ["http", "https"],
        "hosts": ["10.0.0.1", "b.example"],
        "paths": ["/", "/x", "/y"],
        "ports": [80, 443],
        "addresses": ["10.0.0.1"],
        "has_credentials": False,
        "is_address": True,
    }


@pytest.mark.parametrize("value", [None, 1, True, [], {}, "http://" + "a" * 70_000, "http://\ud800/"], ids=lambda value: str(type(value)))
def test_what_is_no_text_or_too_much_of_it_is_not_read(value: object) -> None:
    with pytest.raises(UnderivedError):
        Url().one(value)


PIECES = [
    "http",
    "https",
    "://",
    ":",
    "/",
    "//",
    "@",
    "\\",
    "..",
    ".",
    "%2e",
    "%2f",
    "%",
    "a",
    "b.example",
    "127.1",
    "0x7f",
    "010",
    "[::1]",
]
PIECES += ["?", "#", ";", "\t", " ", "ü", "ß", "。", "１", "xn--", "-", "_", "80", "99999", "\ufeff", "\u202e", "é"]
URLS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: "http://" + "".join(pieces)),
)


def native_host(url: str) -> str | None:
    """What the HTTP stack's own parser finds; None where it refuses the URL."""
    try:
        return httptools.parse_url(url.encode()).host.decode().lower().removesuffix(".")
    except httptools.HttpParserInvalidURLError:
        return None


@given(URLS)
def test_whatever_is_read_as_a_host_other_readers_find_as_well(url: str) -> None:
    found = derived(Url(), url)
    if not isinstance(found, dict) or not url.isascii() or found["scheme"] not in ("http", "https"):
        return
    if found["is_address"]:
        return  # the forms of an address are compared by hand above
    assert (urlsplit(url).hostname or "").removesuffix(".") == found["host"]
    assert native_host(url) in (None, found["host"])


@given(URLS)
def test_reading_what_was_read_changes_nothing(url: str) -> None:
    found = derived(Url(), url)
    if not isinstance(found, dict) or found["scheme"] not in ("http", "https"):
        return
    host = f"[{found['host']}]" if ":" in str(found["host"]) else found["host"]
    path = found["path"] if str(found["path"]).startswith("/") else ""
    again = derived(Url(), f"{found['scheme']}://{host}:{found['port']}{path}")
    assert isinstance(again, dict)
    assert {**again, "has_credentials": None} == {**found, "has_credentials": None}
    assert ".." not in str(found["path"]).split("/")
