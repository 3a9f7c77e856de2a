"""Checks of upstreams at which each person has an account of their own (`kind: user`)."""

from collections.abc import Iterator
from typing import Final

from doorward.config.addresses import split_url
from doorward.config.authorities import AuthorityError, certificates
from doorward.config.check_credentials import credential_of, secret_of
from doorward.config.check_oauth import SCOPE, endpoint_of
from doorward.config.credentials_user import UserCredential
from doorward.config.ground import Found, Ground, error, note
from doorward.config.model import Document
from doorward.config.problems import Step

_URLS: Final = ("issuer", "authorization_url", "token_url", "revocation_url", "account_url")
_OURS: Final = frozenset(
    "response_type client_id redirect_uri state nonce scope resource code_challenge code_challenge_method request request_uri response_mode".split()
)
"""Parameters that hold the flow together."""


def user(document: Document, ground: Ground) -> Iterator[Found]:
    """Findings about every such upstream."""
    for name, upstream in document.upstreams.items():
        if isinstance(upstream.credential, UserCredential):
            at: tuple[Step, ...] = ("upstreams", name, "credential")
            yield from _server(upstream.credential, at)
            yield from _client(upstream.credential, ground, at)
            yield from _asked(upstream.credential, at)
            yield from _rest(upstream.credential, ground, at)


def _server(credential: UserCredential, at: tuple[Step, ...]) -> Iterator[Found]:
    for field in _URLS:
        url = getattr(credential, field)
        if url is not None:
            yield from endpoint_of(credential, url, (*at, field))
    if (credential.authorization_url is None) != (credential.token_url is None):
        yield error("expected authorization_url and token_url, got one of them", *at)
    if credential.token_url is not None and credential.client_id is None:
        yield error("expected the client_id that the service knows Doorward by: without metadata it cannot be told anything else", *at)


def _client(credential: UserCredential, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    proofs = [field for field in ("client_secret", "client_key") if getattr(credential, field) is not None]
    if len(proofs) > 1:
        yield error("expected one of client_secret and client_key, got both", *at)
    for field in proofs:
        yield from secret_of(getattr(credential, field), ground, (*at, field))
        if credential.client_id is None:
            yield error("this is said of a client_id, and there is none", *at, field)
    if credential.client_id is not None and credential.issuer is None and credential.token_url is None:
        yield error(
            "expected the issuer that knows this client: the upstream could name another, and would be shown its proof", *at, "client_id"
        )
    if credential.client_id is not None and not proofs:
        yield note("a client without client_secret or client_key is told from others by PKCE alone", *at, "client_id")


def _asked(credential: UserCredential, at: tuple[Step, ...]) -> Iterator[Found]:
    for index, scope in enumerate(credential.scopes):
        if not SCOPE.fullmatch(scope):
            yield error("expected one scope, without space, quotes or backslash", *at, "scopes", index)
    for name in credential.parameters:
        if name in _OURS:
            yield error("this parameter is Doorward's own to write", *at, "parameters", name)
    if credential.resource:
        parts = split_url(credential.resource)
        if isinstance(parts, str) and "://" in credential.resource:
            yield error(parts, *at, "resource")


def _rest(credential: UserCredential, ground: Ground, at: tuple[Step, ...]) -> Iterator[Found]:
    if credential.discovery is not None:
        yield from credential_of(credential.discovery, ground, (*at, "discovery"))
    if credential.ca_file is not None:
        try:
            certificates(ground.root / credential.ca_file)
        except AuthorityError as wrong:
            yield error(str(wrong), *at, "ca_file")
