"""Clients of our authority that nobody has withdrawn: one that is revoked is no agent here, whatever the registry says."""

from collections.abc import Callable, Mapping

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.authority.clientele import Known
from doorward.identity.identities import Identity


class AdmittedClients:
    """What enrolment knows (`Known`), but for what stands revoked."""

    __slots__ = ("_is_withdrawn", "_known")

    def __init__(self, known: Known, is_withdrawn: Callable[[str, str], bool]) -> None:
        """`is_withdrawn` is asked of each issuer and client."""
        self._known, self._is_withdrawn = known, is_withdrawn

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        """The agent of an identity; raises `Refused`, and `NotYetError` where a rule enrols it."""
        if self._is_withdrawn(identity.issuer, identity.name):
            raise Refused(Reason.REVOKED, f"the client {identity.name[:200]!r} is revoked")
        return self._known.agent(identity, method, claims)

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        """The agent of a name; raises `Refused`."""
        return self._known.standing(agent, method)
