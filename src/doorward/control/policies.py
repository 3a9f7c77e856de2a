"""Admin API: which policies are in force, and how they would decide a call, with the facts that they read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, assert_never

from pydantic import Field

from doorward.call import limits
from doorward.call.resolve import Caller, make_call
from doorward.catalog.index import Entry
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.domain.actors import Actor, Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Decision, Deny
from doorward.domain.decisions import Ask as AskFirst
from doorward.domain.ids import AgentId, CallId, SubjectId, TeamId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.identity.registry import Registry
from doorward.identity.supposed import supposed
from doorward.policy.explain import Considered, explain
from doorward.policy.question import LOCAL, Moment
from doorward.runtime.generations import Generations
from doorward.runtime.snapshot import Snapshot
from doorward.wire.jsonrpc import Limits, parse_value

_METHODS = {Kind.TOOL: "tools/call", Kind.PROMPT: "prompts/get", Kind.RESOURCE: "resources/read"}


class RuleView(Shape):
    """One policy and where it stands."""

    id: str
    effect: str
    mode: str
    reason: str
    approver: str | None = Field(description="Who may lift this forbid")
    path: str
    line: int


class PolicyList(Shape):
    """The policies in force; `digest` names files and vocabulary together."""

    generation: int
    digest: str
    policies: tuple[RuleView, ...]
    warnings: tuple[str, ...]


class Supposed(Shape):
    """A call to think through; nothing is sent, counted or asked."""

    agent: str
    upstream: str
    kind: Literal["tool", "prompt", "resource"] = "tool"
    name: str = Field(min_length=1, max_length=4096, description="The upstream's own name, or a resource's URI")
    arguments: dict[str, Any] = Field(default_factory=dict)
    user: str | None = Field(None, max_length=512, description="Whom the agent acts for, such as `corp:alice`")
    groups: tuple[str, ...] = Field((), max_length=1000, description="The groups of that person, such as `corp:finance`")
    actors: tuple[str, ...] = Field((), max_length=8, description="The agents by whose rights it acts, the nearest first")
    issuer: str = Field("", max_length=64, description="Who issued its access token; empty: it has none")
    client: str = Field("", max_length=512, description="The OAuth client of the token")
    scopes: tuple[str, ...] = Field(("mcp",), max_length=100, description="What the token is limited to")
    bound: Bound = Field(Bound.NOTHING, description="What the token is tied to")
    certificate: bool = Field(False, description="Whether the connection has a client certificate")
    network: str = Field(LOCAL, max_length=64, description="The address it comes from")
    at: float | None = Field(None, ge=0, le=253402300799, description="Unix seconds; default now")


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


class Explained(Shape):
    """A decision with all that went into it.

    `effect` is what policy says (allow, ask, deny); `passes` whether the call would go on, which `posture: observe`, a definition
    that is withheld and the token's scopes decide too. Stops, limits and findings of inspection are not asked.
    """

    effect: str
    passes: bool
    reason: str
    policies: tuple[str, ...]
    approvers: tuple[str, ...]
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


@dataclass(frozen=True, slots=True)
class PolicyDesk:
    """The operations on policies."""

    generations: Generations
    registry: Registry
    moment: Callable[[], Moment]

    def routes(self) -> tuple[Route, ...]:
        """Their rows of the route table."""
        viewer = Role.VIEWER
        return (
            Route("GET", "/v1/policies", viewer, "List the policies in force", self.all, gives=PolicyList),
            Route("POST", "/v1/policies/explain", viewer, "Explain how a call would be decided", self.explain, Supposed, Explained),
        )

    async def all(self, ask: Ask) -> PolicyList:
        """Every rule of the current generation."""
        snapshot = self.generations.current
        rules = tuple(
            RuleView(
                id=rule.id,
                effect=rule.effect,
                mode=rule.mode,
                reason=rule.reason,
                approver=rule.approver,
                path=rule.source.path,
                line=rule.spot.line,
            )
            for rule in snapshot.policies.rules
        )
        warnings = tuple(str(warning) for warning in snapshot.policies.warnings)
        return PolicyList(generation=snapshot.generation, digest=snapshot.policies.digest, policies=rules, warnings=warnings)

    async def explain(self, ask: Ask) -> Explained:
        """The decision on a supposed call; 404 where agent or target are not known."""
        wanted, snapshot = ask.body, self.generations.current
        assert isinstance(wanted, Supposed)
        principal = self._principal(wanted, snapshot)
        entry = snapshot.index.resolve(UpstreamId(wanted.upstream), Kind(wanted.kind), wanted.name)
        if entry is None:
            raise ControlError(404, "unknown_target", f"{wanted.upstream[:64]} has no {wanted.kind} {wanted.name[:200]!r}")
        moment = self.moment() if wanted.at is None else replace(self.moment(), unix_seconds=wanted.at)
        call = make_call(CallId("explain"), Caller(principal, _METHODS[entry.target.kind]), entry.target, _arguments(ask, entry), {})
        told = explain(snapshot.policies, call, moment)
        effect, reason = _said(told.decision)
        scope = _lacking(call)
        return Explained(
            effect=effect,
            passes=entry.standing == "approved" and scope is None and (effect == "allow" or snapshot.is_observed(entry.target.upstream)),
            reason=reason,
            policies=told.decision.policies,
            approvers=tuple(sorted(told.decision.approvers)) if isinstance(told.decision, AskFirst) else (),
            sentence=told.decision.sentence if isinstance(told.decision, Deny) else None,
            scope=scope,
            posture=snapshot.posture(entry.target.upstream),
            standing=entry.standing,
            action=told.action,
            at=datetime.fromtimestamp(moment.unix_seconds, moment.zone).isoformat(timespec="seconds"),
            considered=tuple(_considered(one) for one in told.considered),
            facts=tuple(FactView(name=fact.name, value=_plain(fact.value), is_there=fact.is_there) for fact in told.facts),
            observed=_said(told.observed.would)[0] if told.observed is not None else None,
            observed_policies=told.observed.policies if told.observed is not None else (),
        )

    def _principal(self, wanted: Supposed, snapshot: Snapshot) -> Principal:
        """The agent as it would be identified: by a token of its own for a person, else by a key, or as the one for callers without any."""
        agent, method = self._agent(wanted.agent, snapshot)
        if wanted.issuer or wanted.user is not None or wanted.actors:
            method = AuthnMethod.ACCESS_TOKEN
        return supposed(
            agent,
            method,
            wanted.network,
            Subject(SubjectId(wanted.user), frozenset(wanted.groups)) if wanted.user is not None else None,
            tuple(Actor(name, wanted.issuer, self._agent(name, snapshot)[0]) for name in wanted.actors),
            Proof(
                frozenset(wanted.scopes),
                wanted.issuer,
                wanted.client,
                certificate="supposed" if wanted.certificate else "",
                bound=wanted.bound,
            ),
        )

    def _agent(self, name: str, snapshot: Snapshot) -> tuple[Agent, AuthnMethod]:
        """A known agent, and how it would prove to be itself without a token."""
        record = self.registry.agent(AgentId(name))
        if record is not None:
            return record.agent, AuthnMethod.AGENT_KEY
        anonymous = snapshot.document.identity.anonymous
        if anonymous is not None and anonymous.agent == name:
            return Agent(AgentId(anonymous.agent), "nobody", TeamId(anonymous.team), "anonymous"), AuthnMethod.ANONYMOUS
        raise ControlError(404, "unknown_agent", f"there is no agent {name[:64]!r}")


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


def _arguments(ask: Ask, entry: Entry) -> Mapping[str, object]:
    """The arguments as the data plane would read them: numbers keep their digits, and doubtful JSON is refused."""
    if entry.target.kind is Kind.RESOURCE:
        return {"uri": entry.target.name}
    try:
        body = parse_value(ask.raw, Limits())
    except Refused as refused:
        raise ControlError(400, "invalid_body", refused.detail or refused.public) from refused
    assert isinstance(body, Mapping)
    arguments = body.get("arguments", {})
    assert isinstance(arguments, Mapping)
    return arguments


def _said(decision: Decision) -> tuple[str, str]:
    """A decision's effect and its reason for operators."""
    match decision:
        case Allow():
            return "allow", ""
        case AskFirst(reason=reason):
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
