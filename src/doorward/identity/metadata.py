"""What our endpoints say of themselves as protected resources (RFC 9728): who gives out tokens for them, and which.

INVARIANT: the document of `/mcp/{name}` depends on nothing but the name: it does not tell whether there is such an upstream.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from doorward.config.identity import Identity
from doorward.config.model import Listen
from doorward.domain.ids import UpstreamId
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import ALGORITHMS
from doorward.identity.tokens.issuer import EVERY, issuer
from doorward.identity.tokens.scopes import ALL, READ, narrowed

_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749 §3.3, and what a quoted text in a header can hold as it is."""


class Advertised(msgspec.Struct, frozen=True):
    """Where clients get tokens for us, and what these can be tied to. There is none where nobody gives any out."""

    servers: tuple[str, ...]
    """Issuer identifiers of authorization servers."""
    scopes: tuple[str, ...]
    """What a client should ask for to begin with, in the words of those servers; empty where they know no scopes."""
    names: Mapping[str, Mapping[str, tuple[str, ...]]] = msgspec.field(default_factory=dict)
    """By issuer, which scopes of its own stand for which of ours; issuers that speak our words are not among them."""
    dpop_algorithms: tuple[str, ...] = tuple(sorted(ALGORITHMS))
    takes_certificates: bool = False
    """Tokens may be tied to the client's certificate (RFC 8705)."""
    is_bound: bool = False
    """Tokens that are tied to nothing are refused."""

    def asked(self, issuer_name: str, scope: str) -> str:
        """What a holder of this issuer's tokens asks for to get one of our scopes: its own word for the least that holds it, else ours."""
        theirs = self.names.get(issuer_name, {})
        fit = [name for name, ours in theirs.items() if name != EVERY and scope in narrowed(frozenset({scope}), frozenset(ours))]
        return min(fit, key=lambda name: (ALL in theirs[name], READ in theirs[name], len(theirs[name])), default=scope)


def advertised(identity: Identity, listen: Listen, resources: Resources) -> Advertised | None:
    """What a configuration lets us say: our own authority where there is one, for it is what clients can work with; else the issuers."""
    own = identity.authority is not None
    if not own and not identity.issuers:
        return None
    names = {name: _named(issuer(name, declared).scopes) for name, declared in identity.issuers.items()}
    wanted = {ALL: None} if own else dict.fromkeys(scope for name in identity.issuers for scope in _first(names[name]))
    return Advertised(
        servers=(resources.origin,) if own else tuple(declared.url for declared in identity.issuers.values()),
        scopes=tuple(wanted),
        names={name: theirs for name, theirs in names.items() if theirs},
        takes_certificates=_takes_certificates(listen),
        is_bound=identity.require_bound,
    )


def metadata(offer: Advertised, resources: Resources, endpoint: UpstreamId | None) -> dict[str, object]:
    """The metadata document of one endpoint (RFC 9728 §2)."""
    document: dict[str, object] = {
        "resource": resources.of(endpoint),
        "resource_name": "Doorward" if endpoint is None else f"Doorward: {endpoint}",
        "authorization_servers": list(offer.servers),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(offer.dpop_algorithms),
        "dpop_bound_access_tokens_required": offer.is_bound and not offer.takes_certificates,
        "tls_client_certificate_bound_access_tokens": offer.takes_certificates,
    }
    return document | {"scopes_supported": list(offer.scopes)} if offer.scopes else document


def _named(scopes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """An issuer's scopes that a client can ask for, and `*`: what its tokens may whatever they were asked for with."""
    return {name: ours for name, ours in scopes.items() if _SCOPE.fullmatch(name)}


def _first(theirs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """What a client of an issuer asks for to begin with."""
    if not theirs:
        return (ALL,)
    named = [name for name in theirs if name != EVERY]
    return tuple(name for name in named if ALL in theirs[name]) or tuple(named)


def _takes_certificates(listen: Listen) -> bool:
    by_proxy = listen.proxy is not None and listen.proxy.client_cert
    return by_proxy or (listen.tls is not None and listen.tls.clients != "off")
