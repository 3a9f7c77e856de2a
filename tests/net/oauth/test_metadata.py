"""Metadata counts for the issuer that was configured alone, wherever the standards put it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from doorward.net.fetch import Fetched
from doorward.net.oauth.metadata import MetadataError, endpoint, mcp_urls, metadata, metadata_urls, texts

pytestmark = pytest.mark.anyio

URL = "https://idp.example.com/realms/a"
OIDC, OAUTH = metadata_urls(URL)


@dataclass(frozen=True, slots=True)
class Issuer:
    name: str = "idp"
    url: str = URL
    is_plain: bool = False


@dataclass(slots=True)
class Pages:
    pages: Mapping[str, Mapping[str, Any]]
    asked: list[str] = field(default_factory=list)

    async def get(self, url: str, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        self.asked.append(url)
        return Fetched(200 if url in self.pages else 404, {}, json.dumps(self.pages.get(url, {})).encode())

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fetched:
        raise AssertionError


def test_metadata_of_an_issuer_with_a_path_is_where_each_standard_says() -> None:
    assert (OIDC, OAUTH) == (
        "https://idp.example.com/realms/a/.well-known/openid-configuration",
        "https://idp.example.com/.well-known/oauth-authorization-server/realms/a",
    )
    assert metadata_urls("https://corp.auth0.example/") == (
        "https://corp.auth0.example/.well-known/openid-configuration",
        "https://corp.auth0.example/.well-known/oauth-authorization-server",
    )


@pytest.mark.parametrize("place", [OIDC, OAUTH])
async def test_metadata_is_found_in_either_place(place: str) -> None:
    assert await metadata(Issuer(), Pages({place: {"issuer": URL}})) == {"issuer": URL}


@pytest.mark.parametrize("issuer", ["https://idp.example.com/realms/b", f"{URL}/", None, ["a"]])
async def test_metadata_of_another_issuer_is_refused(issuer: object) -> None:
    with pytest.raises(MetadataError, match="the metadata is of"):
        await metadata(Issuer(), Pages({OIDC: {"issuer": issuer}, OAUTH: {"issuer": URL}}))


async def test_no_metadata_is_said_so() -> None:
    with pytest.raises(MetadataError, match="no metadata"):
        await metadata(Issuer(), Pages({}))


@pytest.mark.parametrize(
    "url", [None, 7, "http://idp.example.com/token", "https://u:p@idp.example.com/token", "javascript:alert(1)", "/token"]
)
def test_an_endpoint_that_is_no_https_url_is_refused(url: object) -> None:
    with pytest.raises(MetadataError):
        endpoint({"token_endpoint": url}, "token_endpoint", Issuer())


def test_an_endpoint_over_http_is_taken_where_that_is_meant() -> None:
    assert endpoint({"e": "http://127.0.0.1:1/t"}, "e", Issuer(is_plain=True)) == "http://127.0.0.1:1/t"


def test_texts_that_are_absent_differ_from_none() -> None:
    assert texts({}, "x") is None
    assert texts({"x": "S256"}, "x") == frozenset()
    assert texts({"x": ["S256", 7, None]}, "x") == frozenset({"S256"})


async def test_mcp_looks_in_three_places_in_its_own_order() -> None:
    inserted = "https://idp.example.com/.well-known/openid-configuration/realms/a"
    assert mcp_urls(URL) == (OAUTH, inserted, OIDC)
    assert mcp_urls("https://idp.example.com") == (
        "https://idp.example.com/.well-known/oauth-authorization-server",
        "https://idp.example.com/.well-known/openid-configuration",
    )
    assert await metadata(Issuer(), Pages({inserted: {"issuer": URL}}), mcp_urls) == {"issuer": URL}
