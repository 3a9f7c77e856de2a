"""What each upstream is shown, as the configuration says it: a plan names references, never values. Pure.

The headers of an upstream request are built from such a plan alone. Nothing here takes a header of the client, so none can stand in
for a credential of ours (CVE-2026-110279) or travel on by itself.
"""

from collections.abc import Mapping
from typing import assert_never
from urllib.parse import urlsplit

import msgspec

from doorward.config import credentials_oauth as config
from doorward.config.credentials import AssertionCredential, BasicCredential, HeaderCredential, NoCredential, UserCredential
from doorward.config.identity import Issuer
from doorward.config.model import Document, Per, Stdio, Upstream
from doorward.config.references import Pointer, is_given, references_in
from doorward.credentials.assertion import Assertion
from doorward.credentials.connections import declared as connections
from doorward.credentials.connections.declared import PerUser, per_user
from doorward.credentials.oauth import plans as oauth
from doorward.credentials.oauth.declared import for_itself, for_person
from doorward.domain.ids import UpstreamId


class Nothing(msgspec.Struct, frozen=True):
    """The upstream is shown no credential."""

    audience: str


class Certificate(msgspec.Struct, frozen=True):
    """The upstream is shown a certificate of ours by TLS (RFC 8446, 4.4.2), and nothing else."""

    audience: str
    file: str


class StaticHeader(msgspec.Struct, frozen=True):
    """A header with a static secret in it."""

    audience: str
    header: str
    value: str
    """The text with its references, not their values."""


class Basic(msgspec.Struct, frozen=True):
    """A user name and a password (RFC 7617)."""

    audience: str
    username: str
    password: str
    """Both as texts with their references."""


class Environment(msgspec.Struct, frozen=True):
    """The environment of a process, with or without secrets in it."""

    audience: str
    variables: tuple[tuple[str, str], ...]
    """Names and texts with their references."""


class ForPeople(msgspec.Struct, frozen=True):
    """A token for the person behind a call; the gateway's own calls, which have nobody behind them, are made with something else."""

    audience: str
    people: oauth.ForPerson | PerUser
    own: "Nothing | StaticHeader | Basic | oauth.ClientCredentials"


class Process(msgspec.Struct, frozen=True):
    """The environment of processes that not everybody shares, or that have a token in it."""

    audience: str
    per: Per
    """For whom there is a process of its own."""
    static: Environment
    """The variables that are the same in each of them."""
    given: tuple[tuple[str, str], ...]
    """The others, as texts that hold `${credential}`."""
    token: "Plan | None"
    """What makes the token that is put there."""


Static = StaticHeader | Basic | Environment
"""What is the same for everybody, and read from where references lead."""

Given = HeaderCredential | BasicCredential | NoCredential | AssertionCredential | config.OAuthCredential
"""Every kind that needs nobody to click."""

Plan = Nothing | Certificate | Static | Process | Assertion | oauth.ClientCredentials | PerUser | ForPeople


def plans(document: Document) -> Mapping[UpstreamId, Plan]:
    """The plan of every upstream in a document; raises `CredentialError` for one that a check would have refused."""
    return {UpstreamId(name): plan(name, upstream, document.identity.issuers) for name, upstream in document.upstreams.items()}


def connected(of: Mapping[UpstreamId, Plan]) -> Mapping[UpstreamId, PerUser]:
    """Those at which people have accounts of their own."""
    shown = {name: plan.token if isinstance(plan, Process) else plan for name, plan in of.items()}
    people = {name: plan.people if isinstance(plan, ForPeople) else plan for name, plan in shown.items()}
    return {name: plan for name, plan in people.items() if isinstance(plan, PerUser)}


def plan(name: str, upstream: Upstream, issuers: Mapping[str, Issuer]) -> Plan:
    """The plan of one upstream; `issuers`: whose access tokens callers come with."""
    if upstream.stdio is not None:
        return _process(name, upstream, upstream.stdio, issuers)
    audience = " ".join(dict.fromkeys(_origin(url) for url in upstream.addresses))
    certificate = None if upstream.tls is None else upstream.tls.certificate
    if certificate is not None and isinstance(upstream.credential, NoCredential | None):
        return Certificate(audience, certificate)
    if isinstance(upstream.credential, UserCredential):
        return _connected(per_user(name, upstream, upstream.credential, audience), upstream.url)
    return _shown(upstream.credential, audience, upstream.url, issuers)


def _process(name: str, upstream: Upstream, stdio: Stdio, issuers: Mapping[str, Issuer]) -> Environment | Process:
    audience, credential = f"stdio:{name}", upstream.credential
    static = Environment(audience, tuple((key, text) for key, text in stdio.env.items() if not is_given(text)))
    given = tuple((key, text) for key, text in stdio.env.items() if is_given(text))
    match credential:
        case None if stdio.per == "everybody":
            return static
        case None:
            return Process(audience, stdio.per, static, given, None)
        case UserCredential():
            token: Plan = _connected(per_user(name, upstream, credential, audience), None)
        case _:
            token = _shown(credential, audience, None, issuers)
    return Process(audience, stdio.per, static, given, token)


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
        case Process(static=static, token=token):
            return (*texts(static), *(() if token is None else texts(token)))
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
        case StaticHeader() | Basic() | Environment():
            return _kind_of_secrets(of)
        case Process(static=static, token=token):
            return kind(static if token is None else token)
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


def _kind_of_secrets(of: Static) -> str:
    if isinstance(of, Environment):
        return "static" if pointers(of) else "none"
    return "basic" if isinstance(of, Basic) else "static"


def _kind_for(people: oauth.ForPerson | PerUser) -> str:
    return kind(people) if isinstance(people, PerUser) else oauth.kind(people)


def _origin(url: str) -> str:
    """For whom the credential is: scheme, host and port, without user, path or query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"
