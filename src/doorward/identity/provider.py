"""What an OpenID Provider says of itself (OpenID Connect Discovery 1.0, RFC 8414, RFC 9207)."""

from collections.abc import Mapping

import msgspec

from doorward.domain.errors import DoorwardError
from doorward.identity.tokens.issuer import Issuer
from doorward.net.fetch import Web
from doorward.net.oauth.metadata import endpoint, metadata, texts
from doorward.wire.pkce import METHOD


class ProviderError(DoorwardError):
    """A provider whose word about itself, or whose answer, cannot be used."""


class Provider(msgspec.Struct, frozen=True):
    """Where a provider is asked for what, and what it can do."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    secrets: frozenset[str]
    """How it takes a client's secret: `client_secret_basic`, `client_secret_post` and others."""
    names_itself: bool
    """It says `iss` in each authorization response (RFC 9207)."""


async def provider(issuer: Issuer, web: Web) -> Provider:
    """The provider as its metadata, which must be of exactly this issuer, describes it now; raises `DoorwardError`.

    `code_challenge_methods_supported` may be absent: Entra leaves it out and knows S256. Where it is there it must hold S256.
    """
    document = await metadata(issuer, web)
    challenges = texts(document, "code_challenge_methods_supported")
    if challenges is not None and METHOD not in challenges:
        raise ProviderError("the provider does not know PKCE with S256")
    secrets = texts(document, "token_endpoint_auth_methods_supported")
    return Provider(
        authorization=endpoint(document, "authorization_endpoint", issuer),
        token=endpoint(document, "token_endpoint", issuer),
        keys=issuer.jwks_url or endpoint(document, "jwks_uri", issuer),
        userinfo=endpoint(document, "userinfo_endpoint", issuer) if "userinfo_endpoint" in document else None,
        secrets=frozenset({"client_secret_basic"}) if secrets is None else secrets,
        names_itself=_says(document, "authorization_response_iss_parameter_supported"),
    )


def _says(document: Mapping[str, object], name: str) -> bool:
    return document.get(name) is True
