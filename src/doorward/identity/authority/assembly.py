"""An authorization server from its declaration; a reload makes another one, over everything that outlives it."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from doorward.config.identity import Authority as Declared
from doorward.config.identity import Identity
from doorward.domain.reasons import Reason, Refused
from doorward.identity.authority import clients, documents
from doorward.identity.authority.client_authn import ClientAuthn
from doorward.identity.authority.clientele import EnrolledClients, Known
from doorward.identity.authority.clients import Clients
from doorward.identity.authority.documents import Documents
from doorward.identity.authority.families import AuthorityStore
from doorward.identity.authority.grants.assertion import Trusted
from doorward.identity.authority.grants.kit import Kit, Terms
from doorward.identity.authority.keys import DAY_SECONDS, SigningKeys
from doorward.identity.authority.metadata import Abilities
from doorward.identity.authority.mint import Mint, Sources
from doorward.identity.authority.port import Clientele, Ended, Proven, TokenRequest, Told
from doorward.identity.authority.server import AuthorizationServer, Parties
from doorward.identity.people import habits
from doorward.identity.resources import Resources
from doorward.identity.tokens.dpop import Proofs, Wanted
from doorward.identity.tokens.trusted import Trust
from doorward.net.fetch import Web
from doorward.wire.sealed import Seal

_UPSTREAM: Final = re.compile(r"(?=.{1,31}\Z)[a-z](?:-?[a-z0-9])*")
"""As `config.part.UpstreamName`."""


class Means(msgspec.Struct, frozen=True):
    """What outlives a reload."""

    store: AuthorityStore
    keys: SigningKeys
    """Loaded."""
    seal: Seal
    """Of refresh tokens: they are void without its key."""
    known: Known
    """`Enrolment`."""
    proofs: Proofs
    """Of DPoP, for the token endpoint alone."""
    told: Told
    ended: Ended
    """Puts the matter `family` on the switch."""
    pseudonym: Callable[[str], str]
    """`Veil.pseudonym`."""
    draw: Callable[[int], bytes]
    now: Callable[[], float]


class Place(msgspec.Struct, frozen=True):
    """What of the configuration is not the authority's own."""

    identity: Identity
    resources: Resources
    knows_certificates: bool
    """The data listener, or a proxy in front of it, asks for client certificates."""
    root: Path
    """What paths are relative to."""
    trust: Trust
    """It has adopted the issuers of `identity`."""
    web: Web
    """Fetches documents of clients and their keys, by `clients.private` and `clients.ca_file`."""


def assembled(declared: Declared, place: Place, means: Means) -> AuthorizationServer:
    """The server of a declaration; raises a `DoorwardError` where a client's keys cannot be read."""
    means.keys.adopt(declared.key_days)
    issuer = place.resources.origin
    terms = Terms(
        issuer=issuer,
        is_ours=partial(_is_ours, place.resources),
        token_seconds=declared.token_seconds,
        refresh_seconds=declared.refresh_days * DAY_SECONDS,
        must_bind=place.identity.require_bound,
        issuers=frozenset(place.identity.issuers),
    )
    mint = Mint(issuer, declared.token_seconds, Sources(means.keys, means.seal, means.draw, means.now))
    kit = Kit(terms, means.store, mint, EnrolledClients(means.known), means.told, means.ended, means.pseudonym, means.now)
    return AuthorizationServer(kit, means.keys, _parties(declared, place, means, kit.clientele))


def _is_ours(resources: Resources, text: str) -> bool:
    """Whether a text is the resource of an endpoint here. Any name that an upstream could have will do: which there are is nobody's business."""
    every = resources.of(None)
    return text == every or (text.startswith(f"{every}/") and _UPSTREAM.fullmatch(text, len(every) + 1) is not None)


def _parties(declared: Declared, place: Place, means: Means, clientele: Clientele) -> Parties:
    rules = declared.clients
    found = Clients(
        clients.declared(declared.known, place.root),
        Documents(place.web, documents.Terms(rules.document_hosts), means.now) if rules.documents else None,
        means.store if rules.dynamic else None,
        clientele,
    )
    abilities = Abilities(
        documents=rules.documents,
        dynamic=rules.dynamic,
        assertions=bool(declared.assertions),
        certificates=place.knows_certificates,
        secrets=any(client.secret_sha256 for client in declared.known.values()),
    )
    authn = ClientAuthn(place.resources.origin, found, means.store, place.web, means.now)
    return Parties(found, authn, _trusted(declared, place), _proven(means.proofs), abilities)


def _trusted(declared: Declared, place: Place) -> Mapping[str, Trusted]:
    trusted: dict[str, Trusted] = {}
    for name in declared.assertions:
        issuer = place.identity.issuers[name]
        known = place.trust.of(issuer.url)
        if known is not None:
            trusted[issuer.url] = Trusted(name, known.keys, known.issuer.algorithms, issuer.leeway_seconds, habits(issuer))
    return trusted


def _proven(proofs: Proofs) -> Proven:
    def proven(request: TokenRequest, url: str) -> str:
        if request.dpop is None:
            raise Refused(Reason.UNAUTHENTICATED, "a DPoP proof was expected")
        return proofs.check(request.dpop, Wanted("POST", url, "", request.request), None)

    return proven
