"""A question to people and the states it goes through. Pure: every move is here, and there is no other.

pending → pending | approved | rejected | expired   by a yes that is not the last one, the last one, a no, time
approved → used | rejected | expired           by an intent, a person who takes it back, time
used → approved                                 when the call was not forwarded after all (RULINGS 22)
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from doorward.approval.binding import Binding
from doorward.domain.decisions import Need
from doorward.domain.ids import AgentId, Digest, GrantId, PolicyId, UpstreamId


class State(StrEnum):
    """Where a question stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    USED = "used"


MOVES: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.PENDING, State.APPROVED, State.REJECTED, State.EXPIRED}),
    State.APPROVED: frozenset({State.USED, State.REJECTED, State.EXPIRED}),
    State.USED: frozenset({State.APPROVED}),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
}


class Yes(msgspec.Struct, frozen=True):
    """One person's yes."""

    by: str
    """The operator's name."""
    teams: frozenset[str]
    """Those it was said for."""
    at: float
    """Unix seconds."""
    names: frozenset[str] = frozenset()
    """Everything else that the person was known by then."""


class Question(msgspec.Struct, frozen=True):
    """One question, with all that a person must see to answer it. Times are Unix seconds."""

    id: GrantId
    """Its reference, and the id of the grant that comes of it."""
    binding: Binding
    agent: AgentId
    owner: str
    upstream: UpstreamId
    kind: str
    name: str
    canonical: bytes
    """Method, target and arguments, whole: what is approved is what is shown (AISVS 9.2.2)."""
    policies: tuple[PolicyId, ...]
    approvers: frozenset[str]
    """Teams that are asked."""
    reason: str
    asked_at: float
    state: State
    expires_at: float
    """Until when it may be answered; once it is approved, until when the call may be made."""
    decided_by: str = ""
    decided_at: float | None = None
    needs: tuple[Need, ...] = ()
    """What must be met, all of it; empty in a record of before there were any: one of each team then."""
    yeses: tuple[Yes, ...] = ()
    """Who has said yes so far, each person once."""
    subject: str = ""
    """Whom the agent acts for, who may never answer; empty for nobody."""
    owners: tuple[str, ...] = ()
    """Who owns the agents of its chain, besides `owner`."""
    reversibility: str = "irreversible"
    """The tool's class."""
    facts: tuple[tuple[str, str], ...] = ()
    """What a person should know besides the arguments, name and text: derived facts, findings. For show alone."""
    edited: bytes | None = None
    """The arguments (canonical JSON) that an approver put in place of the caller's; None where there is no edit."""
    edited_digest: Digest = Digest("")
    """Of the call with these arguments; empty where there is no edit."""
    revision: int = 0
    """How often people's answers have changed it: of two answers to one revision, one counts and the other is tried again."""

    @property
    def shown_digest(self) -> Digest:
        """The digest of the call that a yes would let through now, which every answer names: the edited one where there is an edit."""
        return self.edited_digest or self.binding.digest

    def is_over(self, now: float) -> bool:
        """Whether its time has run out before it came to anything."""
        return self.state in (State.PENDING, State.APPROVED) and now >= self.expires_at
