"""What our authorization server gives to those who put it on the wire, and what it asks of the rest of the house.

No HTML, no HTTP and no cookie here: requests come in as the fields they carry, each once (whoever reads them from the wire refuses
duplicates), and go out as values.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from doorward.domain.actors import Subject
from doorward.domain.errors import DoorwardError
from doorward.domain.receipts import Event
from doorward.identity.certificate import Certificate

_DESCRIBED = 300
_QUOTES = frozenset('"\\')


class OAuthError(DoorwardError):
    """A request that gets an error instead of what it asked for (RFC 6749 §4.1.2.1 and §5.2)."""

    def __init__(self, error: str, description: str, status: int = 400, redirect: str | None = None) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        """Its code, such as `invalid_grant`."""
        self.description = _described(description)
        """For whoever develops the client; printable ASCII without quotes or backslashes (RFC 6749 §5.2), and no secret."""
        self.status = status
        """The HTTP status where it is shown; 401 goes with `WWW-Authenticate` naming how the client can authenticate."""
        self.redirect = redirect
        """Where the browser is sent with the error. None: show it and send the browser nowhere, as nobody knows whose address that is."""

    def body(self) -> dict[str, str]:
        """The answer of an endpoint that speaks JSON."""
        return {"error": self.error, "error_description": self.description}


def _described(text: str) -> str:
    short = text if len(text) <= _DESCRIBED else f"{text[: _DESCRIBED - 3]}..."
    return "".join([letter if " " <= letter <= "~" and letter not in _QUOTES else "'" for letter in short])


class Origin(StrEnum):
    """How a client became known."""

    DECLARED = "declared"
    """In the configuration."""
    DOCUMENT = "document"
    """By the document at the URL that is its id (Client ID Metadata Document)."""
    REGISTERED = "registered"
    """By itself (RFC 7591): nothing it says about itself is proven."""


class Grant(StrEnum):
    """What a token can be asked for with, by its shortest name."""

    CODE = "authorization_code"
    REFRESH = "refresh_token"
    CREDENTIALS = "client_credentials"
    ASSERTION = "jwt-bearer"
    EXCHANGE = "token-exchange"

    @property
    def wire(self) -> str:
        """As `grant_type` says it."""
        return f"urn:ietf:params:oauth:grant-type:{self}" if self in (Grant.ASSERTION, Grant.EXCHANGE) else str(self)


class Client(msgspec.Struct, frozen=True):
    """An OAuth client: software that asks for tokens."""

    id: str
    name: str
    """What it calls itself: outside text, up to 128 characters, unproven unless it is declared."""
    origin: Origin
    redirect_uris: tuple[str, ...]
    grants: frozenset[Grant]
    scopes: frozenset[str]
    """The most it can be given."""
    jwks: Mapping[str, object] | None = None
    """Its public keys. A client with keys authenticates by a signed assertion, always."""
    jwks_url: str | None = None
    """Where they are, instead."""
    secret_sha256: str = ""
    """Of the secret of a declared client that cannot sign; empty for none."""

    @property
    def is_confidential(self) -> bool:
        """Whether it has anything to authenticate with; if so, it must."""
        return self.jwks is not None or self.jwks_url is not None or bool(self.secret_sha256)


class Asked(msgspec.Struct, frozen=True):
    """A valid authorization request (OAuth 2.1 §4.1.1): what the person is asked to consent to.

    Plain values, so that it can be sealed and kept while the person signs in.
    """

    client_id: str
    client_name: str
    origin: Origin
    redirect_uri: str
    """As requested: one of the client's (any port on loopback), so that a code may be sent there."""
    state: str | None
    scopes: tuple[str, ...]
    """Sorted; never empty."""
    resource: str
    """The one endpoint of ours that tokens will be for (RFC 8707)."""
    code_challenge: str
    """S256 (RFC 7636)."""
    dpop_jkt: str
    """The thumbprint of the key that the code is bound to (RFC 9449 §10); empty for none."""

    @property
    def redirect_host(self) -> str:
        """Host and port of the redirect, for the consent page: the one thing about the client that is proven."""
        return self.redirect_uri.split("://", 1)[1].split("/", 1)[0].split("?", 1)[0]

    @property
    def is_local(self) -> bool:
        """Whether the code goes to whatever program listens on the person's own machine: the consent page must say so."""
        return self.redirect_uri.startswith("http://")


