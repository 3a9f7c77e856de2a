"""What auditors ask of the log, and the facts of a leaf that answer it."""

from collections.abc import Iterator

import msgspec

MOST = 500
"""Leaves on one page."""
ANY = "*"
"""Whichever policy: no id is written so."""


class Query(msgspec.Struct, frozen=True):
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
    actor: str | None = None
    """An agent by whose rights another one acted."""
    issuer: str | None = None
    """Of the access token."""
    client: str | None = None
    """`issuer:client`, as stops name it."""
    family: str | None = None
    certificate: str | None = None
    """Its thumbprint."""
    upstream: str | None = None
    name: str | None = None
    effect: str | None = None
    """`allow`, `ask`, `deny` (by policy), `refuse` (by anything else), `observe` (allowed by posture, though policy would deny)."""
    reason: str | None = None
    """A reason of `doorward.domain.reasons`, or an outcome's status."""
    policy: str | None = None
    observed: str | None = None
    """A policy with `@mode("observe")` that matched, and decided nothing; `ANY` for each."""
    waiver: str | None = None
    """An exception or break-glass without which the call would have been denied."""
    finding: str | None = None
    """`guard/rule`."""
    approval: str | None = None
    touched: str | None = None
    """A value that some argument field had."""
    before: int | None = None
    """Only leaves below this index: the `next` of the page before."""
    limit: int = 100


class Located(msgspec.Struct, frozen=True):
    """A leaf's bytes and their index in the tree."""

    index: int
    leaf: bytes


class Page(msgspec.Struct, frozen=True):
    """Part of the answer to a query, newest first."""

    leaves: tuple[Located, ...]
    next: int | None
    """What `before` asks for the rest; None where there is none."""


class Facts(msgspec.Struct, frozen=True):
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
    """Whatever a leaf may have several of, or few leaves have: `team:…`, `policy:…`, `field:…`, `client:…` and so on."""


def facts(leaf: bytes) -> Facts:
    """The facts of a leaf, read from its bytes: an index may be lost and built anew."""
    read = _decode(leaf)
    decision, result = read.decision, read.result
    return Facts(
        ts=read.ts,
        type=read.type,
        call=read.call,
        agent=read.principal.agent,
        subject=read.principal.subject,
        upstream=read.upstream,
        name=read.name,
        effect="observe" if decision.would is not None and decision.waiver is None else decision.effect,
        reason=decision.reason or result.reason or result.status,
        marks=frozenset(_marks(read)),
    )


class _Link(msgspec.Struct, frozen=True):
    agent: str | None = None


class _Principal(msgspec.Struct, frozen=True):
    agent: str | None = None
    team: str | None = None
    subject: str | None = None
    act: tuple[_Link, ...] = ()
    issuer: str | None = None
    client: str | None = None
    family: str | None = None
    certificate: str | None = None


class _Would(msgspec.Struct, frozen=True):
    policies: tuple[str, ...] = ()


class _Decision(msgspec.Struct, frozen=True):
    effect: str | None = None
    policies: tuple[str, ...] = ()
    would: _Would | None = None
    observed: _Would | None = None
    waiver: str | None = None
    reason: str | None = None


class _Result(msgspec.Struct, frozen=True):
    status: str | None = None
    reason: str | None = None


class _Arguments(msgspec.Struct, frozen=True):
    fields: dict[str, str] = {}


class _Finding(msgspec.Struct, frozen=True):
    guard: str
    rule: str


class _Approval(msgspec.Struct, frozen=True):
    id: str


class _Fields(msgspec.Struct, frozen=True):
    """Of an event."""

    approval: str | int | bool | None = None


_NOBODY, _UNDECIDED, _OPEN, _NONE, _BARE = _Principal(), _Decision(), _Result(), _Arguments(), _Fields()


class _Leaf(msgspec.Struct, frozen=True):
    """What a leaf can be found by, as it stands there; nothing else of it is decoded."""

    ts: str
    type: str
    call: str | None = None
    principal: _Principal = _NOBODY
    upstream: str | None = None
    name: str | None = None
    owner: str | None = None
    arguments: _Arguments = _NONE
    decision: _Decision = _UNDECIDED
    findings: tuple[_Finding, ...] = ()
    approval: _Approval | None = None
    result: _Result = _OPEN
    fields: _Fields = _BARE


_decode = msgspec.json.Decoder(_Leaf).decode


def _marks(read: _Leaf) -> list[str]:
    marks = [f"team:{team}" for team in (read.principal.team, read.owner) if team is not None]
    marks += [f"policy:{policy}" for policy in read.decision.policies]
    if read.decision.would is not None:
        marks += [f"policy:{policy}" for policy in read.decision.would.policies]
    if read.decision.observed is not None:
        marks += [f"observed:{policy}" for policy in (ANY, *read.decision.observed.policies)]
    if read.decision.waiver is not None:
        marks += [f"waiver:{waiver}" for waiver in read.decision.waiver.split(",")]
    marks += [f"finding:{finding.guard}/{finding.rule}" for finding in read.findings]
    marks += [f"field:{value}" for value in read.arguments.fields.values()]
    if read.approval is not None:
        marks.append(f"approval:{read.approval.id}")
    if isinstance(read.fields.approval, str):
        marks.append(f"approval:{read.fields.approval}")
    marks += _proven(read.principal)
    return marks


def _proven(principal: _Principal) -> Iterator[str]:
    yield from (f"actor:{link.agent}" for link in principal.act if link.agent is not None)
    if principal.issuer is not None:
        yield f"issuer:{principal.issuer}"
        if principal.client is not None:
            yield f"client:{principal.issuer}:{principal.client}"
    if principal.family is not None:
        yield f"family:{principal.family}"
    if principal.certificate is not None:
        yield f"certificate:{principal.certificate}"


def marks_asked(query: Query) -> tuple[str, ...]:
    """The marks that a leaf must have, rarest kind first."""
    asked = {
        "field": query.touched,
        "approval": query.approval,
        "waiver": query.waiver,
        "observed": query.observed,
        "family": query.family,
        "certificate": query.certificate,
        "actor": query.actor,
        "client": query.client,
        "finding": query.finding,
        "policy": query.policy,
        "team": query.team,
        "issuer": query.issuer,
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
