"""What a client makes of a destination."""

import pytest

from doorward.inspection.links.target import of_url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("file:///home/me/a.txt", ""),
        ("FILE:///a", ""),
        ("file://share.example/a", "share.example"),
        ("file:////share.example/a", "share.example"),
        ("file:\\\\share.example\\a", "share.example"),
        ("https:///example.com/a", "example.com"),
        ("https://example.com:8443/a", "example.com"),
        ("//example.com/a", "example.com"),
        ("/a/b", ""),
        ("mailto:ada@example.com", ""),
    ],
)
def test_the_host_that_a_client_would_ask_is_told(url: str, host: str) -> None:
    assert of_url(url).host == host
