"""How tokens are asked for, as the configuration says it: names of servers, keys and scopes, never a value. Pure."""

from collections.abc import Iterator
from enum import StrEnum
from typing import assert_never

import msgspec


class Shown(StrEnum):
    """Where a client's secret stands in a token request (RFC 6749 §2.3.1)."""

    AUTO = "auto"
    """As the server's metadata says, the header if it has the choice."""
    BASIC = "basic"
    POST = "post"


class Secretly(msgspec.Struct, frozen=True):
    """The client shows a secret."""

    secret: str
    """The text with its reference."""
    shown: Shown


class Key(msgspec.Struct, frozen=True):
    """A private key of ours that somebody knows the public half of."""

    key: str
    """The text with its reference: PEM or JWK."""
    id: str | None
    """What the verifier calls it (`kid`); None: as the JWK says, if it is one."""
    algorithm: str | None
    """None: what fits the key."""


class Keyed(msgspec.Struct, frozen=True):
    """The client signs an assertion (private_key_jwt, RFC 7523)."""

    key: Key
    certificate: str | None
    """The file of a certificate (PEM) whose thumbprint goes along (`x5t#S256`), for servers that know keys by it."""
    audience: str | None
    """For whom assertions are; None: the server's issuer, else its token endpoint."""


class Certified(msgspec.Struct, frozen=True):
    """The client is known by the certificate of the connection (RFC 8705)."""


class Unproven(msgspec.Struct, frozen=True):
    """The client has nothing to prove itself with: the grant alone counts."""


Proving = Secretly | Keyed | Certified | Unproven


class Way(msgspec.Struct, frozen=True):
    """How a server may be reached."""

    is_private: bool = False
    is_plain: bool = False
    ca_file: str | None = None
    """The only authorities its certificate may come from, relative to the document."""
    certificate: tuple[str, str] | None = None
    """Files of our own certificate and its key (PEM), relative to the document."""


class Server(msgspec.Struct, frozen=True):
    """An authorization server, and what Doorward is as its client."""

    issuer: str | None
    token_url: str | None
    """Its token endpoint; None: as its metadata says."""
    client: str
    proving: Proving
    way: Way

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return self.issuer or self.token_url or ""

    @property
    def url(self) -> str:
        """Its issuer identifier, where there is one."""
        return self.issuer or ""

    @property
    def is_plain(self) -> bool:
        """Its metadata may lead to http."""
        return self.way.is_plain


class Wanted(msgspec.Struct, frozen=True):
    """What a token is asked for."""

    audience: str | None
    """The server's own name for the upstream (RFC 8693; some servers take it with every grant)."""
    resource: str | None
    """The upstream's URL (RFC 8707)."""
    scopes: tuple[str, ...]
    by_group: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Further scopes for calls of tools of a policy group."""

    def scope(self, groups: frozenset[str]) -> str:
        """The scopes for a call of a target in these groups, as one text; empty where none are asked for."""
        if not self.by_group:
            return " ".join(self.scopes)
        more = (scope for group, scopes in self.by_group if group in groups for scope in scopes)
        return " ".join(dict.fromkeys((*self.scopes, *more)))


class Presented(msgspec.Struct, frozen=True):
    """The person is told by the access token that the caller presented."""

    issuer: str
    """Whose tokens these are, by the name under `identity.issuers`. INVARIANT: no other's token is sent."""
    type: str
    """What it is called towards the server (RFC 8693 §3)."""


class Vouched(msgspec.Struct, frozen=True):
    """The person is told by a JWT that Doorward signs for the moment."""

    type: str
    issuer: str | None
    """Whose people: they are named as this issuer names them, and there are no others. None: everybody, by their full names here."""
    audience: str | None
    """None: the server's issuer, else its token endpoint."""
    key: Key | None
    """None: one of Doorward's own, whose public halves it publishes."""
    name: str | None
    """`iss`, with a key of its own."""


Subject = Presented | Vouched


class Actor(StrEnum):
    """Whether the agent is told by a token of its own (RFC 8693 `actor_token`)."""

    NONE = "none"
    TOKEN = "token"


class ClientCredentials(msgspec.Struct, frozen=True):
    """Doorward as itself (RFC 6749 §4.4)."""

    audience: str
    server: Server
    wanted: Wanted


class TokenExchange(msgspec.Struct, frozen=True):
    """A token for the person, for another (RFC 8693)."""

    audience: str
    server: Server
    wanted: Wanted
    subject: Subject
    actor: Actor


class OnBehalfOf(msgspec.Struct, frozen=True):
    """A token for the person, for the one that was presented (Entra)."""

    audience: str
    server: Server
    wanted: Wanted
    subject: Presented


class JwtBearer(msgspec.Struct, frozen=True):
    """A token for the person, for a JWT that names them (RFC 7523)."""

    audience: str
    server: Server
    wanted: Wanted
    subject: Vouched


class IdJag(msgspec.Struct, frozen=True):
    """A token for the person, for an assertion of the identity provider (draft-ietf-oauth-identity-assertion-authz-grant)."""

    audience: str
    provider: Server
    """Who makes the assertion."""
    server: Server
    """Who takes it."""
    wanted: Wanted
    subject: Subject


ForPerson = TokenExchange | OnBehalfOf | JwtBearer | IdJag
"""What is made for one person."""

OAuth = ClientCredentials | ForPerson


def texts(of: OAuth) -> tuple[str, ...]:
    """The texts of a plan that hold references."""
    return tuple(_texts(of))


def kind(of: OAuth) -> str:
    """How receipts name the plan."""
    match of:
        case ClientCredentials():
            return "client_credentials"
        case TokenExchange():
            return "token_exchange"
        case OnBehalfOf():
            return "on_behalf_of"
        case JwtBearer():
            return "jwt_bearer"
        case IdJag():
            return "id_jag"
        case _:
            assert_never(of)


def _texts(of: OAuth) -> Iterator[str]:
    servers = (of.provider, of.server) if isinstance(of, IdJag) else (of.server,)
    for server in servers:
        match server.proving:
            case Secretly(secret=secret):
                yield secret
            case Keyed(key=key):
                yield key.key
            case Certified() | Unproven():
                pass
    if not isinstance(of, ClientCredentials) and isinstance(of.subject, Vouched) and of.subject.key is not None:
        yield of.subject.key.key
