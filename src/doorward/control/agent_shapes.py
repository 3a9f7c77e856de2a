"""Admin API: what is said to and of agents and their keys; times are Unix seconds."""

from typing import Literal

from pydantic import Field

from doorward.control.routes import Shape
from doorward.identity.keys import KeyRecord
from doorward.identity.records import NEVER, AgentRecord, State

Method = Literal["agent_key", "access_token", "certificate", "anonymous"]
"""A way for an agent to prove who it is; `anonymous` is for one that need not, on loopback, where the configuration names it."""

_METHODS = "How it may prove itself; `anonymous` lets callers without a credential be this agent, where the configuration says so"
_IDENTITY = "`client:ISSUER:ID`, `spiffe://…`, `dns:HOST` or `subject:NAME`"


class NewAgent(Shape):
    """An agent to make known; it gets a key if it may prove itself by keys."""

    id: str = Field(min_length=1, max_length=64, description="Lower-case letters and digits with single `.`, `_` and `-` between them")
    team: str = Field(min_length=1, max_length=64)
    owner: str = Field("", max_length=256, description="The person who answers for it; default: the operator")
    kind: str = Field("client", max_length=64)
    purpose: str = Field("", max_length=256, description="What it is for")
    methods: tuple[Method, ...] = Field(("agent_key", "access_token", "certificate"), min_length=1, max_length=4, description=_METHODS)
    identities: tuple[str, ...] = Field((), max_length=16, description=f"What tokens and certificates prove it to be: {_IDENTITY}")
    key_days: float = Field(90, gt=0, le=3660)
    expires_days: float | None = Field(None, gt=0, le=3660, description="When the agent itself ends; default never")


class AgentEdit(Shape):
    """What is to be said of an agent from now on; what is left out stays as it is."""

    owner: str | None = Field(None, min_length=1, max_length=256, description="Who answers for it")
    purpose: str | None = Field(None, max_length=256, description="What it is for")
    methods: tuple[Method, ...] | None = Field(None, min_length=1, max_length=4, description=_METHODS)
    expires_days: float | Literal["never"] | None = Field(None, description="When it ends, from now: up to 3660 days, or `never`")


class BoundIdentity(Shape):
    """A name that tokens or certificates prove."""

    identity: str = Field(min_length=1, max_length=2200, description=_IDENTITY)


class Owner(Shape):
    """A person who answers for agents."""

    owner: str = Field(min_length=1, max_length=256)


class Left(Shape):
    """The agents that are kept out because their owner has left; `warnings` as of every change that takes rights away."""

    agents: tuple[str, ...]
    warnings: tuple[str, ...] = ()


class Rotation(Shape):
    """A new key, and for how long the old ones go on."""

    key_days: float = Field(90, gt=0, le=3660)
    overlap_hours: float = Field(24, ge=0, le=8760)


class IssuedKey(Shape):
    """A key's text: shown here and never again."""

    agent: str
    key: str
    key_id: str
    expires_at: float


class AddedAgent(Shape):
    """An agent that is known now, with its key if it has one: the text is shown here and never again; `warnings`: identities that
    nothing can prove as things stand."""

    agent: str
    key: str | None = None
    key_id: str | None = None
    expires_at: float | None = Field(None, description="When the key ends")
    warnings: tuple[str, ...] = ()


class KeyView(Shape):
    """What is known of a key; times are Unix seconds."""

    id: str
    created_at: float
    expires_at: float
    revoked_at: float | None


class AgentView(Shape):
    """An agent as it stands; times are Unix seconds, `expires_at` is null for never."""

    id: str
    owner: str
    team: str
    kind: str
    purpose: str
    state: str
    why: str | None = Field(description="Why it is kept out: `ordered` or `owner_left`; null while it is active")
    methods: tuple[str, ...]
    identities: tuple[str, ...]
    enrolled_by: str = Field(description="`operator NAME` or `rule TEXT`; empty for agents from before this was noted")
    created_at: float
    expires_at: float | None
    seen_at: float | None
    keys: tuple[KeyView, ...]


class AgentList(Shape):
    """Every agent."""

    agents: tuple[AgentView, ...]


def view(record: AgentRecord, keys: tuple[KeyRecord, ...]) -> AgentView:
    """An agent with its keys, for operators."""
    agent = record.agent
    return AgentView(
        id=agent.id,
        owner=agent.owner,
        team=agent.team,
        kind=agent.kind,
        purpose=record.purpose,
        state=record.state,
        why=None if record.state is State.ACTIVE else record.why,
        methods=tuple(sorted(record.methods)),
        identities=tuple(str(identity) for identity in record.identities),
        enrolled_by=record.enrolled_by,
        created_at=record.created_at,
        expires_at=None if record.expires_at == NEVER else record.expires_at,
        seen_at=record.seen_at,
        keys=tuple(KeyView(id=key.id, created_at=key.created_at, expires_at=key.expires_at, revoked_at=key.revoked_at) for key in keys),
    )
