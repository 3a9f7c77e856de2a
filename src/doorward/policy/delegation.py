"""Delegation: what an agent asks for by the rights of another is decided for both, and so never wider than the other's own.

Every agent of the chain is asked about as if it spoke itself, for the same person and with what it was itself handed: one denial
denies, one question asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec

from doorward.domain.actors import Actor, Agent, AuthnMethod, Proof, Subject
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.policy.needs import merged
from doorward.policy.question import Speaker
from doorward.policy.waiving import named

Verdict = tuple[AgentId, Decision]
"""Who was asked about, and what came of it."""


class Link(msgspec.Struct, frozen=True):
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
    let: list[Deny] = []
    for number, (who, decision) in enumerate(verdicts):
        match decision:
            case Deny():
                return _of_link(number, who, decision)
            case Ask():
                asks.append(decision)
            case Allow():
                pass
        if decision.would is not None:
            let.append(_of_link(number, who, decision.would))
    would, waiver = let[0] if let else None, named(_waiver(decision) for _, decision in verdicts)
    every = _every(decision for _, decision in verdicts)
    if not asks:
        return Allow(every, would, waiver)
    reason = "; ".join(dict.fromkeys(ask.reason for ask in asks))
    return Ask(_every(asks), merged(need for ask in asks for need in ask.needs), reason, _basis([ask.basis for ask in asks]), waiver, would)


def _of_link(number: int, who: AgentId, denial: Deny) -> Deny:
    """The denial of one agent of a chain as the denial of the call."""
    return denial if number == 0 else replace(denial, reason=f"agent {who}, which it acts for, may not: {denial.reason}")


def _waiver(decision: Decision) -> WaiverId | None:
    return None if isinstance(decision, Deny) else decision.waiver


def _every(decisions: "Iterator[Decision] | Sequence[Decision]") -> tuple[PolicyId, ...]:
    return tuple(dict.fromkeys(policy for decision in decisions for policy in decision.policies))


def _basis(parts: Sequence[Digest]) -> Digest:
    """What a grant is bound to: everything that any of the questions rests on."""
    distinct = list(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Digest(sha256("".join(distinct).encode()).hexdigest())
