"""Delegation: what an agent asks for by the rights of another is decided for both, and so never wider than the other's own.

Every agent of the chain is asked about as if it spoke itself, for the same person and with what it was itself handed: one denial
denies, one question asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from doorward.domain.actors import Actor, Agent, AuthnMethod, Proof, Subject
from doorward.domain.decisions import Allow, Ask, Decision, Deny, Need
from doorward.domain.ids import AgentId, Digest, PolicyId
from doorward.policy.question import Speaker

Verdict = tuple[AgentId, Decision]
"""Who was asked about, and what came of it."""


@dataclass(frozen=True, slots=True)
class Link:
    """An agent of a chain as if it spoke itself: for policy to be asked about, and no principal that a call could be made with."""

    agent: Agent
    subject: Subject | None
    actors: tuple[Actor, ...]
    method: AuthnMethod
    network: str
    proof: Proof


def links(principal: Speaker) -> Iterator[Link]:
    """Everybody in the chain of a principal, nearest first."""
    for number, actor in enumerate(principal.actors, 1):
        yield Link(actor.agent, principal.subject, principal.actors[number:], principal.method, principal.network, principal.proof)


def together(verdicts: Sequence[Verdict]) -> Decision:
    """What the decisions on an agent and on those of its chain, in this order, make of its call."""
    asks = []
    for number, (who, decision) in enumerate(verdicts):
        match decision:
            case Deny(policies, reason, sentence):
                return decision if number == 0 else Deny(policies, f"agent {who}, which it acts for, may not: {reason}", sentence)
            case Ask():
                asks.append(decision)
            case Allow():
                pass
    if not asks:
        return Allow(_every(verdict for _, verdict in verdicts))
    needs = tuple(Need(team) for team in sorted({team for ask in asks for team in ask.approvers}))
    return Ask(_every(asks), needs, "; ".join(dict.fromkeys(ask.reason for ask in asks)), _basis([ask.basis for ask in asks]))


def _every(decisions: "Iterator[Decision] | Sequence[Decision]") -> tuple[PolicyId, ...]:
    return tuple(dict.fromkeys(policy for decision in decisions for policy in decision.policies))


def _basis(parts: Sequence[Digest]) -> Digest:
    """What a grant is bound to: everything that any of the questions rests on."""
    distinct = list(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Digest(sha256("".join(distinct).encode()).hexdigest())
