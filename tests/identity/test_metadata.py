"""What our endpoints say of themselves: who gives out tokens for them, and nothing of what is behind them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.config.identity import Authority, Identity, Issuer
from doorward.config.model import Listen, Proxy, Tls
from doorward.domain.ids import UpstreamId
from doorward.identity.metadata import Advertised, advertised, metadata
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import ALGORITHMS

RESOURCES = Resources("https://mcp.example.com")
CORP = Issuer(url="https://login.example.com")
ENTRA = Issuer(
    url="https://login.microsoftonline.com/t/v2.0",
    preset="entra",
    scopes={"api://mcp/all": ("mcp",), "api://mcp/read": ("mcp:read",), "api://mcp/git": ("mcp:git", "mcp:read")},
)


def offer(identity: Identity, listen: Listen | None = None) -> Advertised:
    found = advertised(identity, listen or Listen(), RESOURCES)
    assert found is not None
    return found


def test_nothing_is_advertised_where_nobody_gives_out_tokens() -> None:
    assert advertised(Identity(), Listen(), RESOURCES) is None


def test_document_names_resource_issuers_and_the_one_scope_to_begin_with() -> None:
    assert metadata(offer(Identity(issuers={"corp": CORP, "other": Issuer(url="https://other.example")})), RESOURCES, None) == {
        "resource": "https://mcp.example.com/mcp",
        "resource_name": "Doorward",
        "authorization_servers": ["https://login.example.com", "https://other.example"],
        "scopes_supported": ["mcp"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": sorted(ALGORITHMS),
        "dpop_bound_access_tokens_required": False,
        "tls_client_certificate_bound_access_tokens": False,
    }


def test_own_authority_is_the_only_server_that_clients_are_sent_to() -> None:
    identity = Identity(issuers={"corp": ENTRA}, authority=Authority(sign_in="corp"))
    found = offer(identity)
    assert (found.servers, found.scopes) == (("https://mcp.example.com",), ("mcp",))


@given(st.from_regex(r"[a-z](?:-?[a-z0-9]){0,14}", fullmatch=True))
def test_document_of_one_upstream_depends_on_its_name_alone(name: str) -> None:
    found = offer(Identity(issuers={"corp": CORP}))
    one, all_of_them = metadata(found, RESOURCES, UpstreamId(name)), metadata(found, RESOURCES, None)
    assert one == {**all_of_them, "resource": f"https://mcp.example.com/mcp/{name}", "resource_name": f"Doorward: {name}"}


@pytest.mark.parametrize(
    ("issuers", "scopes"),
    [
        ({"entra": ENTRA}, ("api://mcp/all",)),
        ({"entra": ENTRA, "corp": CORP}, ("api://mcp/all", "mcp")),
        ({"some": Issuer(url="https://a.example", scopes={"reader": ("mcp:read",)})}, ("reader",)),
        ({"some": Issuer(url="https://a.example", scopes={"*": ("mcp",)})}, ()),
        ({"some": Issuer(url="https://accounts.google.com", preset="google")}, ()),
        ({"some": Issuer(url="https://a.example", scopes={'quo"te': ("mcp",), "new\nline": ("mcp",), "plain": ("mcp",)})}, ("plain",)),
    ],
)
def test_first_scope_is_in_the_words_of_the_issuer(issuers: dict[str, Issuer], scopes: tuple[str, ...]) -> None:
    found = offer(Identity(issuers=issuers))
    assert found.scopes == scopes
    assert ("scopes_supported" in metadata(found, RESOURCES, None)) == bool(scopes)


@pytest.mark.parametrize(
    ("issuer", "scope", "asked"),
    [
        ("entra", "mcp", "api://mcp/all"),
        ("entra", "mcp:read", "api://mcp/read"),
        ("entra", "mcp:git", "api://mcp/git"),
        ("entra", "mcp:wiki", "api://mcp/all"),
        ("entra", "mcp:wiki:read", "api://mcp/read"),
        ("corp", "mcp:git", "mcp:git"),
        ("self", "mcp:git", "mcp:git"),
        ("some", "mcp:git", "mcp:git"),
    ],
)
def test_wider_scope_is_asked_for_in_the_least_word_of_the_issuer_that_holds_it(issuer: str, scope: str, asked: str) -> None:
    some = Issuer(url="https://a.example", scopes={"*": ("mcp:read",), "reader": ("mcp:read",)})
    assert offer(Identity(issuers={"entra": ENTRA, "corp": CORP, "some": some})).asked(issuer, scope) == asked


TLS: dict[str, Any] = {"certificate": "a", "key": "b"}


@pytest.mark.parametrize(
    ("listen", "takes", "needs_dpop"),
    [
        (Listen(), False, True),
        (Listen(tls=Tls(**TLS)), False, True),
        (Listen(tls=Tls(**TLS, clients="optional")), True, False),
        (Listen(proxy=Proxy(addresses=("10.0.0.5/32",))), True, False),
        (Listen(proxy=Proxy(addresses=("10.0.0.5/32",), client_cert=False)), False, True),
    ],
)
def test_document_says_what_tokens_can_and_must_be_bound_to(listen: Listen, takes: bool, needs_dpop: bool) -> None:
    document = metadata(offer(Identity(issuers={"corp": CORP}, require_bound=True), listen), RESOURCES, None)
    assert document["tls_client_certificate_bound_access_tokens"] is takes
    assert document["dpop_bound_access_tokens_required"] is needs_dpop
