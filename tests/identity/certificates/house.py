"""Agents that are known by certificates, and what a request presents."""

from doorward.config.identity import Certificates as Rules
from doorward.config.identity import Enrol
from doorward.domain.actors import Agent
from doorward.domain.ids import AgentId, TeamId
from doorward.domain.receipts import Event
from doorward.identity.certificate import Certificate
from doorward.identity.certificates.reader import read
from doorward.identity.certificates.source import Certificates
from doorward.identity.certificates.trust import Embedded
from doorward.identity.chain import Presented
from doorward.identity.enrolment import Enrolment
from doorward.identity.identities import parse
from doorward.identity.records import NEVER, Terms
from doorward.identity.registry import Registry
from tests.certificates import SPIFFE, Authority, Issued
from tests.identity.stores import Draws, Memory
from tests.made import Clock


def seen(issued: Issued, *above: Authority) -> Certificate:
    """A certificate as TLS hands it over, with the authorities of its path up to the root."""
    return read([issued.der, *(one.der for one in above)])


def presented(certificate: Certificate | None, *, authorization: str | None = None, network: str = "10.0.0.9") -> Presented:
    return Presented(authorization, network, loopback=False, certificate=certificate)


class House:
    """A registry with the agent `one`, bound to `SPIFFE`, and the source of certificates over it."""

    def __init__(self, rules: Rules | None = None, embedded: Embedded | None = None, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.told: list[Event] = []
        self.registry = Registry(Memory(), Draws(), self.clock)
        self.enrolment = Enrolment(self.registry, self._tell, self.clock)
        self.source = Certificates(rules or Rules(), embedded, self.enrolment, self.registry, self.clock)

    async def add(self, name: str = "one", *identities: str, **terms: object) -> Agent:
        agent = Agent(AgentId(name), "ada", TeamId("support"), "client")
        bound = tuple(parse(text) for text in identities or (SPIFFE,))
        await self.registry.enter(agent, NEVER, Terms(identities=bound, **terms))  # type: ignore[arg-type]
        return agent

    def enrols(self, *rules: Enrol) -> None:
        self.enrolment.adopt(rules, frozenset())

    async def _tell(self, event: Event) -> None:
        self.told.append(event)
