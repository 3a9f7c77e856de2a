"""The source of identity for client certificates: the one of a connection, or the one that a trusted proxy has verified.

What a certificate stands for is remembered under its thumbprint, and is void as soon as anything in the registry changes, the
certificate or the agent expires, or a minute has passed: so a look is as strict as a full check. Whether it still holds is not
asked here: `Spoiled` stands before every source.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

from doorward.config.identity import Certificates as Rules
from doorward.domain.actors import ALL_SCOPES, Agent, AuthnMethod, Principal, Proof
from doorward.domain.ids import AgentId, InstanceId
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.naming import identity_of, own_agent
from doorward.identity.certificates.trust import Embedded
from doorward.identity.chain import Presented
from doorward.identity.identities import Identity
from doorward.identity.registry import SEEN_EVERY_SECONDS, Registry

_MOST_KNOWN = 4096
"""Certificates remembered: more live ones than that only cost a full look now and then."""
_MOST_NETWORKS = 64
"""Addresses remembered for one certificate, so that an agent that roams does not fill the memory."""
_METHOD = AuthnMethod.CERTIFICATE
_NO_CLAIMS: Mapping[str, object] = {}


class Agents(Protocol):
    """What is asked of `Enrolment`: each raises `Refused` for an agent that may not act, and notes it as seen."""

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        """The agent of a verified identity; raises `NotYetError` where a rule enrols it."""
        ...

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        """The agent of a verified id."""
        ...


class _Known:
    """One certificate whose agent is known."""

    __slots__ = ("agent", "principals", "until", "version")

    def __init__(self, agent: Agent, until: float, version: int) -> None:
        self.agent = agent
        self.until = until
        self.version = version
        self.principals: dict[str, Principal] = {}


class Certificates:
    """Knows agents by their certificates, where nothing else was presented: a token or key on the same connection decides itself."""

    __slots__ = ("_agents", "_embedded", "_known", "_now", "_registry", "_rules")

    def __init__(self, rules: Rules, embedded: Embedded | None, agents: Agents, registry: Registry, now: Callable[[], float]) -> None:
        self._rules = rules
        self._embedded = embedded
        self._agents = agents
        self._registry = registry
        self._now = now
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def identify(self, presented: Presented) -> Principal | None:
        """The principal of a certificate; None without one, or beside another credential. Raises `Refused`, `NotYetError`."""
        certificate = presented.certificate
        if certificate is None or presented.authorization is not None:
            return None
        known = self._known.get(certificate.thumbprint)
        if known is None or known.version != self._registry.version or self._now() >= known.until:
            self._known.pop(certificate.thumbprint, None)
            known = self._look(certificate)
        return known.principals.get(presented.network) or _principal(known, certificate, presented.network)

    def _look(self, certificate: Certificate) -> _Known:
        version, now = self._registry.version, self._now()
        own = own_agent(certificate, self._embedded)
        if own is not None:
            agent = self._agents.standing(own, _METHOD)
        else:
            agent = self._agents.agent(identity_of(certificate, self._rules, self._embedded), _METHOD, _NO_CLAIMS)
        record = self._registry.standing(agent.id)
        ends = now if record is None else record.expires_at
        known = _Known(agent, min(ends, certificate.not_after, now + SEEN_EVERY_SECONDS), version)
        if len(self._known) >= _MOST_KNOWN:
            self._known.popitem(last=False)
        self._known[certificate.thumbprint] = known
        return known


def _principal(known: _Known, certificate: Certificate, network: str) -> Principal:
    principal = Principal(
        agent=known.agent,
        subject=None,
        actors=(),
        method=_METHOD,
        instance=InstanceId(f"cert:{certificate.thumbprint}"),
        credential=certificate.thumbprint,
        network=network,
        proof=Proof(ALL_SCOPES, certificate=certificate.thumbprint),
    )
    if len(known.principals) < _MOST_NETWORKS:
        known.principals[network] = principal
    return principal
