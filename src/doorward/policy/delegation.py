"""Delegation: what an agent asks for by the rights of another is decided for both, and so never wider than the other's own.

Every agent of the chain is asked about as if it spoke itself, for the same person and with what it was itself handed: one denial
denies, one question asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from doorward.domain.actors import Principal
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import AgentId, Digest, PolicyId

Verdict = tuple[AgentId, Decision]
"""Who was asked about, and what came of it."""


def links(principal: Principal) -> Iterator[Principal]:
    """The principal as each of its actors would be if it spoke itself, nearest first."""
    for number, actor in enumerate(principal.actors, 1):
        yield replace(principal, agent=actor.agent, actors=principal.actors[number:])


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
    approvers = frozenset[str]().union(*(ask.approvers for ask in asks))
    return Ask(_every(asks), approvers, "; ".join(dict.fromkeys(ask.reason for ask in asks)), _basis([ask.basis for ask in asks]))


def _every(decisions: "Iterator[Decision] | Sequence[Decision]") -> tuple[PolicyId, ...]:
    return tuple(dict.fromkeys(policy for decision in decisions for policy in decision.policies))


def _basis(parts: Sequence[Digest]) -> Digest:
    """What a grant is bound to: everything that any of the questions rests on."""
    distinct = list(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Digest(sha256("".join(distinct).encode()).hexdigest())
