"""What is known of an agent: who answers for it, what it is for, how it may prove itself, and whether it may act."""

from dataclasses import replace
from enum import StrEnum

import msgspec

from doorward.domain.actors import Agent, AuthnMethod
from doorward.identity.identities import Identity

NEVER = float("inf")
"""The end of an agent that has none: said, not left out."""

AGENT_METHODS = frozenset({AuthnMethod.AGENT_KEY, AuthnMethod.ACCESS_TOKEN, AuthnMethod.CERTIFICATE})
"""Every way for an agent to prove who it is."""


class State(StrEnum):
    """Whether an agent may act. Revoked is for good: its name is not given out again."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Why(StrEnum):
    """Why an agent is kept out."""

    ORDERED = "ordered"
    """An operator said so."""
    OWNER_LEFT = "owner_left"
    """Nobody answers for it any more."""


class AgentRecord(msgspec.Struct, frozen=True):
    """An agent and how it stands. Times are Unix seconds. INVARIANT: new fields have defaults, so that stored ones can be read."""

    agent: Agent
    state: State
    created_at: float
    expires_at: float
    seen_at: float | None = None
    """When it last acted, to the minute; None if it has not."""
    purpose: str = ""
    methods: frozenset[AuthnMethod] = AGENT_METHODS
    """The ways in which it may prove who it is; none of them is implied."""
    identities: tuple[Identity, ...] = ()
    """What tokens and certificates may prove it to be. INVARIANT: each stands with one agent at most."""
    enrolled_by: str = ""
    """`operator NAME` or `rule TEXT`; empty for agents from before this was noted, which operators have added."""
    why: Why = Why.ORDERED
    """Says something only while the agent is kept out."""


class Terms(msgspec.Struct, frozen=True):
    """What else is said of an agent when it is made known."""

    purpose: str = ""
    methods: frozenset[AuthnMethod] = AGENT_METHODS
    identities: tuple[Identity, ...] = ()
    enrolled_by: str = ""


class Edit(msgspec.Struct, frozen=True):
    """What is to be said of an agent from now on; None leaves a thing as it is."""

    owner: str | None = None
    purpose: str | None = None
    methods: frozenset[AuthnMethod] | None = None
    expires_at: float | None = None


def edited(record: AgentRecord, edit: Edit) -> AgentRecord:
    """The record after an edit. A new owner (or the old one, confirmed) answers for the agent: it may be resumed."""
    return msgspec.structs.replace(
        record,
        agent=record.agent if edit.owner is None else replace(record.agent, owner=edit.owner),
        why=record.why if edit.owner is None else Why.ORDERED,
        purpose=record.purpose if edit.purpose is None else edit.purpose,
        methods=record.methods if edit.methods is None else edit.methods,
        expires_at=record.expires_at if edit.expires_at is None else edit.expires_at,
    )


def narrowed(before: AgentRecord, after: AgentRecord) -> AgentRecord:
    """The record with what a change takes away, and nothing of what it gives."""
    return msgspec.structs.replace(before, methods=before.methods & after.methods, expires_at=min(before.expires_at, after.expires_at))
