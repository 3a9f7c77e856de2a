"""Clients as agents: looking at one enrols nobody, granting does."""

import pytest

from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.reasons import Reason, Refused
from doorward.identity.authority.clientele import EnrolledClients
from doorward.identity.chain import NotYetError
from doorward.identity.identities import Identity, client

pytestmark = pytest.mark.anyio


class Known:
    """Knows who was enrolled, and enrols those whose id begins with `https:`."""

    def __init__(self, *, keeps: bool = True) -> None:
        self.agents: dict[Identity, Agent] = {}
        self.keeps = keeps

    def agent(self, identity: Identity, method: AuthnMethod, claims: object) -> Agent:
        assert method is AuthnMethod.ACCESS_TOKEN
        assert claims == {"client_id": identity.name}
        if identity in self.agents:
            return self.agents[identity]
        if not identity.name.startswith("https:"):
            raise Refused(Reason.UNAUTHENTICATED, "unknown")

        async def prepare() -> None:
            if self.keeps:
                self.agents[identity] = Agent(AgentId("tool"), "ann", TeamId("support"), "client")

        raise NotYetError(prepare)

    def standing(self, agent: AgentId, method: AuthnMethod) -> Agent:
        known = next((one for one in self.agents.values() if one.id == agent), None)
        if known is None:
            raise Refused(Reason.REVOKED, "out")
        return known


async def test_a_client_is_admitted_before_and_enrolled_when_it_is_granted_something() -> None:
    known = Known()
    clients = EnrolledClients(known)
    clients.admit("https://tool.example/c")
    assert known.agents == {}
    assert await clients.agent("https://tool.example/c") == "tool"
    assert list(known.agents) == [client("self", "https://tool.example/c")]
    clients.check_standing("tool")


async def test_a_client_that_no_rule_takes_is_refused() -> None:
    clients = EnrolledClients(Known())
    with pytest.raises(Refused):
        clients.admit("desk")
    with pytest.raises(Refused):
        await clients.agent("desk")
    with pytest.raises(Refused):
        clients.check_standing("tool")


async def test_an_enrolment_that_does_not_hold_lets_nobody_in() -> None:
    with pytest.raises(Refused):
        await EnrolledClients(Known(keeps=False)).agent("https://tool.example/c")
