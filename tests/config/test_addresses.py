"""Hosts, origins and URLs are accepted only in the forms that mean one thing."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.addresses import is_host, is_host_header, is_loopback, is_origin, is_special, split_url


@pytest.mark.parametrize("host", ["localhost", "a.b", "a.b.", "xn--bcher-kva.example", "127.0.0.1", "::1", "1e100.net"])
def test_hosts(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host", ["", "-a", "a-", "a..b", "a_b", "a b", "*", "127.0.0.1.", "127.1", "1.2.3", "256.1.1.1", "[::1]", "a/b", "a:1", "x" * 64, "ä.b"]
)
def test_what_is_no_host(host: str) -> None:
    assert not is_host(host)


def test_host_headers() -> None:
    assert all(is_host_header(text) for text in ("a.b", "a.b:80", "[::1]", "[::1]:80"))
    wrong = ("", "::1", "a.b:", "a.b:0", "a.b:65536", "[::1]80", "[::1", "[a.b]", "a:80:80", "a.b:+8", "a.b:8 ")
    assert not any(is_host_header(text) for text in wrong)


def test_origins() -> None:
    assert all(is_origin(text) for text in ("https://a.b", "http://localhost:3000", "vscode://a"))
    wrong = ("null", "*", "https://", "HTTPS://a.b", "https://a.b/", "https://u@a.b", "a.b")
    assert not any(is_origin(text) for text in wrong)


def test_loopback_is_only_what_is_so_for_certain() -> None:
    assert all(is_loopback(host) for host in ("localhost", "LOCALHOST.", "127.9.9.9", "::1", "::ffff:127.0.0.1"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "a"))


def test_special_hosts_are_seen_without_a_resolver() -> None:
    hosts = (
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "::ffff:192.168.0.1",
        "fd00::1",
        "224.0.0.1",
        "printer",
        "db.internal",
        "x.localhost",
    )
    assert all(is_special(host) for host in hosts)
    assert not any(is_special(host) for host in ("example.com", "1.1.1.1", "2606:4700::1111"))


@given(st.text())
def test_a_url_is_split_or_explained_without_being_repeated(text: str) -> None:
    parts = split_url(f"https://{text}")
    if isinstance(parts, str):
        assert text not in parts or len(text) < 4
    else:
        assert parts == urlsplit(f"https://{text}")
        assert is_host(parts.hostname or "")
