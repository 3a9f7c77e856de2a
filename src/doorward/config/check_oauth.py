"""Checks of credentials that are asked for by OAuth: who is asked, how Doorward proves itself, and in whose name."""

import re
from collections.abc import Iterator, Mapping
from typing import assert_never

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.authorities import AuthorityError, certificates
from doorward.config.check_credentials import credential_of, secret_of
from doorward.config.credentials_oauth import (
    ClientCredentials,
    IdJag,
    JwtBearer,
    OAuthCredential,
    OAuthServer,
    OnBehalfOf,
    SignedSubject,
    TokenExchange,
    people,
)
from doorward.config.credentials_user import UserCredential
from doorward.config.ground import Found, Ground, error, note
from doorward.config.identity import Issuer
from doorward.config.model import Document, Upstream
from doorward.config.problems import Step, meant, quoted

SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_PROOFS = ("client_secret", "client_key", "tls")
_OF_SECRET = ("secret_in",)
_OF_KEY = ("key_id", "key_algorithm", "key_certificate", "key_audience")

Path = tuple[Step, ...]


def oauth(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about every such credential."""
    for name, upstream in document.upstreams.items():
        if isinstance(upstream.credential, OAuthCredential):
            at: Path = ("upstreams", name, "credential")
            yield from _credential(upstream.credential, upstream, ground, at)
            yield from _names(upstream.credential, document.identity.issuers, at)


def _credential(credential: OAuthCredential, upstream: Upstream, ground: Ground, at: Path) -> Iterator[Found]:
    yield from _server(credential.server, ground, (*at, "server"))
    yield from _target(credential, upstream, at)
    match credential:
        case ClientCredentials():
            yield from _proof(credential.server, (*at, "server"))
            return
        case JwtBearer():
            yield from _signed(credential.signed, ground, (*at, "signed"))
        case TokenExchange():
            yield from _proof(credential.server, (*at, "server"))
            yield from _subject(credential, ground, at)
        case OnBehalfOf():
            yield from _proof(credential.server, (*at, "server"))
        case IdJag():
            yield from _server(credential.provider, ground, (*at, "provider"))
            yield from _proof(credential.provider, (*at, "provider"))
            yield from _subject(credential, ground, at)
            if credential.server.issuer is None:
                yield error("expected its issuer: that is whom the assertion is for", *at, "server", "issuer")
        case _:
            assert_never(credential)
    yield from _discovery(credential, upstream, ground, (*at, "discovery"))


def _discovery(credential: TokenExchange | OnBehalfOf | JwtBearer | IdJag, upstream: Upstream, ground: Ground, at: Path) -> Iterator[Found]:
    match credential.discovery:
        case None:
            return
        case ClientCredentials() as own:
            yield from _credential(own, upstream, ground, at)
        case own:
            yield from credential_of(own, ground, at)


def _server(server: OAuthServer, ground: Ground, at: Path) -> Iterator[Found]:
    """Who is asked, and what Doorward has to prove itself with."""
    if (server.issuer is None) == (server.token_url is None):
        yield error("expected one of issuer and token_url", *at)
    for field in ("issuer", "token_url"):
        url = getattr(server, field)
        if url is not None:
            yield from endpoint_of(server, url, (*at, field))
    if server.issuer is not None and "?" in server.issuer:
        yield error("an issuer's identifier has no query", *at, "issuer")
    yield from _proofs(server, ground, at)
    yield from _files(server, ground, at)


def _proofs(server: OAuthServer, ground: Ground, at: Path) -> Iterator[Found]:
    if sum(getattr(server, field) is not None for field in _PROOFS) > 1:
        yield error("expected one of client_secret, client_key and tls, got several", *at)
    for field, others in (("client_secret", _OF_SECRET), ("client_key", _OF_KEY)):
        text = getattr(server, field)
        if text is not None:
            yield from secret_of(text, ground, (*at, field))
            continue
        said = [other for other in others if other in server.model_fields_set]
        yield from (error(f"this is said of a {field}, and there is none", *at, other) for other in said)


def _files(server: OAuthServer, ground: Ground, at: Path) -> Iterator[Found]:
    shown = None if server.tls is None else server.tls.certificate
    for file, place in ((server.ca_file, ("ca_file",)), (server.key_certificate, ("key_certificate",)), (shown, ("tls", "certificate"))):
        if file is None:
            continue
        try:
            certificates(ground.root / file)
        except AuthorityError as wrong:
            yield error(str(wrong), *at, *place)
    if server.tls is not None and not (ground.root / server.tls.key).is_file():
        yield error(f"expected a private key (PEM) in {ground.root / server.tls.key}", *at, "tls", "key")


def _proof(server: OAuthServer, at: Path) -> Iterator[Found]:
    if all(getattr(server, field) is None for field in _PROOFS):
        yield error("expected one of client_secret, client_key and tls: whoever knows the client's id could ask for tokens otherwise", *at)


def endpoint_of(server: OAuthServer | UserCredential, url: str, at: Path) -> Iterator[Found]:
    """What is wrong with a URL of an authorization server."""
    parts = split_url(url)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    host = parts.hostname or ""
    if parts.scheme == "http" and not server.plain_http:
        yield error("expected https, for secrets and tokens travel there; for a test, say plain_http: true", *at)
    elif parts.scheme == "http" and not is_loopback(host):
        yield note("secrets and tokens travel unencrypted over http", *at)
    if not server.private and is_special(host):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def _target(credential: OAuthCredential, upstream: Upstream, at: Path) -> Iterator[Found]:
    """What tokens are for, and limited to."""
    scopes = [((*at, "scopes", index), scope) for index, scope in enumerate(credential.scopes)]
    for group, more in credential.scopes_for.items():
        scopes += [((*at, "scopes_for", group, index), scope) for index, scope in enumerate(more)]
    for path, scope in scopes:
        if not SCOPE.fullmatch(scope):
            yield error("expected one scope, without space, quotes or backslash", *path)
    if isinstance(credential, OnBehalfOf):
        return
    if credential.resource is None and upstream.url is None:
        yield error(
            "expected what the token is for, as there is not one URL that says it; an empty text where the server knows no such thing", *at
        )
    elif credential.resource:
        parts = split_url(credential.resource)
        if isinstance(parts, str) and "://" in credential.resource:
            yield error(parts, *at, "resource")


def _subject(credential: TokenExchange | IdJag, ground: Ground, at: Path) -> Iterator[Found]:
    is_signed = credential.subject_token == "signed"
    if is_signed:
        yield from _signed(credential.signed, ground, (*at, "signed"))
    if is_signed and credential.people_of is not None:
        yield error("this is said of a presented token; say it under signed", *at, "people_of")
    if not is_signed and "signed" in credential.model_fields_set:
        yield error("this is said of a signed token; say subject_token: signed if that is meant", *at, "signed")


def _signed(signed: SignedSubject, ground: Ground, at: Path) -> Iterator[Found]:
    if signed.key is not None:
        yield from secret_of(signed.key, ground, (*at, "key"))
        return
    for field in ("key_id", "key_algorithm", "issuer"):
        if getattr(signed, field) is not None:
            yield error("this is said of a key, and there is none; Doorward's own has its name and issuer", *at, field)


def _names(credential: OAuthCredential, issuers: Mapping[str, Issuer], at: Path) -> Iterator[Found]:
    """That issuers which are named are there, and that it is certain whose tokens are shown to whom."""
    match credential:
        case TokenExchange(subject_token="presented") | IdJag(subject_token="presented") | OnBehalfOf():
            if people(credential, issuers) is None:
                yield error("expected people_of: the issuer under identity.issuers whose access tokens are exchanged there", *at)
            yield from _known(credential.people_of, issuers, (*at, "people_of"))
        case TokenExchange(signed=signed) | IdJag(signed=signed) | JwtBearer(signed=signed):
            yield from _known(signed.people_of, issuers, (*at, "signed", "people_of"))
        case ClientCredentials():
            return


def _known(name: str | None, issuers: Mapping[str, Issuer], at: Path) -> Iterator[Found]:
    if name is not None and name not in issuers:
        yield error(f"no issuer is called {quoted(name)}{meant(name, issuers)}", *at)
