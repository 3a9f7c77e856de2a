"""Who acts: the agent, whom it acts for, and both as the one to whom a call is attributed."""

from dataclasses import dataclass
from enum import StrEnum

from doorward.domain.ids import AgentId, InstanceId, SubjectId, TeamId


class AuthnMethod(StrEnum):
    """How a principal was verified."""

    AGENT_KEY = "agent_key"
    ANONYMOUS = "anonymous"
    OWN = "own"
    """The gateway itself, for discovery and other calls of its own."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The software that speaks; never a person."""

    id: AgentId
    owner: str
    team: TeamId
    kind: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The person or service an agent acts for."""

    id: SubjectId
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Actor:
    """One link of a delegation chain (RFC 8693 `act`)."""

    id: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Principal:
    """To whom a call is attributed. INVARIANT: made only in `identity`, from a verified credential."""

    agent: Agent
    subject: Subject | None
    actors: tuple[Actor, ...]
    method: AuthnMethod
    instance: InstanceId
    credential: str
    """The public name of the credential (a key id or a token's hash), never the credential."""
    network: str
    """The address the request came from, as text (IPv4 or IPv6), or `local`."""

    @property
    def id(self) -> str:
        """The stable name of agent and subject together: survives a new key or token."""
        return f"{self.agent.id}/{self.subject.id}" if self.subject else str(self.agent.id)
