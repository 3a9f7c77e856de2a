"""Admin API: which policies are in force, and how they would decide a call, with the facts that they read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import msgspec
from pydantic import Field

from doorward.call.resolve import Caller, make_call
from doorward.catalog.index import Entry
from doorward.config.context_said import ContextSaid
from doorward.control.explained import Explained, explained
from doorward.control.operators import Role
from doorward.control.routes import Ask, ControlError, Route, Shape
from doorward.control.turns import Turns
from doorward.domain.actors import Actor, Agent, AuthnMethod, Bound, Principal, Proof, Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind
from doorward.domain.ids import AgentId, CallId, SubjectId, TeamId, UpstreamId
from doorward.domain.reasons import Refused
from doorward.domain.waivers import Waived
from doorward.identity.registry import Registry
from doorward.identity.supposed import supposed
from doorward.policy.question import LOCAL, Moment
from doorward.policy.session import Said
from doorward.runtime.contexts_said import said
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
    team: str = Field(description="The team for whose upstreams alone it decides; empty for the global layer")
    approver: str | None = Field(description="The team that is asked where this forbid matches; none, where it denies")
    people: int = Field(description="How many different people of that team must say yes")
    owner_may: bool = Field(description="Whether the agent's owner may be one of them")
    liftable_by: str | None = Field(description="The team that may lift this forbid for one agent by an exception")
    path: str
    line: int


class PolicyList(Shape):
    """The policies in force; `digest` names layers, files and declared facts together."""

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
    session: ContextSaid | None = Field(
        None, description="What has flowed into its context; default: what has flowed into the agent's by now"
    )


class PolicyDesk(msgspec.Struct, frozen=True):
    """The operations on policies."""

    generations: Generations
    registry: Registry
    moment: Callable[[], Moment]
    waived: Waived
    present: Callable[[Call], Said]
    """What has flowed into the context of whoever would make a call."""
    turns: Turns = msgspec.field(default_factory=Turns)

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
                team=rule.team,
                approver=rule.approver,
                people=0 if rule.need is None else rule.need.people,
                owner_may=rule.need is not None and rule.need.owner_may,
                liftable_by=rule.liftable_by,
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
        session = self.present(call) if wanted.session is None else said(wanted.session)
        async with self.turns.taken():
            return await explained(snapshot, call, replace(moment, session=session), entry.standing, self.waived(principal))

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
