"""The source of identity for access tokens: `Authorization: Bearer` (RFC 6750) and `DPoP` (RFC 9449), of our own authority and of others.

What was verified once is remembered under everything it depends on, of the token the SHA-256 of the whole (`Presented.digest`). It is
void as soon as its key, an issuer or anything in the registry changes, or the token or one of its agents ends; a proof is looked at on each
call.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from functools import partial
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from joserfc.jwk import Key

from doorward.domain.actors import Actor, Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.ids import AgentId, SubjectId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.identity import bearer
from doorward.identity.chain import NotYetError, Presented
from doorward.identity.identities import Identity, client
from doorward.identity.registry import SEEN_EVERY_SECONDS
from doorward.identity.tokens import claims as said
from doorward.identity.tokens.claims import Confirmation, Holder
from doorward.identity.tokens.dpop import INVALID_PROOF, Proofs, Wanted, access_token_hash
from doorward.identity.tokens.instances import Instances
from doorward.identity.tokens.issuer import Issuer
from doorward.identity.tokens.jws import Signed, read, refused, shown
from doorward.identity.tokens.keys import RemoteKeys
from doorward.identity.tokens.trusted import Trust, Trusted
from doorward.identity.tokens.verify import check_header, verified

MOST_KNOWN: Final = 4096
"""Tokens remembered: more live ones than that only cost a full check (150 µs) now and then."""
MOST_NETWORKS: Final = 64
"""Addresses remembered for one token, so that an agent that roams does not fill the memory."""

_Slot = tuple[bytes, str, UpstreamId | None]
"""Everything that a verdict depends on and a request can vary: the digest of the header, the certificate and the endpoint."""
_METHOD = AuthnMethod.ACCESS_TOKEN
_DPOP = "dpop "


class Demand(Enum):
    """Which access tokens are accepted."""

    ANY = "any"
    BOUND = "bound"
    """Only those that are tied to a client certificate or a DPoP key."""


class Known(Protocol):
    """Which agent an identity is, and whether it may act (`identity/enrolment.py`)."""

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        """The agent of a verified identity; raises `Refused` UNAUTHENTICATED or REVOKED, and `NotYetError` where a rule enrols it."""
        ...

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        """The agent of a verified name; raises `Refused` likewise."""
        ...


def _nobody_knows(_: AgentId) -> float:
    """Then it is asked for on each call."""
    return float("-inf")


class Registered(msgspec.Struct, frozen=True):
    """The registry as this source needs it."""

    known: Known
    version: Callable[[], int]
    """Rises with each change: which agent an identity is must then be looked at anew."""
    until: Callable[[AgentId], float] = _nobody_knows
    """When an agent ends by itself, as long as nothing changes: until then its standing need not be asked for again."""


class _Remembered(msgspec.Struct):
    """One token that was verified, as it was presented."""

    trusted: Trusted
    key: Key
    slot: tuple[str | None, str]
    """Key id and algorithm, by which the key is looked at again."""
    until: float
    versions: tuple[int, int]
    """Of the registry and the issuers."""
    jkt: str
    """The DPoP key that must sign each request; empty for none."""
    ath: str
    whose: str
    """Who holds it, as its issuer names them."""
    principal: Principal
    """As it was on the first network."""
    principals: dict[str, Principal]
    """By network."""
    look_at: float = float("-inf")
    """From when on it is asked again whether its agents stand, and noted that they were seen."""


class AccessTokens:
    """Knows agents, and whom they act for, by access tokens."""

    __slots__ = ("_audience", "_demand", "_instances", "_now", "_proofs", "_registered", "_remembered", "_trust")

    def __init__(
        self,
        trust: Trust,
        registered: Registered,
        audience: Callable[[UpstreamId | None], str],
        proofs: Proofs,
        demand: Demand,
        now: Callable[[], float],
    ) -> None:
        """`audience` gives the resource of an endpoint (`Resources.of`)."""
        self._trust, self._registered, self._audience = trust, registered, audience
        self._proofs, self._demand, self._now = proofs, demand, now
        self._instances = Instances(now)
        self._remembered: OrderedDict[_Slot, _Remembered] = OrderedDict()

    def identify(self, presented: Presented) -> Principal | None:
        """The principal of a token that holds; None where no signed token was presented; raises `Refused` and `NotYetError`."""
        authorization = presented.authorization
        if authorization is None:
            return None
        certificate, now = presented.certificate, self._now()
        slot = (presented.digest, "" if certificate is None else certificate.thumbprint, presented.endpoint)
        remembered = self._remembered.get(slot)
        if remembered is None or not self._holds(remembered, now):
            self._remembered.pop(slot, None)
            token = signed_token(authorization)
            if token is None:
                return None
            remembered = self._verified(token, presented)
            self._remember(slot, remembered)
        elif remembered.jkt:
            self._check_proof(remembered.jkt, (remembered.ath, remembered.whose), presented)
        if now >= remembered.look_at:
            self._check_standing(remembered, now)
        return remembered.principals.get(presented.network) or _seen_from(presented.network, remembered)

    def _holds(self, remembered: _Remembered, now: float) -> bool:
        """Whether what was verified would be verified again: same key, same issuers, same registry, and not at its end."""
        if now >= remembered.until or remembered.versions != (self._registered.version(), self._trust.version):
            return False
        return remembered.trusted.keys.find(*remembered.slot) is remembered.key

    def _remember(self, slot: _Slot, remembered: _Remembered) -> None:
        if len(self._remembered) >= MOST_KNOWN:
            self._remembered.popitem(last=False)
        self._remembered[slot] = remembered

    def _check_standing(self, remembered: _Remembered, now: float) -> None:
        """Raises `Refused` where an agent of a token may not act; not asked again before one ends, or the next minute."""
        registered, principal = self._registered, remembered.principal
        ends = now + SEEN_EVERY_SECONDS
        for agent in (principal.agent, *[actor.agent for actor in principal.actors]):
            registered.known.standing(agent.id, _METHOD)
            ends = min(ends, registered.until(agent.id))
        remembered.look_at = ends

    def _check_proof(self, jkt: str, token: tuple[str, str], presented: Presented) -> None:
        """RFC 9449 §7: looked at on every call, as each needs a proof of its own. `token`: its hash, and who holds it."""
        if not jkt:
            return
        ath, whose = token
        wanted = Wanted(presented.method, self._audience(presented.endpoint), ath, presented.request, whose)
        try:
            if presented.dpop is None:
                raise refused("the token is bound to a DPoP key, and no proof came with it")
            self._proofs.check(presented.dpop, wanted, jkt)
        except Refused as failed:
            raise Refused(failed.reason, failed.detail, extra={"error": INVALID_PROOF}) from failed

    def _verified(self, token: str, presented: Presented) -> _Remembered:
        """Everything about a token, looked at in the order in which one thing makes the next worth looking at."""
        versions = (self._registered.version(), self._trust.version)
        signed = read(token)
        trusted = self._trusted(signed)
        issuer = trusted.issuer
        check_header(signed, issuer)
        key = trusted.keys.find(signed.kid, signed.alg)
        if key is None:
            raise NotYetError(partial(_keys, trusted, signed))
        good = verified(signed, key, issuer, self._audience(presented.endpoint), self._now())
        bound, ath = said.confirmation(good.claims), access_token_hash(token)
        self._check_bound(bound, presented)
        held = said.holder(good.claims, issuer)
        whose = f"{issuer.name} {held.client} {held.subject or ''}"
        self._check_proof(bound.key, (ath, whose), presented)
        agent, actors = self._agents(good.claims, issuer, held)
        subject, until = _subject(good.claims, trusted, held)
        proof = Proof(
            scopes=said.scopes(good.claims, issuer, held),
            issuer=issuer.name,
            client=held.client,
            family=said.family(good.claims, issuer),
            certificate=presented.certificate.thumbprint if presented.certificate else "",
            bound=Bound.DPOP if bound.key else Bound.CERTIFICATE if bound.certificate else Bound.NOTHING,
        )
        principal = Principal(
            agent=agent,
            subject=subject,
            actors=actors,
            method=_METHOD,
            instance=self._instances.of(agent, subject, proof, bound),
            credential=f"token:{sha256(token.encode()).hexdigest()}",
            network=presented.network,
            proof=proof,
        )
        until = min(until, good.until)
        slot = (signed.kid, signed.alg)
        return _Remembered(trusted, key, slot, until, versions, bound.key, ath, whose, principal, {presented.network: principal})

    def _trusted(self, signed: Signed) -> Trusted:
        """The configured issuer that a token claims to be of: that claim is proven by the signature, or by nothing."""
        url = signed.claims.get("iss")
        trusted = self._trust.of(url) if isinstance(url, str) else None
        if trusted is None:
            raise refused(f"no issuer {shown(url)} is trusted here")
        return trusted

    def _check_bound(self, bound: Confirmation, presented: Presented) -> None:
        is_proof = _scheme(presented) == _DPOP
        if is_proof is not bool(bound.key):
            raise refused("expected the scheme DPoP for tokens that are bound to a DPoP key, and for no others")
        if bound.certificate and (presented.certificate is None or presented.certificate.thumbprint != bound.certificate):
            raise refused("the token is bound to another client certificate than that of the connection")
        if self._demand is Demand.BOUND and bound == Confirmation():
            raise refused("expected a token that is bound to a client certificate or a DPoP key")

    def _agents(self, claims: Mapping[str, object], issuer: Issuer, held: Holder) -> tuple[Agent, tuple[Actor, ...]]:
        """The agent that speaks, and those before it. INVARIANT: whoever the token names stands in good standing, and is named here."""
        by_client = self._registered.known.agent(client(issuer.name, held.client), _METHOD, claims)
        links = [Actor(one.client, issuer.name, self._link(one.name, issuer)) for one in said.actors(claims, issuer)]
        if not links:
            return by_client, ()
        if all(link.agent.id != by_client.id for link in links):
            links.append(Actor(held.client, issuer.name, by_client))
        return links[0].agent, tuple(links[1:])

    def _link(self, name: str, issuer: Issuer) -> Agent:
        if issuer.is_own:
            return self._registered.known.standing(AgentId(name), _METHOD)
        # The token's claims are about its own client: no rule may take them for those of another.
        return self._registered.known.agent(client(issuer.name, name), _METHOD, {})


async def _keys(trusted: Trusted, signed: Signed) -> None:
    """Fetches the issuer's keys; raises `Refused` where the one that is needed is not among them."""
    await trusted.keys.refresh()
    if trusted.keys.find(signed.kid, signed.alg) is None:
        trouble = trusted.keys.trouble if isinstance(trusted.keys, RemoteKeys) else ""
        raise refused(f"{trusted.issuer.name} has no key {shown(signed.kid)} for {signed.alg}" + (trouble and f": {trouble}"))


