"""A small catalogue, its principals and calls, for tests of policy."""

from collections.abc import Mapping
from datetime import UTC, tzinfo

from doorward.domain.actors import Agent, AuthnMethod, Principal, Subject
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.ids import AgentId, CallId, Digest, InstanceId, SubjectId, TeamId, UpstreamId
from doorward.policy import engine
from doorward.policy.engine import Policies
from doorward.policy.problems import Problem, Problems
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry

GITHUB, BANK, MAIL = UpstreamId("github"), UpstreamId("bank"), UpstreamId("mail")
UPSTREAMS = (GITHUB, BANK, MAIL)
NOON = Moment(1_795_003_200.0, UTC)
"""2026-11-18, a Wednesday, 12:00 UTC."""


def target(
    upstream: str,
    name: str,
    *groups: str,
    kind: Kind = Kind.TOOL,
    team: str = "platform",
    reversibility: Reversibility = Reversibility.IRREVERSIBLE,
) -> Target:
    return Target(UpstreamId(upstream), kind, name, Digest("0" * 64), TeamId(team), frozenset(groups), reversibility)


def entry(what: Target, *required: str, **properties: object) -> SchemaEntry:
    return SchemaEntry(what, {"type": "object", "properties": properties, "required": list(required)})


TEXT, LONG, NUMBER, TRUTH = {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}

CREATE = target("github", "create_issue", "write")
SEARCH = target("github", "search", "read", reversibility=Reversibility.READ)
DELETE = target("github", "delete_repo", "write", "destructive")
PAY = target("bank", "pay", "write", "external", team="finance")
REVIEW = target("github", "review", kind=Kind.PROMPT)
FILE = target("github", "file:///srv/reports/q3.txt", kind=Kind.RESOURCE)
WHOLE_GITHUB = target("github", "github", kind=Kind.UPSTREAM)

ENTRIES = (
    entry(CREATE, "owner", owner=TEXT, title=TEXT, labels={"type": "array", "items": TEXT}, assignee={"type": ["string", "null"]}),
    entry(
        SEARCH, query=TEXT, limit=LONG, ids={"anyOf": [TEXT, LONG]}, options={"type": "object", "properties": {"deep": TRUTH, "page": LONG}}
    ),
    entry(DELETE, "repo", repo=TEXT),
    entry(PAY, "amount", "to", amount=NUMBER, to=TEXT, memo=TEXT, times=LONG),
    entry(REVIEW, "code", code=TEXT),
)


def principal(
    agent: str = "claude",
    team: str = "support",
    user: Subject | None = None,
    network: str = "10.1.2.3",
    method: AuthnMethod = AuthnMethod.AGENT_KEY,
) -> Principal:
    who = Agent(AgentId(agent), "bob", TeamId(team), "desktop")
    return Principal(who, user, (), method, InstanceId("i"), "key-1", network)


def user(name: str, *groups: str) -> Subject:
    return Subject(SubjectId(name), frozenset(groups))


CLAUDE = principal()


def call(what: Target, arguments: Mapping[str, object] | None = None, who: Principal = CLAUDE, method: str = "tools/call") -> Call:
    return Call(CallId("0" * 26), who, what, method, arguments or {}, {}, b"", Digest("1" * 64))


def at(unix_seconds: float, zone: tzinfo = UTC) -> Moment:
    return Moment(unix_seconds, zone)


def policy(text: str, name: str = "p", **annotations: str) -> str:
    """A policy with an id and a reason before it."""
    notes = {"id": name, "reason": f"{name} says so"} | annotations
    return "".join(f'@{note}("{value}")\n' for note, value in notes.items()) + text


def load(*texts: str, entries: tuple[SchemaEntry, ...] = ENTRIES, upstreams: tuple[UpstreamId, ...] = UPSTREAMS) -> Policies | Problems:
    return engine.compile([Source("policies/test.cedar", "\n".join(texts))], entries, upstreams)


def loaded(*texts: str, entries: tuple[SchemaEntry, ...] = ENTRIES, upstreams: tuple[UpstreamId, ...] = UPSTREAMS) -> Policies:
    found = load(*texts, entries=entries, upstreams=upstreams)
    assert isinstance(found, Policies), [str(problem) for problem in found.items]
    return found


def problems(*texts: str, entries: tuple[SchemaEntry, ...] = ENTRIES, upstreams: tuple[UpstreamId, ...] = UPSTREAMS) -> list[str]:
    """What is said of policies: their errors and warnings, without the path."""
    found = load(*texts, entries=entries, upstreams=upstreams)
    items: tuple[Problem, ...] = found.warnings if isinstance(found, Policies) else found.items
    return [str(problem).removeprefix("policies/test.cedar:") for problem in items]
