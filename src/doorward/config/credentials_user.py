"""An upstream at which each person has an account of their own (`kind: user`)."""

from typing import Literal

from pydantic import Field

from doorward.config.credentials_oauth import Discovery
from doorward.config.part import Name, Part, Reference


class UserCredential(Part):
    """Each person connects their own account (OAuth: authorization code with PKCE); nobody uses anybody else's."""

    kind: Literal["user"] = Field(description="An account of each person's own")
    issuer: str | None = Field(
        None, description="The authorization server's issuer identifier; default: the one that the upstream itself names (RFC 9728)"
    )
    authorization_url: str | None = Field(None, description="Where people sign in, of a service without metadata; with `token_url`")
    token_url: str | None = Field(None, description="Its token endpoint; with `authorization_url`")
    revocation_url: str | None = Field(None, description="Where tokens are given back (RFC 7009); with `token_url`")
    account_url: str | None = Field(
        None,
        description="What says whose account it is, asked with the new token (JSON); default: the UserInfo endpoint where `openid` is asked for",
    )
    client_id: Name | None = Field(
        None, description="Doorward as the service knows it; default: the URL of its client document, else it registers itself (RFC 7591)"
    )
    client_secret: Reference | None = Field(None, description="A reference to the client's secret, such as `${file:secrets/github-oauth}`")
    client_key: Reference | None = Field(
        None, description="A reference to the client's private key (PEM or JWK) instead: it signs assertions (`private_key_jwt`)"
    )
    scopes: tuple[Name, ...] = Field(
        (), description="What is asked for; default: what the upstream asks for when it refuses, or says it knows"
    )
    resource: str | None = Field(
        None,
        description="What tokens are for (RFC 8707); default: as the upstream says, or its URL. An empty text: the service knows no such thing",
    )
    parameters: dict[Name, str] = Field(
        default_factory=dict, description="Further parameters of the authorization request, such as `{access_type: offline}`"
    )
    discovery: Discovery | None = Field(
        None,
        description="With which credential the gateway itself asks what the upstream offers; default: an account that was connected for it",
    )
    private: bool = Field(False, description="The authorization server's addresses may be loopback, private or otherwise special-use")
    plain_http: bool = Field(False, description="Its URLs may be http; for tests on one machine")
    ca_file: str | None = Field(None, description="The only authorities its TLS certificates may come from (PEM), relative to the document")
