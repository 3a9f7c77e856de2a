"""What auditors ask of the log, and the facts of a leaf that answer it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

MOST = 500
"""Leaves on one page."""


@dataclass(frozen=True, slots=True)
class Query:
    """Leaves that meet every condition given; newest first, in pages.

    As the store is asked, `subject` is a pseudonym and `touched` the HMAC of a value: `Auditor` makes them from the clear ones.
    """

    since: str | None = None
    """RFC 3339, UTC, microseconds: this moment or later."""
    until: str | None = None
    """Before this moment."""
    type: str | None = None
    call: str | None = None
    agent: str | None = None
    subject: str | None = None
    team: str | None = None
    """The agent's team, or the one that owns the upstream."""
    upstream: str | None = None
    name: str | None = None
    effect: str | None = None
    """`allow`, `ask`, `deny` (by policy), `refuse` (by anything else), `observe` (allowed, though policy would deny)."""
    reason: str | None = None
    """A reason of `doorward.domain.reasons`, or an outcome's status."""
    policy: str | None = None
    finding: str | None = None
    """`guard/rule`."""
    approval: str | None = None
    touched: str | None = None
    """A value that some argument field had."""
    before: int | None = None
    """Only leaves below this index: the `next` of the page before."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Located:
    """A leaf's bytes and their index in the tree."""

    index: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the answer to a query, newest first."""

    leaves: tuple[Located, ...]
    next: int | None
    """What `before` asks for the rest; None where there is none."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a leaf can be found by."""

    ts: str
    type: str
    call: str | None
    agent: str | None
    subject: str | None
    upstream: str | None
    name: str | None
    effect: str | None
    reason: str | None
    marks: frozenset[str]
    """Whatever a leaf may have several of: `team:…`, `policy:…`, `finding:…`, `field:…`, `approval:…`."""


def facts(leaf: bytes) -> Facts:
    """The facts of a leaf, read from its bytes: an index may be lost and built anew."""
    body: dict[str, Any] = msgspec.json.decode(leaf)
    principal: Mapping[str, Any] = body.get("principal", {})
    decision: Mapping[str, Any] = body.get("decision", {})
    return Facts(
        ts=body["ts"],
        type=body["type"],
        call=body.get("call"),
        agent=principal.get("agent"),
        subject=principal.get("subject"),
        upstream=body.get("upstream"),
        name=body.get("name"),
        effect="observe" if "would" in decision else decision.get("effect"),
        reason=decision.get("reason") or body.get("result", {}).get("reason") or body.get("result", {}).get("status"),
        marks=frozenset(_marks(body, decision)),
    )


def _marks(body: Mapping[str, Any], decision: Mapping[str, Any]) -> Iterator[str]:
    for team in (body.get("principal", {}).get("team"), body.get("owner")):
        if team is not None:
            yield f"team:{team}"
    for policy in (*decision.get("policies", ()), *decision.get("would", {}).get("policies", ())):
        yield f"policy:{policy}"
    for finding in body.get("findings", ()):
        yield f"finding:{finding['guard']}/{finding['rule']}"
    for value in body.get("arguments", {}).get("fields", {}).values():
        yield f"field:{value}"
    if "approval" in body:
        yield f"approval:{body['approval']['id']}"


def marks_asked(query: Query) -> tuple[str, ...]:
    """The marks that a leaf must have, rarest kind first."""
    asked = {
        "field": query.touched,
        "approval": query.approval,
        "finding": query.finding,
        "policy": query.policy,
        "team": query.team,
    }
    return tuple(f"{kind}:{value}" for kind, value in asked.items() if value is not None)


COLUMNS = ("type", "call", "agent", "subject", "upstream", "name", "effect", "reason")
"""The conditions that are an equality with a single fact."""


def matches(query: Query, found: Facts) -> bool:
    """Whether a leaf with these facts meets every condition but `before`."""
    equal = all(getattr(query, column) in (None, getattr(found, column)) for column in COLUMNS)
    since = query.since is None or found.ts >= query.since
    until = query.until is None or found.ts < query.until
    return equal and since and until and found.marks.issuperset(marks_asked(query))


def capped(query: Query) -> int:
    """How many leaves a page of this query may hold."""
    return max(1, min(query.limit, MOST))