def _subject(claims: Mapping[str, object], trusted: Trusted, held: Holder) -> tuple[Subject | None, float]:
    """The person, and until when the groups count."""
    issuer, name = trusted.issuer, held.subject
    if name is None:
        return None, float("inf")
    if not said.leaves_groups_out(claims, issuer):
        return _named(issuer, name, said.groups(claims, issuer)), float("inf")
    source = trusted.groups
    if source is None:
        raise refused(f"the token leaves out groups because there are too many; {issuer.name} needs groups_url and sign_in to ask for them")
    groups = source.find(name)
    if groups is None:
        raise NotYetError(partial(source.fetch, name))
    return _named(issuer, name, groups | said.groups(claims, issuer)), source.until(name)


def _named(issuer: Issuer, name: str, groups: frozenset[str]) -> Subject:
    """A person under the issuer's own name, so that no issuer can speak for another's people."""
    if issuer.is_own:
        return Subject(SubjectId(name), groups)
    return Subject(SubjectId(f"{issuer.name}:{name}"), frozenset(f"{issuer.name}:{group}" for group in groups))


def _seen_from(network: str, remembered: _Remembered) -> Principal:
    if len(remembered.principals) >= MOST_NETWORKS:
        remembered.principals.clear()
    found = remembered.principals[network] = replace(remembered.principal, network=network)
    return found


def _scheme(presented: Presented) -> str:
    return (presented.authorization or "")[: len(_DPOP)].lower()


def signed_token(authorization: str) -> str | None:
    """A signed token in compact form under either scheme; None for anything else."""
    if authorization[: len(_DPOP)].lower() == _DPOP:
        authorization = f"Bearer {authorization[len(_DPOP) :]}"
    token = bearer.token(authorization)
    return token if token is not None and token.count(".") == 2 else None
