"""Each endpoint has one name, and one place for its metadata."""

import pytest

from doorward.config.model import Listen, Tls
from doorward.domain.ids import UpstreamId
from doorward.identity.resources import Resources, metadata_path, public_url
from doorward.net.urls import UrlError


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://mcp.example.com", "https://mcp.example.com"),
        ("https://mcp.example.com/", "https://mcp.example.com"),
        ("HTTPS://MCP.Example.COM:443", "https://mcp.example.com"),
        ("https://mcp.example.com:8443", "https://mcp.example.com:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8420", "http://[::1]:8420"),
    ],
)
def test_resource_is_the_url_of_its_endpoint_in_one_spelling(public_url: str, origin: str) -> None:
    resources = Resources(public_url)
    git = UpstreamId("git")
    assert (resources.origin, resources.of(None), resources.of(git)) == (origin, f"{origin}/mcp", f"{origin}/mcp/git")
    assert resources.metadata_url(None) == f"{origin}/.well-known/oauth-protected-resource/mcp"
    assert resources.metadata_url(git) == origin + metadata_path(git) == f"{origin}/.well-known/oauth-protected-resource/mcp/git"


@pytest.mark.parametrize("public_url", ["", "mcp.example.com", "https://a/b", "https://a?b", "https://a#b", "ftp://a", "https://u:p@a"])
def test_public_url_with_anything_but_an_origin_is_refused(public_url: str) -> None:
    with pytest.raises(UrlError):
        Resources(public_url)


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        (Listen(public_url="https://mcp.example.com"), "https://mcp.example.com"),
        (Listen(port=0), "http://127.0.0.1:9000"),
        (Listen(host="::1"), "http://[::1]:9000"),
        (Listen(host="mcp.example.com", tls=Tls(certificate="a", key="b")), "https://mcp.example.com:9000"),
    ],
)
def test_public_url_is_the_declared_one_or_that_of_the_address(listen: Listen, url: str) -> None:
    assert public_url(listen, 9000) == url
    Resources(url)
