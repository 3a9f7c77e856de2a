"""Whether an agent that proved itself may act: its state, its end, and the ways in which it may prove itself."""

from doorward.domain.actors import AuthnMethod
from doorward.domain.reasons import Reason, Refused
from doorward.identity.records import AgentRecord, State, Why


def check(record: AgentRecord, method: AuthnMethod, now: float) -> None:
    """Raises `Refused` REVOKED for an agent that is kept out, UNAUTHENTICATED for one that has ended or may not prove itself so."""
    if record.state is not State.ACTIVE:
        raise Refused(Reason.REVOKED, f"agent {record.agent.id} is {said(record)}")
    if now >= record.expires_at:
        raise Refused(Reason.UNAUTHENTICATED, f"agent {record.agent.id} has expired")
    if method not in record.methods:
        allowed = ", ".join(sorted(record.methods)) or "nothing"
        raise Refused(Reason.UNAUTHENTICATED, f"agent {record.agent.id} may prove itself by {allowed}, not by {method}")


def said(record: AgentRecord) -> str:
    """How an agent stands, and why."""
    is_left = record.state is State.SUSPENDED and record.why is Why.OWNER_LEFT
    return f"{record.state}: its owner {record.agent.owner!r} has left" if is_left else str(record.state)
