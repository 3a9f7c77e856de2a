"""Credentials that Doorward asks an authorization server for, without a person having to click (OAuth 2.0)."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from doorward.config.credentials_plain import BasicCredential, HeaderCredential, NoCredential
from doorward.config.identity import Issuer, IssuerName
from doorward.config.part import Name, Part, Reference

ToolGroup = Literal["read", "write", "destructive", "external"]

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"]


class ClientTls(Part):
    """A certificate that Doorward shows (RFC 8705)."""

    certificate: str = Field(description="Our certificate and its chain (PEM), relative to the document")
    key: str = Field(description="Its private key (PEM), relative to the document; readable by the gateway's user alone")


class OAuthServer(Part):
    """An authorization server, and Doorward as its client, proven by one of `client_secret`, `client_key` and `tls`."""

    issuer: str | None = Field(
        None, description="Its issuer identifier: its endpoints are as its metadata says, which must be of this issuer"
    )
    token_url: str | None = Field(None, description="Its token endpoint, of a server without metadata")
    client_id: Name = Field(description="As the server knows Doorward")
    client_secret: Reference | None = Field(None, description="A reference to the client's secret, such as `${file:secrets/idp}`")
    secret_in: Literal["auto", "basic", "post"] = Field(
        "auto", description="Where the secret stands: in the header (`basic`), in the form (`post`), or as the metadata says"
    )
    client_key: Reference | None = Field(
        None, description="A reference to the client's private key (PEM or JWK) instead: it signs assertions (`private_key_jwt`)"
    )
    key_id: Name | None = Field(None, description="What the server calls the key (`kid`); default: as the JWK says")
    key_algorithm: Algorithm | None = Field(None, description="What the key signs with; default: what fits it (`RS256`, `ES256`, `EdDSA`)")
    key_certificate: str | None = Field(
        None, description="A certificate (PEM) of the key, relative to the document, for servers that know keys by its thumbprint (Entra)"
    )
    key_audience: str | None = Field(None, description="For whom the assertions are; default: the issuer, else the token endpoint")
    tls: ClientTls | None = Field(None, description="The client certificate instead (`tls_client_auth`, `self_signed_tls_client_auth`)")
    private: bool = Field(False, description="Its addresses may be loopback, private or otherwise special-use")
    plain_http: bool = Field(False, description="Its URLs may be http; for tests on one machine")
    ca_file: str | None = Field(None, description="The only authorities its TLS certificates may come from (PEM), relative to the document")


class SignedSubject(Part):
    """How a JWT that Doorward signs names the person."""

    people_of: IssuerName | None = Field(
        None,
        description="The issuer under `identity.issuers` whose people the server knows, by the names that it gives them; "
        "default: everybody, by their full names here (`corp:alice`)",
    )
    audience: str | None = Field(None, description="For whom the JWT is; default: the server's issuer, else its token endpoint")
    key: Reference | None = Field(
        None, description="A reference to the private key that signs (PEM or JWK); default: Doorward's own, whose public half it publishes"
    )
    key_id: Name | None = Field(None, description="What the server calls that key (`kid`)")
    key_algorithm: Algorithm | None = Field(None, description="What that key signs with; default: what fits it")
    issuer: str | None = Field(None, description="Who says so (`iss`), with a `key`; default: the client's id")


_AUDIENCE = Field(None, description="The server's own name for the upstream, where it wants one (`audience`)")
_RESOURCE = Field(
    None, description="What the token is for (RFC 8707); default: the upstream's URL. An empty text: the server knows no such thing"
)
_SCOPES = Field((), description="What is asked for")
_SCOPES_FOR: dict[ToolGroup, tuple[Name, ...]] = Field(
    default_factory=dict,
    description="What is asked for besides for calls of tools of a group, such as `{write: [crm.write]}`: "
    "those of other groups are made with a token that cannot do that",
)
_PEOPLE_OF = Field(
    None,
    description="The issuer under `identity.issuers` whose access tokens are shown to the server; default: the one of the server's `issuer`",
)


class ClientCredentials(Part):
    """Doorward as itself (RFC 6749 §4.4): the same for all agents and people."""

    kind: Literal["client_credentials"] = Field(description="A token of Doorward's own")
    server: OAuthServer = Field(description="Who gives the token")
    audience: str | None = _AUDIENCE
    resource: str | None = _RESOURCE
    scopes: tuple[Name, ...] = _SCOPES
    scopes_for: dict[ToolGroup, tuple[Name, ...]] = _SCOPES_FOR


Discovery = Annotated[NoCredential | HeaderCredential | BasicCredential | ClientCredentials, Field(discriminator="kind")]

_DISCOVERY = Field(None, description="With which credential the gateway itself asks what the upstream offers: there is no person then")


class TokenExchange(Part):
    """A token for the person behind a call, in exchange for another (RFC 8693)."""

    kind: Literal["token_exchange"] = Field(description="A token in exchange for another")
    server: OAuthServer = Field(description="Who exchanges it")
    subject_token: Literal["presented", "signed"] = Field(
        "presented", description="What tells who the person is: the access token that the caller came with, or a JWT that Doorward signs"
    )
    subject_token_type: str | None = Field(
        None, description="What it is called; default: `urn:ietf:params:oauth:token-type:access_token`, or `…:jwt` of a signed one"
    )
    people_of: IssuerName | None = _PEOPLE_OF
    signed: SignedSubject = Field(SignedSubject(), description="How a signed one names the person")
    actor_token: Literal["none", "signed"] = Field("none", description="`signed`: a JWT that Doorward signs says which agent acts")
    audience: str | None = _AUDIENCE
    resource: str | None = _RESOURCE
    scopes: tuple[Name, ...] = _SCOPES
    scopes_for: dict[ToolGroup, tuple[Name, ...]] = _SCOPES_FOR
    discovery: Discovery | None = _DISCOVERY


class OnBehalfOf(Part):
    """A token for the person behind a call, on behalf of whom the presented one speaks (Microsoft Entra)."""

    kind: Literal["on_behalf_of"] = Field(description="Entra's on-behalf-of flow")
    server: OAuthServer = Field(description="The tenant")
    people_of: IssuerName | None = _PEOPLE_OF
    scopes: tuple[Name, ...] = Field(min_length=1, description="What is asked for, such as `api://crm/.default`")
    scopes_for: dict[ToolGroup, tuple[Name, ...]] = _SCOPES_FOR
    discovery: Discovery | None = _DISCOVERY


class JwtBearer(Part):
    """A token for the person behind a call, for a JWT that names them (RFC 7523 §2.1)."""

    kind: Literal["jwt_bearer"] = Field(description="A token for a JWT that Doorward signs")
    server: OAuthServer = Field(description="Who takes the JWT; the client need not prove itself")
    signed: SignedSubject = Field(SignedSubject(), description="How the JWT names the person")
    audience: str | None = _AUDIENCE
    resource: str | None = _RESOURCE
    scopes: tuple[Name, ...] = _SCOPES
    scopes_for: dict[ToolGroup, tuple[Name, ...]] = _SCOPES_FOR
    discovery: Discovery | None = _DISCOVERY


class IdJag(Part):
    """A token for the person behind a call, by an assertion of the identity provider (ID-JAG, Enterprise-Managed Authorization)."""

    kind: Literal["id_jag"] = Field(description="A token for an identity assertion")
    provider: OAuthServer = Field(description="The identity provider, who makes the assertion")
    server: OAuthServer = Field(description="The upstream's authorization server, who takes it; it needs `issuer`")
    subject_token: Literal["presented", "signed"] = Field(
        "presented", description="What tells the provider who the person is: the access token that the caller came with, or a JWT of ours"
    )
    subject_token_type: str | None = Field(
        None, description="What it is called; default: `urn:ietf:params:oauth:token-type:access_token`, or `…:jwt` of a signed one"
    )
    people_of: IssuerName | None = Field(
        None,
        description="The issuer under `identity.issuers` whose access tokens are shown to the provider; default: the one of the provider's `issuer`",
    )
    signed: SignedSubject = Field(SignedSubject(), description="How a signed one names the person")
    resource: str | None = _RESOURCE
    scopes: tuple[Name, ...] = _SCOPES
    scopes_for: dict[ToolGroup, tuple[Name, ...]] = _SCOPES_FOR
    discovery: Discovery | None = _DISCOVERY


OAuthCredential = ClientCredentials | TokenExchange | OnBehalfOf | JwtBearer | IdJag
"""Every kind that is asked for by OAuth without a person having to click."""

SECRETS: dict[type[Part], tuple[str, ...]] = {
    OAuthServer: ("client_secret", "client_key"),
    SignedSubject: ("key",),
}
"""Of each part, the fields whose texts hold references to secrets."""


def people(credential: TokenExchange | OnBehalfOf | IdJag, issuers: Mapping[str, Issuer]) -> str | None:
    """Whose presented tokens a credential exchanges, by name; None where that is not said and cannot be told."""
    if credential.people_of is not None:
        return credential.people_of
    asked = credential.provider if isinstance(credential, IdJag) else credential.server
    return next((name for name, issuer in issuers.items() if issuer.url == asked.issuer), None)
