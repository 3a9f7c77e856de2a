"""What an OpenID Provider says of itself (OpenID Connect Discovery 1.0, RFC 8414, RFC 9207)."""

from collections.abc import Mapping
from dataclasses import dataclass

from doorward.config.identity import Issuer
from doorward.domain.errors import DoorwardError
from doorward.net.urls import UrlError, parse_url

_WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderError(DoorwardError):
    """A provider whose word about itself cannot be used."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is asked for what, and what it can do."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    secrets: frozenset[str]
    """How it takes a client's secret: `client_secret_basic`, `client_secret_post` and others."""
    names_itself: bool
    """It says `iss` in each authorization response (RFC 9207)."""


def metadata_url(issuer: str) -> str:
    """Where an issuer's metadata is."""
    return issuer.removesuffix("/") + _WELL_KNOWN


def provider(document: Mapping[str, object], issuer: Issuer) -> Provider:
    """The provider that a metadata document describes; raises `ProviderError`.

    `code_challenge_methods_supported` may be absent: Entra leaves it out and knows S256. Where it is there it must hold S256.
    """
    said = document.get("issuer")
    if said != issuer.url:
        # Exact, as Discovery 4.3 asks: a look-alike's metadata must not be used for this issuer (mix-up).
        raise ProviderError(f"the metadata is of {str(said)[:200]!r}, expected {issuer.url!r}")
    challenges = document.get("code_challenge_methods_supported")
    if challenges is not None and "S256" not in _texts(challenges):
        raise ProviderError("the provider does not know PKCE with S256")
    return Provider(
        authorization=_url(document, "authorization_endpoint", issuer),
        token=_url(document, "token_endpoint", issuer),
        keys=issuer.jwks_url or _url(document, "jwks_uri", issuer),
        userinfo=_url(document, "userinfo_endpoint", issuer) if "userinfo_endpoint" in document else None,
        secrets=frozenset(_texts(document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]))),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _url(document: Mapping[str, object], name: str, issuer: Issuer) -> str:
    text = document.get(name)
    if not isinstance(text, str):
        raise ProviderError(f"the metadata has no {name}")
    try:
        scheme = parse_url(text).scheme
    except UrlError as error:
        raise ProviderError(f"the metadata's {name} cannot be used: {error}") from error
    if scheme != "https" and not issuer.plain_http:
        raise ProviderError(f"the metadata's {name} was expected to be https")
    return text


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
