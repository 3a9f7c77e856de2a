"""A connection: one account at an upstream, connected by the one person who may use it.

LAW: a connection is found by its own holder alone. There is no other holder to fall back on, whoever asks.
"""

from enum import StrEnum
from typing import Final, NewType

import msgspec

from doorward.domain.actors import AuthnMethod, Principal
from doorward.domain.ids import AgentId, SubjectId, UpstreamId

ConnectionId = NewType("ConnectionId", str)

Holder = NewType("Holder", str)
"""Whose a connection is: `user:corp:00u1x7`, or `own`."""

OWN: Final = Holder("own")
"""The gateway's own principal: made by an operator on purpose, used for discovery and nothing else."""

EVERY_AGENT: Final = AgentId("*")
"""In the place of an agent: all that act for the holder and have no connection of their own there. No agent is called so."""


def person(subject: SubjectId) -> Holder:
    """A person as a holder."""
    return Holder(f"user:{subject}")


def subject_of(holder: Holder) -> SubjectId | None:
    """The person that a holder is; None for the gateway itself."""
    kind, _, name = holder.partition(":")
    return SubjectId(name) if kind == "user" else None


def holder_of(principal: Principal) -> Holder | None:
    """Whose connections a principal may use; None for an agent that acts for nobody."""
    if principal.method is AuthnMethod.OWN:
        return OWN
    return None if principal.subject is None else person(principal.subject.id)


class Status(StrEnum):
    """How a connection is."""

    WORKING = "working"
    BROKEN = "broken"
    """It gives no more tokens until the person connects again; `why` says what happened."""
    REVOKED = "revoked"
    """It is gone here; only what was just ended is ever shown so."""


class Place(msgspec.Struct, frozen=True):
    """Where a connection is looked for: there is one at most."""

    holder: Holder
    upstream: UpstreamId
    agent: AgentId
    """`EVERY_AGENT`, or the one agent that uses it."""


class Connection(msgspec.Struct, frozen=True):
    """What may be shown of a connection to its holder and to operators: no token is in it."""

    id: ConnectionId
    place: Place
    account: str
    """How the service calls the account; empty where it does not say. For its holder's eyes: it may be an e-mail address."""
    issuer: str
    """The authorization server that its tokens come from."""
    scopes: tuple[str, ...]
    """What was granted; empty where the service does not say."""
    status: Status
    why: str
    """Why it is broken; else empty."""
    created_at: float
    """Unix seconds, as all times here."""
    refreshed_at: float | None
    used_at: float | None
    """To about an hour across a restart."""
