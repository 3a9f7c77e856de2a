"""What the log is told: two leaves of a call, one of a refusal, one of any other event."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from doorward.domain.actors import Principal
from doorward.domain.approvals import Grant
from doorward.domain.budgets import Draw
from doorward.domain.calls import Answer, Call, Reply
from doorward.domain.decisions import Allow, Ask, Observation
from doorward.domain.findings import Finding
from doorward.domain.flow import Flow, Rise
from doorward.domain.ids import CallId, Digest, Generation, PolicyId
from doorward.domain.reasons import Reason
from doorward.domain.record import record

Scalar = str | int | bool | None


@record(frozen=True, slots=True)
class Flowed:
    """What policy read of the context that a call came from, before it went on."""

    flow: Flow
    is_traced: bool
    """Whether taint was looked for, so that `flow.tainted` is all there is."""


@record(frozen=True, slots=True)
class Intent:
    """The first leaf: what is about to happen and on whose word. Durable before any credential is released."""

    call: Call
    decision: Allow | Ask
    findings: tuple[Finding, ...]
    grant: Grant | None
    credential: str
    """The kind of credential plan that will be used."""
    generation: Generation
    trace: str
    """The W3C `traceparent` the call carries, or empty."""
    policy_set: Digest = Digest("")
    """The set of policies that decided (`Policies.digest`)."""
    observed: Observation | None = None
    """What the rules with `@mode("observe")` would have done, where one matched."""
    draws: tuple[Draw, ...] = ()
    """What the call takes of budgets."""
    flowed: Flowed | None = None
    """None where policy read nothing of it."""
    rise: Rise | None = None
    """What the call does to its context."""


class Status(StrEnum):
    """How a call ended."""

    DELIVERED = "delivered"
    """The upstream answered with a result and the caller was given it."""
    TOOL_ERROR = "tool_error"
    """The upstream answered with `isError`."""
    UPSTREAM_ERROR = "upstream_error"
    """The upstream answered with a JSON-RPC error."""
    INPUT_REQUIRED = "input_required"
    WITHHELD = "withheld"
    """The upstream ran it; its result was not shown."""
    NOT_FORWARDED = "not_forwarded"
    FAILED = "failed"
    """Something broke after the first byte went upstream: it may have run."""
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The process died between intent and outcome."""


@record(frozen=True, slots=True)
class Outcome:
    """The second leaf: what came of an intent."""

    call: Call
    status: Status
    reason: Reason | None
    detail: str
    findings: tuple[Finding, ...]
    answer: Answer | None
    reply: Reply | None
    lease: Mapping[str, str]
    """`kind`, `id`, `audience`, `scope` of the lease, never its value; empty where none was made."""
    milliseconds: int
    endorsed: str = ""
    """The rule by which the answer counts as trusted, where one does."""


@record(frozen=True, slots=True)
class Refusal:
    """The only leaf of a call that was refused before its intent, or of a list (`reason` is then None)."""

    id: CallId
    principal: Principal
    method: str
    upstream: str
    kind: str
    name: str
    call: Call | None
    reason: Reason | None
    detail: str
    policies: tuple[PolicyId, ...]
    findings: tuple[Finding, ...]
    generation: Generation
    trace: str
    policy_set: Digest = Digest("")
    observed: Observation | None = None
    approval: str = ""
    """The question that a call waits for, or that was answered with no."""
    flowed: Flowed | None = None
    """What policy read of the context, where it read any of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Any other leaf: a change of configuration, catalogue, agents, keys or stops; a start, a stop, a clock step."""

    type: str
    """`snake_case`, stable, never reused: `agent_added`, `definition_approved`, `config_loaded`, `stop_set` …"""
    by: str
    """Who did it: an operator's name, or `doorward`."""
    fields: Mapping[str, Scalar]


@record(frozen=True, slots=True)
class Place:
    """Where a leaf stands in the log."""

    seq: int
    ts: str
