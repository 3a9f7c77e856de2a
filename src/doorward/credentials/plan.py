"""What each upstream is shown, as the configuration says it: a plan names references, never values. Pure.

The headers of an upstream request are built from such a plan alone. Nothing here takes a header of the client, so none can stand in
for a credential of ours (CVE-2026-110279) or travel on by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from doorward.config import credentials_oauth as config
from doorward.config.credentials import AssertionCredential, BasicCredential, HeaderCredential, NoCredential, UserCredential
from doorward.config.identity import Issuer
from doorward.config.model import Document, Upstream
from doorward.config.references import Pointer, references_in
from doorward.credentials.assertion import Assertion
from doorward.credentials.connections import declared as connections
from doorward.credentials.connections.declared import PerUser, per_user
from doorward.credentials.oauth import plans as oauth
from doorward.credentials.oauth.declared import for_itself, for_person
from doorward.domain.ids import UpstreamId


@dataclass(frozen=True, slots=True)
class Nothing:
    """The upstream is shown no credential."""

    audience: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """The upstream is shown a certificate of ours by TLS (RFC 8446, 4.4.2), and nothing else."""

    audience: str
    file: str


@dataclass(frozen=True, slots=True)
class StaticHeader:
    """A header with a static secret in it."""

    audience: str
    header: str
    value: str
    """The text with its references, not their values."""


@dataclass(frozen=True, slots=True)
class Basic:
    """A user name and a password (RFC 7617)."""

    audience: str
    username: str
    password: str
    """Both as texts with their references."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment of a process, with or without secrets in it."""

    audience: str
    variables: tuple[tuple[str, str], ...]
    """Names and texts with their references."""


@dataclass(frozen=True, slots=True)
class ForPeople:
    """A token for the person behind a call; the gateway's own calls, which have nobody behind them, are made with something else."""

    audience: str
    people: oauth.ForPerson | PerUser
    own: "Nothing | StaticHeader | Basic | oauth.ClientCredentials"


Static = StaticHeader | Basic | Environment
"""What is the same for everybody, and read from where references lead."""

Given = HeaderCredential | BasicCredential | NoCredential | AssertionCredential | config.OAuthCredential
"""Every kind that needs nobody to click."""

Plan = Nothing | Certificate | Static | Assertion | oauth.ClientCredentials | PerUser | ForPeople


def plans(document: Document) -> Mapping[UpstreamId, Plan]:
    """The plan of every upstream in a document; raises `CredentialError` for one that a check would have refused."""
    return {UpstreamId(name): plan(name, upstream, document.identity.issuers) for name, upstream in document.upstreams.items()}


def connected(of: Mapping[UpstreamId, Plan]) -> Mapping[UpstreamId, PerUser]:
    """Those at which people have accounts of their own."""
    people = {name: plan.people if isinstance(plan, ForPeople) else plan for name, plan in of.items()}
    return {name: plan for name, plan in people.items() if isinstance(plan, PerUser)}


def plan(name: str, upstream: Upstream, issuers: Mapping[str, Issuer]) -> Plan:
    """The plan of one upstream; `issuers`: whose access tokens callers come with."""
    if upstream.stdio is not None:
        return Environment(f"stdio:{name}", tuple(upstream.stdio.env.items()))
    audience = " ".join(dict.fromkeys(_origin(url) for url in upstream.addresses))
    certificate = None if upstream.tls is None else upstream.tls.certificate
    if certificate is not None and isinstance(upstream.credential, NoCredential | None):
        return Certificate(audience, certificate)
    if isinstance(upstream.credential, UserCredential):
        return _connected(per_user(name, upstream, upstream.credential, audience), upstream.url)
    return _shown(upstream.credential, audience, upstream.url, issuers)


def _connected(people: PerUser, url: str | None) -> PerUser | ForPeople:
    own = people.credential.discovery
    return people if own is None else ForPeople(people.audience, people, _own(own, people.audience, url))


def _shown(credential: Given | None, audience: str, url: str | None, issuers: Mapping[str, Issuer]) -> Plan:
    match credential:
        case AssertionCredential(header=header, audience=whom, seconds=seconds):
            return Assertion(audience, header, whom or url or audience, seconds)
        case config.TokenExchange() | config.OnBehalfOf() | config.JwtBearer() | config.IdJag():
            own = _own(credential.discovery, audience, url)
            return ForPeople(audience, for_person(credential, audience, url, issuers), own)
        case _:
            return _own(credential, audience, url)


def _own(credential: config.Discovery | None, audience: str, url: str | None) -> Nothing | StaticHeader | Basic | oauth.ClientCredentials:
    """What needs nobody but us."""
    match credential:
        case None | NoCredential():
            return Nothing(audience)
        case HeaderCredential(header=header, value=value):
            return StaticHeader(audience, header, value)
        case BasicCredential(username=username, password=password):
            return Basic(audience, username, password)
        case config.ClientCredentials():
            return for_itself(credential, audience, url)
        case _:
            assert_never(credential)


def texts(of: Plan) -> tuple[str, ...]:
    """The texts of a plan that may hold references."""
    match of:
        case Nothing() | Certificate() | Assertion():
            return ()
        case StaticHeader():
            return (of.value,)
        case Basic():
            return (of.username, of.password)
        case Environment():
            return tuple(text for _, text in of.variables)
        case PerUser():
            return connections.texts(of)
        case oauth.ClientCredentials():
            return oauth.texts(of)
        case ForPeople(people=people, own=own):
            return (*(connections.texts(people) if isinstance(people, PerUser) else oauth.texts(people)), *texts(own))
        case _:
            assert_never(of)


def pointers(of: Plan) -> tuple[Pointer, ...]:
    """Every reference of a plan; raises `MalformedError`."""
    return tuple(pointer for text in texts(of) for pointer in references_in(text))


def kind(of: Plan) -> str:
    """How receipts name the plan: `none` where no secret is involved, else by what is shown."""
    match of:
        case Nothing():
            return "none"
        case Certificate():
            return "certificate"
        case StaticHeader():
            return "static"
        case Basic():
            return "basic"
        case Environment():
            return "static" if pointers(of) else "none"
        case Assertion():
            return "assertion"
        case oauth.ClientCredentials():
            return oauth.kind(of)
        case PerUser():
            return "user"
        case ForPeople(people=people):
            return _kind_for(people)
        case _:
            assert_never(of)


def _kind_for(people: oauth.ForPerson | PerUser) -> str:
    return kind(people) if isinstance(people, PerUser) else oauth.kind(people)


def _origin(url: str) -> str:
    """For whom the credential is: scheme, host and port, without user, path or query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
