"""Whom the gateway itself fetches documents from, by which rule, and the secrets it has there."""

from collections.abc import Callable
from pathlib import Path

from doorward.config.identity import Clients, Issuer
from doorward.config.model import Document
from doorward.config.references import Resolver
from doorward.credentials.oauth.plans import Way
from doorward.domain.secret import Secret
from doorward.net.addresses import Reach, Rule
from doorward.net.fetch import Caps, Fetch
from doorward.net.tls import Shown

_ANSWER_BYTES = 262_144
"""What an issuer may answer: a few thousand groups of one person."""

_TOKENS = Caps(seconds=10, at_once=256)
"""Of a token endpoint: slower than a document, and each person's token is a request of its own."""


class Outside:
    """The way from this gateway to issuers and to clients' documents."""

    __slots__ = ("_document", "_resolver", "_root")

    def __init__(self, root: Path, resolver: Resolver, document: Callable[[], Document]) -> None:
        """`document`: the one in force, asked at each use."""
        self._root, self._resolver, self._document = root, resolver, document

    def issuer(self, issuer: Issuer) -> Fetch:
        """What fetches from an issuer; raises `NetError` where its authorities cannot be read."""
        return Fetch(_rule(issuer.private, issuer.plain_http), ca_file=self._file(issuer.ca_file), caps=Caps(body_bytes=_ANSWER_BYTES))

    def clients(self, clients: Clients) -> Fetch:
        """What fetches clients' documents about themselves, and the keys they sign with; raises `NetError`."""
        return Fetch(_rule(clients.private, False), ca_file=self._file(clients.ca_file))

    def secret(self, issuer: str) -> Secret | None:
        """Our secret at an issuer, read anew; None where we are a public client there. Raises a `DoorwardError` where it cannot be read."""
        declared = self._document().identity.issuers.get(issuer)
        client = None if declared is None else declared.sign_in
        return None if client is None or client.client_secret is None else self._resolver.resolve(client.client_secret)

    def _file(self, name: str | None) -> str | None:
        return None if name is None else str(self._root / name)


def authorization_server(root: Path, way: Way) -> Fetch:
    """What asks an authorization server for tokens; raises `NetError` where a file that it needs cannot be read."""
    ca_file = None if way.ca_file is None else str(root / way.ca_file)
    shown = None if way.certificate is None else Shown(*(root / file for file in way.certificate))
    return Fetch(_rule(way.is_private, way.is_plain), ca_file=ca_file, shown=shown, caps=_TOKENS)


def _rule(is_private: bool, is_plain: bool) -> Rule:
    return Rule(Reach.PRIVATE if is_private else Reach.PUBLIC, frozenset({"https", "http"} if is_plain else {"https"}))
