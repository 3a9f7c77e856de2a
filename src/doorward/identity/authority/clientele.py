"""Clients of our authority as agents: what enrolment says of `client:self:…`."""

from collections.abc import Mapping
from typing import Final, Protocol

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.chain import NotYetError
from doorward.identity.identities import Identity, client

OWN: Final = "self"
"""The name of our authority among issuers."""


class Known(Protocol):
    """Which agent an identity is, and whether it may act (`identity/enrolment.py`)."""

    def agent(self, identity: Identity, method: AuthnMethod, claims: Mapping[str, object]) -> Agent:
        """The agent of an identity; raises `Refused`, and `NotYetError` where a rule enrols it."""
        ...

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        """The agent of a name; raises `Refused`."""
        ...


class EnrolledClients:
    """The clients that enrolment knows or would know (`Clientele`)."""

    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        self._known = known

    def admit(self, client_id: str) -> None:
        """Raises `Refused` for a client that is none and would become none. Enrols nobody: whoever asks has not signed in yet."""
        try:
            self._agent(client_id)
        except NotYetError:
            return

    async def agent(self, client_id: str) -> str:
        """The id of its agent, enrolled if need be; raises `Refused`."""
        try:
            return self._agent(client_id).id
        except NotYetError as wait:
            await wait.prepare()
        try:
            return self._agent(client_id).id
        except NotYetError as error:
            raise Refused(Reason.UNAUTHENTICATED, "the client could not be enrolled") from error

    def check_standing(self, agent: str) -> None:
        """Raises `Refused` unless the agent may act."""
        self._known.standing(AgentId(agent), AuthnMethod.ACCESS_TOKEN)

    def _agent(self, client_id: str) -> Agent:
        return self._known.agent(client(OWN, client_id), AuthnMethod.ACCESS_TOKEN, {"client_id": client_id})
