"""The caller without a credential, on a machine's own loopback, where an operator has said who that is."""

from ipaddress import IPv6Address, ip_address

from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.ids import InstanceId
from doorward.identity import standing
from doorward.identity.chain import Presented
from doorward.identity.names import check
from doorward.identity.registry import Registry

LOCAL = "local"
"""The network of a caller on a Unix socket."""

KIND = "anonymous"


class Anonymous:
    """Knows callers that present nothing as one declared agent. INVARIANT: listener and peer are loopback, each by itself."""

    __slots__ = ("_agent", "_latest", "_registry")

    def __init__(self, agent: Agent, registry: Registry) -> None:
        """Raises `RegistryError` for an agent that cannot be called so."""
        check(agent)
        self._agent = agent
        self._registry = registry
        self._latest = self._principal(LOCAL)

    def identify(self, presented: Presented) -> Principal | None:
        """The declared agent; None where a credential was presented, good or bad, or the caller is not on this machine."""
        latest, network = self._latest, presented.network
        if presented.authorization is not None or not presented.loopback or not (network == latest.network or _is_loopback(network)):
            return None
        record = self._registry.standing(self._agent.id)
        if record is not None:
            # A registered agent is nobody's to be: not unless it is said there too that it need not prove itself.
            standing.check(record, AuthnMethod.ANONYMOUS, self._registry.now())
        if network != latest.network:
            # The same one for as long as callers come from the same place: what is remembered of principals is found by them.
            latest = self._latest = self._principal(network)
        return latest

    def _principal(self, network: str) -> Principal:
        return Principal(
            agent=self._agent,
            subject=None,
            actors=(),
            method=AuthnMethod.ANONYMOUS,
            instance=InstanceId(KIND),
            credential=KIND,
            network=network,
        )


def _is_loopback(network: str) -> bool:
    if network == LOCAL:
        return True
    try:
        address = ip_address(network)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
