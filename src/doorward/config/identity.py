"""The part of the document that says who may act: issuers of tokens, certificates, enrolment, and our own authority."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from doorward.config.part import Name, Part, Reference

IssuerName = Annotated[str, StringConstraints(pattern=r"^[a-z](?:-?[a-z0-9])*$", max_length=31)]
"""How an issuer is called here: it prefixes the names of its users and groups (`corp:alice`). `self` is our own authority."""

Preset = Literal["generic", "auth0", "entra", "google", "keycloak", "okta"]
"""Whose habits an issuer has: which claims name client, user, groups and scopes, and which token types it gives."""

Method = Literal["agent_key", "access_token", "certificate"]
"""A way for an agent to prove who it is."""


class Anonymous(Part):
    """Which agent a caller without a credential is (only on a loopback listener)."""

    agent: Name = Field(description="The agent's id")
    team: Name = Field("local", description="Its team")


class Claims(Part):
    """Which claims of an access token say what; the first that is there counts. Empty: as the preset says."""

    client: tuple[Name, ...] = Field((), description="The OAuth client, which is the agent")
    subject: tuple[Name, ...] = Field((), description="The person it acts for")
    groups: tuple[Name, ...] = Field((), description="The person's groups; each of these claims is read, and joined")
    scopes: tuple[Name, ...] = Field((), description="What the token was limited to; each of these claims is read, and joined")


class SignIn(Part):
    """Doorward as a client of the issuer: people sign in with it (OpenID Connect, code flow with PKCE)."""

    client_id: Name = Field(description="As the issuer knows Doorward")
    client_secret: Reference | None = Field(
        None, description="A reference such as `${file:idp.secret}`; without it Doorward is a public client"
    )
    scopes: tuple[Name, ...] = Field(("openid", "profile", "email"), description="What is asked for; `openid` is always")


class Issuer(Part):
    """An issuer of access tokens, and perhaps the place where people sign in."""

    url: str = Field(description="Its issuer identifier, exactly as in its tokens' `iss`")
    preset: Preset = Field("generic", description="Whose habits it has")
    audiences: tuple[Name, ...] = Field(
        (),
        description="What `aud` must hold one of; default: the URL of the endpoint that is called, such as `https://mcp.example.com/mcp`",
    )
    algorithms: tuple[Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"], ...] = Field(
        ("ES256", "RS256"), min_length=1, description="Which signatures are accepted"
    )
    types: tuple[Name, ...] = Field((), description="Which `typ` a token may have; empty: as the preset says (`at+jwt`)")
    claims: Claims = Field(Claims(), description="Which claims say what")
    scopes: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict,
        description="What the issuer's scopes mean here, such as `{access_as_user: [mcp]}`; `*` is what every token of it may; others "
        "are taken as they are",
    )
    jwks_url: str | None = Field(None, description="Where its keys are; default: as its metadata says")
    groups_url: str | None = Field(
        None,
        description="Where a user's groups are asked for when the token leaves them out (Entra), `{subject}` standing for the user; "
        "default: as the preset says",
    )
    leeway_seconds: int = Field(60, ge=0, le=300, description="How far its clock may be from ours")
    longest_seconds: int | None = Field(
        None,
        ge=1,
        le=31_536_000,
        description="The longest life of an access token, from `iat` to `exp`; one that says more, or no `iat`, is refused",
    )
    longest_chain: int = Field(8, ge=0, le=8, description="How many may have handed a token on, one to the other (`act`)")
    private: bool = Field(False, description="Its address may be loopback, link-local or otherwise special-use")
    plain_http: bool = Field(False, description="http instead of https is meant; for tests on one machine")
    ca_file: str | None = Field(None, description="The only authorities its TLS certificate may come from (PEM), relative to the document")
    sign_in: SignIn | None = Field(None, description="Lets people sign in with this issuer")


class Enrol(Part):
    """Makes a verified identity known as an agent when it first calls; the first rule that matches counts."""

    issuer: IssuerName | None = Field(None, description="Clients of this issuer; `self`: clients of our own authority")
    client: Name = Field(
        "*",
        description="Which client ids, with `issuer`; `*` stands for any text at the end, elsewhere for any without `/ ? # @`",
    )
    claims: dict[Name, str | bool | int] = Field(
        default_factory=dict, description="Claims that the token must have, each the value or a list that holds it; with `issuer`"
    )
    spiffe: Name | None = Field(None, description="Which SPIFFE ids, such as `spiffe://example.org/agents/*`")
    dns: Name | None = Field(None, description="Which DNS names of a certificate, such as `*.agents.example.org`")
    agent: Name = Field(
        description="The agent's id. `{name}`: an agent for each identity, named for the last part of its client id or path, or the first "
        "label of its DNS name, in letters that an id may have; without it, one agent for all"
    )
    team: Name = Field(description="Its team")
    owner: Name = Field(description="The person who answers for it")
    kind: Name = Field("client", description="What sort of software it is")
    purpose: str = Field("", max_length=256, description="What it is for")
    days: float | None = Field(None, gt=0, le=3660, description="When it ends; default: never")
    methods: tuple[Method, ...] = Field((), description="How it may prove itself; empty: only in the way it first came")
    most: int = Field(1000, ge=1, le=100_000, description="How many agents the rule may make known")


class Certificates(Part):
    """Which agent a client certificate stands for: the first of these names that it has is its identity."""

    names: tuple[Literal["spiffe", "dns", "subject"], ...] = Field(("spiffe",), min_length=1, description="What is looked at, in order")
    trust_domains: tuple[Name, ...] = Field((), description="SPIFFE trust domains that are accepted; empty: every one the roots vouch for")


class Clients(Part):
    """Which OAuth clients our own authority deals with, besides those of registered agents."""

    documents: bool = Field(
        True, description="Clients that are named by the URL of a document about themselves (Client ID Metadata Documents)"
    )
    document_hosts: tuple[Name, ...] = Field(
        (), description="Hosts that such documents may be on, `*` standing for any text; empty: every public host"
    )
    private: bool = Field(
        False, description="Such documents may be at loopback or otherwise special-use addresses; for tests on one machine"
    )
    ca_file: str | None = Field(
        None, description="The only authorities that TLS certificates of such documents may come from (PEM), relative to the document"
    )
    dynamic: bool = Field(False, description="Anybody may register a client (RFC 7591; deprecated)")


class KnownClient(Part):
    """An OAuth client that is declared here."""

    name: Name = Field(description="What the consent page calls it")
    redirect_uris: tuple[str, ...] = Field((), description="Where codes may be sent, compared exactly (any port on loopback)")
    jwks_file: str | None = Field(None, description="Its public keys (JWKS), relative to the document: it signs assertions with them")
    jwks_url: str | None = Field(None, description="Where its public keys are, instead")
    secret_sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="For a client that cannot sign: the SHA-256 (hexadecimal) of its secret, which must be 32 random bytes or more",
    )
    grants: tuple[Literal["authorization_code", "refresh_token", "client_credentials", "jwt-bearer", "token-exchange"], ...] = Field(
        ("authorization_code", "refresh_token"), min_length=1, description="What it may ask for tokens with"
    )
    scopes: tuple[Name, ...] = Field(("mcp",), description="The most it can be given")


class Authority(Part):
    """Our own OAuth authorization server: lets any MCP client work with an identity provider that cannot do what MCP asks."""

    sign_in: IssuerName = Field(description="The issuer that people sign in with; it needs `sign_in`")
    token_seconds: int = Field(600, ge=60, le=3600, description="How long an access token is valid")
    refresh_days: float = Field(30, gt=0, le=365, description="How long a connection lasts without the person signing in again")
    key_days: float = Field(90, gt=0, le=3660, description="How long a signing key is used")
    clients: Clients = Field(Clients(), description="Which clients it deals with")
    known: dict[Name, KnownClient] = Field(default_factory=dict, description="Clients declared here, by client id")
    assertions: tuple[IssuerName, ...] = Field(
        (), description="Issuers whose identity assertions are exchanged for tokens (ID-JAG, Enterprise-Managed Authorization)"
    )


class EmbeddedCa(Part):
    """A certificate authority of our own, which issues short-lived certificates to registered agents."""

    hours: float = Field(24, gt=0, le=8760, description="How long a certificate is valid")
    trust_domain: Name = Field("doorward.local", description="Agents become `spiffe://<trust domain>/agent/<id>`")


class Identity(Part):
    """Who may act at all, besides the agents that Doorward has issued keys to."""

    anonymous: Anonymous | None = Field(
        None, description="Who a caller without a credential is; without this field such a caller is refused"
    )
    issuers: dict[IssuerName, Issuer] = Field(default_factory=dict, description="Whose access tokens are accepted, by a name of yours")
    certificates: Certificates = Field(Certificates(), description="Which agent a client certificate stands for")
    enrol: tuple[Enrol, ...] = Field((), description="Makes verified identities known as agents when they first call")
    authority: Authority | None = Field(None, description="Our own OAuth authorization server")
    ca: EmbeddedCa | None = Field(None, description="Our own certificate authority for agents")
    require_bound: bool = Field(False, description="Access tokens are accepted only if tied to a client certificate or a DPoP key")
