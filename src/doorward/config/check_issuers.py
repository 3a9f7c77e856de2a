"""Whether the issuers of tokens can be told apart and reached safely, and whether their tokens can mean anything here (`identity.issuers`)."""

import re
from collections.abc import Iterator, Mapping

from doorward.config.addresses import is_loopback, is_special, split_url
from doorward.config.authorities import AuthorityError, certificates
from doorward.config.check_enrol import SELF
from doorward.config.ground import Found, Ground, error, note
from doorward.config.identity import Issuer, SignIn
from doorward.config.model import Document
from doorward.config.problems import Step, listed, meant, quoted
from doorward.config.references import MalformedError, Resolver, references_in

SUBJECT = "{subject}"
"""Stands for the person in `groups_url`."""

_SCOPE = re.compile(r"mcp(?::(?P<upstream>[a-z](?:-?[a-z0-9]){0,30}))??(?::read)?")
_ENTRA = "expected the Application (client) ID of the API in Entra, and perhaps its Application ID URI: its v2.0 tokens never name an endpoint's URL"


def issuers(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about each issuer, and about two that cannot be told apart."""
    identity = document.identity
    for name, issuer in identity.issuers.items():
        at: tuple[Step, ...] = ("identity", "issuers", name)
        if name == SELF:
            yield error("this name is that of our own authority; call the issuer otherwise", *at)
        yield from _issuer(issuer, at)
        yield from _scopes(issuer, document, at)
        yield from _authorities(issuer, ground, at)
        if issuer.sign_in is not None:
            yield from _sign_in(issuer.sign_in, ground, at)
    yield from _same(identity.issuers)
    yield from _public(document)


def _issuer(issuer: Issuer, at: tuple[Step, ...]) -> Iterator[Found]:
    yield from _url(issuer, issuer.url, (*at, "url"))
    if "?" in issuer.url:
        yield error("an issuer's identifier has no query", *at, "url")
    if issuer.jwks_url is not None:
        yield from _url(issuer, issuer.jwks_url, (*at, "jwks_url"))
    if issuer.groups_url is not None:
        yield from _groups_url(issuer, issuer.groups_url, (*at, "groups_url"))
    if issuer.plain_http and issuer.url.startswith("https:"):
        yield error("plain_http is said of an https url; one of them is a mistake", *at, "plain_http")
    yield from _kinds(issuer, at)


def _groups_url(issuer: Issuer, url: str, at: tuple[Step, ...]) -> Iterator[Found]:
    yield from _url(issuer, url.replace(SUBJECT, "x"), at)
    if SUBJECT not in url:
        yield error(f"expected {SUBJECT} in it, where the person's id goes", *at)
    if issuer.sign_in is None or issuer.sign_in.client_secret is None:
        yield error("groups are asked for as a client of the issuer; set sign_in with a client_secret", *at)


def _kinds(issuer: Issuer, at: tuple[Step, ...]) -> Iterator[Found]:
    """Tokens that would never fit, or others that would."""
    if not issuer.audiences and issuer.preset == "entra":
        yield error(_ENTRA, *at, "audiences")
    elif not issuer.audiences and issuer.preset == "google":
        yield note("only tokens of service accounts can be for an endpoint's URL; for people's, name the OAuth client id", *at, "audiences")
    if issuer.preset == "generic" and "jwt" in {kind.lower().removeprefix("application/") for kind in issuer.types}:
        yield note("ID tokens have this type too; make sure that none of them has one of the audiences", *at, "types")


def _url(issuer: Issuer, url: str, at: tuple[Step, ...]) -> Iterator[Found]:
    parts = split_url(url)
    if isinstance(parts, str):
        yield error(parts, *at)
        return
    host = parts.hostname or ""
    if parts.scheme == "http" and not issuer.plain_http:
        yield error("expected https, or anybody on the way could bring keys of their own; for a test, say plain_http: true", *at)
    elif parts.scheme == "http" and not is_loopback(host):
        yield note("anybody on the way can bring keys of their own over http", *at)
    if not issuer.private and is_special(host):
        yield error("this address is loopback, private or otherwise special-use; if that is meant, say private: true", *at)


def _scopes(issuer: Issuer, document: Document, at: tuple[Step, ...]) -> Iterator[Found]:
    """What the issuer's scopes are said to mean must be a scope of ours."""
    for theirs, scope in ((theirs, scope) for theirs, ours in issuer.scopes.items() for scope in ours):
        match = _SCOPE.fullmatch(scope)
        upstream = None if match is None else match["upstream"]
        if match is None:
            yield error("expected mcp, mcp:read, mcp:UPSTREAM or mcp:UPSTREAM:read", *at, "scopes", theirs)
        elif upstream is not None and scope != "mcp:read" and upstream not in document.upstreams:
            guess = meant(upstream, document.upstreams)
            yield note(f"no upstream is called {quoted(upstream)}{guess}", *at, "scopes", theirs)


def _authorities(issuer: Issuer, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if issuer.ca_file is None:
        return
    try:
        certificates(ground.root / issuer.ca_file)
    except AuthorityError as wrong:
        yield error(str(wrong), *at, "ca_file")


def _sign_in(client: SignIn, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    path = (*at, "sign_in", "client_secret")
    text = client.client_secret
    if text is None:
        return
    try:
        pointers = references_in(text)
    except MalformedError as malformed:
        yield error(str(malformed), *path)
        return
    # The whole of it: a secret of which one half stands here is half as secret.
    if len(pointers) != 1 or text.strip() != str(pointers[0]):
        yield error("a secret may not stand here; write ${env:NAME} or ${file:path}, and nothing else", *path)
        return
    resolver = Resolver(ground.root, ground.environment)
    yield from (note(sentence, *path) for sentence in resolver.missing(text))
    yield from (note(f"others may read the secret in {file}; chmod 600 it", *path) for file in resolver.exposed(text))


def _same(declared: Mapping[str, Issuer]) -> Iterator[Found]:
    """Issuers that one token could be of."""
    before: dict[str, str] = {}
    for name, issuer in declared.items():
        plain = issuer.url.rstrip("/").lower()
        other = before.setdefault(plain, name)
        if other == name:
            continue
        at = ("identity", "issuers", name, "url")
        if declared[other].url == issuer.url:
            yield error(f"{quoted(other)} is the same issuer; a token must be of one", *at)
        else:
            yield note(f"{quoted(other)} differs from it only in case or a slash at the end; one of them is a mistake", *at)


def _public(document: Document) -> Iterator[Found]:
    """What tokens are for is said by our own URL."""
    identity, listen = document.identity, document.listen
    defaults = [name for name, issuer in identity.issuers.items() if not issuer.audiences]
    public = listen.public_url
    if public is None and not is_loopback(listen.host) and (defaults or identity.authority is not None):
        who = f"tokens of {listed(defaults, 'and')} are" if defaults else "tokens are"
        yield note(f"{who} accepted only for the address that is bound; say what clients call this gateway", "listen", "public_url")
    for name, issuer in identity.issuers.items():
        if identity.authority is not None and public is not None and issuer.url.rstrip("/").lower() == public.rstrip("/").lower():
            yield error("this is the URL of our own authority, whose tokens are accepted anyway", "identity", "issuers", name, "url")
