"""The source of identity for keys that we issued: `Authorization: Bearer dw_…`.

What was verified once is remembered under the SHA-256 of the whole header (`Presented.digest`), and is void as
soon as anything in the registry changes or the key or agent expires: so a look in the cache is as strict as a full check.
"""

from collections import OrderedDict
from collections.abc import Callable

from doorward.domain.actors import ALL_SCOPES, Agent, AuthnMethod, Principal, Proof
from doorward.domain.ids import InstanceId, KeyId
from doorward.domain.reasons import Reason, Refused
from doorward.identity import bearer, keys, standing
from doorward.identity.chain import Presented
from doorward.identity.keys import KeyRecord
from doorward.identity.records import AgentRecord
from doorward.identity.registry import SEEN_EVERY_SECONDS, Registry

MOST_KNOWN = 4096
"""Headers remembered: more live keys than that only cost a full check (7 µs) now and then."""

MOST_NETWORKS = 64
"""Addresses (with certificates) remembered for one key, so that an agent that roams does not fill the memory."""


class _Known:
    """One verified header."""

    __slots__ = ("agent", "key", "principals", "seen_due", "until", "version")

    def __init__(self, agent: Agent, key: KeyId, until: float, version: int) -> None:
        self.agent = agent
        self.key = key
        self.until = until
        self.version = version
        self.seen_due = 0.0
        self.principals: dict[tuple[str, str], Principal] = {}


class AgentKeys:
    """Knows agents by the keys they were issued."""

    __slots__ = ("_known", "_now", "_registry")

    def __init__(self, registry: Registry, now: Callable[[], float]) -> None:
        self._registry = registry
        self._now = now
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def identify(self, presented: Presented) -> Principal | None:
        """The principal of a key that stands; None where no key of ours was presented; raises `Refused`."""
        authorization = presented.authorization
        if authorization is None:
            return None
        now = self._now()
        slot = presented.digest
        known = self._known.get(slot)
        if known is None or known.version != self._registry.version or now >= known.until:
            self._known.pop(slot, None)
            if keys.PREFIX not in authorization:
                return None
            known = self._verified(authorization, now)
            if known is None:
                return None
            self._remember(slot, known)
        if now >= known.seen_due:
            self._registry.seen(known.agent.id, now)
            known.seen_due = now + SEEN_EVERY_SECONDS
        certificate = presented.certificate
        # A key on a connection with a certificate: who revokes that means whatever comes over it.
        place = (presented.network, "" if certificate is None else certificate.thumbprint)
        return known.principals.get(place) or _principal(known, place)

    def _verified(self, authorization: str, now: float) -> _Known | None:
        text = bearer.token(authorization)
        if text is None or not text.startswith(keys.PREFIX):
            return None
        key_id = keys.key_id(text)
        if key_id is None:
            raise Refused(Reason.UNAUTHENTICATED, "the agent key is not well-formed")
        key = self._registry.key(key_id)
        if not keys.matches(text, key) or key is None:
            raise Refused(Reason.UNAUTHENTICATED, f"no agent key {key_id} with this secret")
        agent = self._registry.standing(key.agent)
        if agent is None:
            raise Refused(Reason.UNAUTHENTICATED, f"the agent of key {key_id} is not registered")
        _check(key, agent, now)
        return _Known(agent.agent, key.id, min(key.expires_at, agent.expires_at), self._registry.version)

    def _remember(self, slot: bytes, known: _Known) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.popitem(last=False)
        self._known[slot] = known


def _check(key: KeyRecord, agent: AgentRecord, now: float) -> None:
    if key.revoked_at is not None:
        raise Refused(Reason.REVOKED, f"key {key.id} of {agent.agent.id} is revoked")
    standing.check(agent, AuthnMethod.AGENT_KEY, now)
    if now >= key.expires_at:
        raise Refused(Reason.UNAUTHENTICATED, f"key {key.id} of {agent.agent.id} has expired")


def _principal(known: _Known, place: tuple[str, str]) -> Principal:
    network, thumbprint = place
    principal = Principal(
        agent=known.agent,
        subject=None,
        actors=(),
        method=AuthnMethod.AGENT_KEY,
        instance=InstanceId(f"key:{known.key}"),
        credential=known.key,
        network=network,
        proof=Proof(ALL_SCOPES, certificate=thumbprint),
    )
    if len(known.principals) >= MOST_NETWORKS:
        known.principals.clear()
    known.principals[place] = principal
    return principal