class Person(Protocol):
    """Somebody who has signed in at the company's identity provider (`sign_in.Person`)."""

    @property
    def subject(self) -> Subject:
        """Id and groups, with the issuer's name in front."""
        ...

    @property
    def name(self) -> str:
        """How the person is called."""
        ...


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token or revocation endpoint. Its `repr` says nothing of its credentials."""

    fields: Mapping[str, str]
    """The form, each field once."""
    dpop: str | None
    """The value of the only `DPoP` header."""
    certificate: Certificate | None
    """The client certificate of the connection, its possession and path already proven."""
    network: str
    """The peer's address as text."""
    request: int = 0
    """Tells requests apart within this process, as in `Presented`."""
    authorization: str | None = None
    """The value of the only `Authorization` header."""

    def __repr__(self) -> str:
        return f"TokenRequest(grant_type={self.fields.get('grant_type', '')[:64]!r}, network={self.network!r})"


class Authority(Protocol):
    """Our authorization server. Every method raises `OAuthError` and nothing else."""

    @property
    def issuer(self) -> str:
        """Its identifier: the origin of our public URL, without a slash at the end."""
        ...

    def metadata(self) -> dict[str, object]:
        """What `/.well-known/oauth-authorization-server` says (RFC 8414)."""
        ...

    def jwks(self) -> dict[str, object]:
        """The public keys that tokens are, will be and lately were signed with (RFC 7517)."""
        ...

    async def client(self, client_id: str) -> Client:
        """The client of this id: declared, described by its document, or registered."""
        ...

    async def asked(self, params: Mapping[str, str]) -> Asked:
        """What an authorization request asks for. Until its redirect URI is proven to be the client's, an error has no `redirect`."""
        ...

    async def granted(self, asked: Asked, person: Person) -> str:
        """Where the browser goes with a code, now that this person has consented in this browser. A rule may make the client's agent known."""
        ...

    def denied(self, asked: Asked, error: str) -> str:
        """Where the browser goes without one; `error` such as `access_denied`."""
        ...

    async def token(self, request: TokenRequest) -> dict[str, object]:
        """The answer of the token endpoint. Send it with `Cache-Control: no-store`."""
        ...

    async def revoke(self, request: TokenRequest) -> None:
        """Ends what a token stands for (RFC 7009): the whole family, the access tokens of it included. An unknown token is no error."""
        ...

    async def register(self, body: Mapping[str, object]) -> dict[str, object]:
        """Registers a client (RFC 7591) where that is enabled; answered with 201."""
        ...


class Clientele(Protocol):
    """Which clients stand for an agent that is known here, or that a rule makes known (`clientele.py`)."""

    def admit(self, client_id: str) -> None:
        """Raises `Refused` where the client neither is an agent in good standing nor would become one. Makes nothing known."""
        ...

    async def agent(self, client_id: str) -> str:
        """The id of its agent, made known now if a rule says so; raises `Refused` as above."""
        ...

    def check_standing(self, agent: str) -> None:
        """Raises `Refused` unless this is the id of an agent in good standing."""
        ...


Proven = Callable[[TokenRequest, str], str]
"""The key thumbprint (RFC 7638) of the request's DPoP proof for a POST to this URL (RFC 9449); raises `Refused` where it does not hold."""

Told = Callable[[Event], Awaitable[object]]
"""Writes a leaf; durable on return. Raises a `DoorwardError` where it cannot: then nothing is given out."""

Ended = Callable[[str, str], Awaitable[object]]
"""A token family has ended before its time: its id, and why. From now on no access token of it may be accepted."""
