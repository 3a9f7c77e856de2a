"""A decision with all that went into it, for operators: policies, facts, and the smallest changes that would flip it."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, assert_never

from pydantic import Field

from doorward.call import limits
from doorward.control.routes import Shape
from doorward.domain.calls import Call
from doorward.domain.catalog import Standing
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.reasons import Refused
from doorward.domain.waivers import Waivers, nothing_waived
from doorward.policy.explain import Considered, explain
from doorward.policy.flip import SECONDS, Flip, flips
from doorward.policy.question import Moment
from doorward.policy.twin import twin
from doorward.runtime.snapshot import Snapshot


class ConsideredView(Shape):
    """A policy that could have matched, and whether it did."""

    policy: str
    effect: str
    mode: str
    path: str
    line: int
    match: str
    reason: str
    actor: str = Field(description="The agent of the chain that it was asked about; empty for the one that speaks")


class FactView(Shape):
    """One attribute that the policies read; `is_there` is false where the call has none. Numbers with a fraction are given as texts."""

    name: str
    value: Any
    is_there: bool


class FlipView(Shape):
    """A change, or two together, that would flip a decision: `effect` and `policies` are what it would be then."""

    sentence: str
    changes: tuple[str, ...]
    realm: str = Field(description="Whose it is to change: `arguments`, `context`, `membership`, `approval` or `policies`")
    effect: str
    policies: tuple[str, ...]


class Explained(Shape):
    """A decision with all that went into it.

    `effect` is what policy says (allow, ask, deny); `passes` whether the call would go on, which `posture: observe`, a definition
    that is withheld and the token's scopes decide too. Stops, limits and findings of inspection are not asked.
    """

    agent: str
    effect: str
    passes: bool
    reason: str
    policies: tuple[str, ...]
    approvers: tuple[str, ...]
    waiver: str | None = Field(description="The exception or broken glass without which it would be denied")
    sentence: str | None = Field(description="What the agent would be told of a denial, besides a reference")
    scope: str | None = Field(description="The least scope that the token would need besides; null where it has it")
    posture: str
    standing: str
    action: str
    at: str
    considered: tuple[ConsideredView, ...]
    facts: tuple[FactView, ...]
    observed: str | None = Field(description="The effect if policies in observe mode were enforced; null where none could match")
    observed_policies: tuple[str, ...]
    flips: tuple[FlipView, ...] = Field(
        description="The smallest changes after which policy would say otherwise, the nearest to the caller first"
    )
    tried: int = Field(description="Questions that were asked of policy to find them")
    tried_all: bool = Field(description="Whether that was everything there is to try: each change, and two at a time where none is enough")


async def explained(snapshot: Snapshot, call: Call, moment: Moment, standing: Standing, waivers: Waivers = nothing_waived) -> Explained:
    """How a call would be decided at a moment by the policies of a snapshot and what is waived."""
    told = explain(snapshot.policies, call, moment, waivers)
    end = time.monotonic() + SECONDS
    # Up to a second of thinking, while calls go on.
    flipped = await asyncio.to_thread(flips, twin(snapshot.policies), call, moment, lambda: time.monotonic() > end, waivers)
    effect, reason = said(told.decision)
    scope = _lacking(call)
    upstream = call.target.upstream
    return Explained(
        agent=call.principal.agent.id,
        effect=effect,
        passes=standing is Standing.APPROVED and scope is None and (effect == "allow" or snapshot.is_observed(upstream)),
        reason=reason,
        policies=told.decision.policies,
        approvers=tuple(sorted(told.decision.approvers)) if isinstance(told.decision, Ask) else (),
        waiver=None if isinstance(told.decision, Deny) else told.decision.waiver,
        sentence=told.decision.sentence if isinstance(told.decision, Deny) else None,
        scope=scope,
        posture=snapshot.posture(upstream),
        standing=standing,
        action=told.action,
        at=datetime.fromtimestamp(moment.unix_seconds, moment.zone).isoformat(timespec="seconds"),
        considered=tuple(_considered(one) for one in told.considered),
        facts=tuple(FactView(name=fact.name, value=_plain(fact.value), is_there=fact.is_there) for fact in told.facts),
        observed=said(told.observed.would)[0] if told.observed is not None else None,
        observed_policies=told.observed.policies if told.observed is not None else (),
        flips=tuple(_flip(one) for one in flipped.found),
        tried=flipped.tried,
        tried_all=flipped.is_whole,
    )


def _flip(flip: Flip) -> FlipView:
    return FlipView(
        sentence=flip.sentence,
        changes=tuple(change.sentence for change in flip.changes),
        realm=flip.realm,
        effect=said(flip.decision)[0],
        policies=flip.decision.policies,
    )


def _lacking(call: Call) -> str | None:
    """The scope that a call's credential would need besides; None where it is within its limits."""
    try:
        limits.check(call)
    except Refused as refused:
        return str(refused.extra["scope"])
    return None


def _considered(one: Considered) -> ConsideredView:
    return ConsideredView(
        policy=one.policy,
        effect=one.effect,
        mode=one.mode,
        path=one.path,
        line=one.line,
        match=one.match,
        reason=one.reason,
        actor=one.actor,
    )


def said(decision: Decision) -> tuple[str, str]:
    """A decision's effect and its reason for operators."""
    match decision:
        case Allow():
            return "allow", ""
        case Ask(reason=reason):
            return "ask", reason
        case Deny(reason=reason):
            return "deny", reason
        case _:
            assert_never(decision)


def _plain(value: object) -> object:
    """A fact as JSON that every reader reads the same."""
    match value:
        case Decimal():
            return str(value)
        case int() if not isinstance(value, bool) and abs(value) >= 2**53:
            return str(value)
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value
