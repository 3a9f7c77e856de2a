"""Who acts: the agent, whom it acts for, and both as the one to whom a call is attributed."""

from dataclasses import dataclass, field
from enum import StrEnum

from doorward.domain.ids import AgentId, InstanceId, SubjectId, TeamId


class AuthnMethod(StrEnum):
    """How a principal was verified."""

    AGENT_KEY = "agent_key"
    ACCESS_TOKEN = "access_token"
    CERTIFICATE = "certificate"
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
    """One link of a delegation chain (RFC 8693 `act`): an agent that handed on a part of its rights."""

    id: str
    """As its issuer names it."""
    issuer: str
    agent: Agent
    """As it is registered here: what it may not do, nobody may do for it."""


class Bound(StrEnum):
    """What a credential is tied to, so that whoever steals it alone has nothing."""

    NOTHING = "nothing"
    CERTIFICATE = "certificate"
    """The client certificate of the connection (RFC 8705)."""
    DPOP = "dpop"
    """A key that signs each request (RFC 9449)."""


ALL_SCOPES = frozenset({"mcp"})
"""What a credential without limits of its own is limited to: everything that policy allows."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a credential proved its principal: what revocation, policy and receipts may name besides the credential itself.

    Empty texts stand for what this sort of credential does not have.
    """

    scopes: frozenset[str]
    """What the credential was limited to, in our words (`ALL_SCOPES` for one without limits)."""
    issuer: str = ""
    """The name of the issuer in the configuration; `self` for our own authority."""
    client: str = ""
    """The OAuth client it was issued to."""
    family: str = ""
    """The grant that it and its refreshed successors come from."""
    certificate: str = ""
    """SHA-256 of the client certificate of the connection (base64url without padding, as RFC 8705 `x5t#S256`)."""
    bound: Bound = Bound.NOTHING


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
    proof: Proof = Proof(ALL_SCOPES)

    id: str = field(init=False, repr=False, compare=False)
    """The stable name of agent, chain and subject together (`agent`, `agent/corp:alice`, `sub<agent/corp:alice`): survives a new key or token.

    Worked out once: a principal is made once for many calls, and each asks for it.
    """

    def __post_init__(self) -> None:
        agent = "<".join((self.agent.id, *[actor.agent.id for actor in self.actors])) if self.actors else self.agent.id
        object.__setattr__(self, "id", f"{agent}/{self.subject.id}" if self.subject else str(agent))
