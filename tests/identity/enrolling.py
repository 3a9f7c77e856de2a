"""A registry with enrolment over it, whose log can fail."""

from collections.abc import Mapping

import pytest

from doorward.config.identity import Enrol
from doorward.domain.actors import Agent, AuthnMethod
from doorward.domain.errors import UnrecordedError
from doorward.domain.ids import AgentId
from doorward.domain.reasons import Reason, Refused
from doorward.domain.receipts import Event
from doorward.identity.chain import NotYetError
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import Identity, parse
from doorward.identity.registry import Registry
from tests.identity.stores import Draws, Memory
from tests.made import Clock


def rule(**fields: object) -> Enrol:
    """An enrolment rule of team ci."""
    return Enrol.model_validate({"agent": "{name}", "team": "ci", "owner": "ada", **fields})


class Gatehouse:
    """Asks for agents as a source of identity does: what is not there yet is prepared, then asked for again."""

    def __init__(self, *rules: Enrol, reserved: tuple[str, ...] = ()) -> None:
        self.clock = Clock()
        self.store = Memory()
        self.registry = Registry(self.store, Draws(), self.clock)
        self.events: list[Event] = []
        self.broken = False
        self.enrolment = Enrolment(self.registry, self.told, self.clock)
        self.enrolment.adopt(rules, frozenset(AgentId(name) for name in reserved))

    async def told(self, event: Event) -> None:
        if self.broken:
            raise UnrecordedError("no space")
        if event.type == "agent_enrolled":
            assert self.registry.by_identity(parse(str(event.fields["identity"]))) is None, "it is told before it is done"
        self.events.append(event)

    async def comes(
        self, identity: Identity, method: AuthnMethod = AuthnMethod.ACCESS_TOKEN, claims: Mapping[str, object] | None = None
    ) -> Agent:
        """The agent of an identity, enrolled if it has to be."""
        try:
            return self.enrolment.agent(identity, method, claims or {})
        except NotYetError as wait:
            await wait.prepare()
        return self.enrolment.agent(identity, method, claims or {})

    async def refused(self, identity: Identity, method: AuthnMethod = AuthnMethod.ACCESS_TOKEN) -> tuple[Reason, str]:
        """Reason and detail of the refusal of an identity."""
        with pytest.raises(Refused) as caught:
            await self.comes(identity, method)
        return caught.value.reason, caught.value.detail
