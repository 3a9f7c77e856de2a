"""Policies, principals and calls at random, for what holds of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from doorward.domain.actors import Bound, Principal, Proof
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Target
from doorward.domain.decisions import Allow, Ask, Decision, Deny
from doorward.domain.flow import Confidentiality, Flow, Integrity, Label, Taint
from doorward.domain.ids import Digest
from doorward.policy.engine import Policies
from doorward.policy.project import Unheld, project
from doorward.policy.reads import WHOLE
from doorward.policy.rules import Rule, Source, parse
from doorward.policy.schema import action_name, vocabulary
from doorward.policy.session import Said
from tests.policy.world import CREATE, DELETE, ENTRIES, FILE, NOON, PAY, REVIEW, SEARCH, UPSTREAMS, at, call, policy, principal, user

PRINCIPALS = (
    principal(),
    principal("cursor", "finance"),
    principal(user=user("alice", "staff", "admins")),
    principal("cursor", user=user("bob", "staff"), network="192.168.0.9"),
    principal('odd"\\\nname', "support", network="local"),
    replace(principal(), proof=Proof(frozenset({"mcp:read"}), "corp", "c1", "f1", "t" * 43, Bound.CERTIFICATE)),
    replace(principal(), proof=Proof(frozenset({"mcp:read"}), "corp", "c2", bound=Bound.DPOP)),
)
UNTRUSTED = Label(Integrity.UNTRUSTED, Confidentiality.RESTRICTED, frozenset({"health"}))
SESSIONS = (
    Said(Flow()),
    Said(Flow(UNTRUSTED, (Taint("/owner", "mail"), Taint("/labels/0", "mail")), 9, 2, 1, frozenset({"links/image"}))),
)
MOMENTS = (replace(NOON, session=SESSIONS[0]), replace(NOON, session=SESSIONS[1]), replace(at(1_795_276_800.0), session=SESSIONS[0]))
TARGETS = (CREATE, SEARCH, DELETE, PAY, REVIEW, FILE)

PRINCIPAL_SCOPES = (
    "principal",
    'principal == Agent::"claude"',
    'principal in Team::"finance"',
    'principal in User::"alice"',
    'principal in Group::"staff"',
    'principal is Agent in Group::"admins"',
    'principal == Agent::"odd\\"\\\\\\nname"',
)
ACTION_SCOPES = (
    "action",
    'action in Action::"github"',
    'action in [Action::"write", Action::"bank"]',
    'action == Action::"bank/pay"',
    'action == Action::"github/create_issue"',
    'action in Action::"read"',
    'action == Action::"github/prompt/review"',
)
RESOURCE_SCOPES = (
    "resource",
    'resource == Upstream::"github"',
    'resource in Team::"finance"',
    'resource is Upstream in Team::"platform"',
)
CONDITIONS = (
    "",
    'when { context.input has owner && context.input.owner == "acme" }',
    'unless { context.input has owner && context.input.owner == "acme" }',
    "when { context.input has limit && context.input.limit * 4611686018427387904 > 0 }",
    "when { context.input has limit && context.input.limit > 5 && context.time.hour < 13 }",
    'when { context.input has amount && context.input.amount.lessThan(decimal("10.0")) }',
    "when { context.input has options && context.input.options has deep && context.input.options.deep }",
    'when { context.input has labels && context.input.labels.contains("ok") }',
    'when { context.input has uri && context.input.uri like "file:///srv/*" }',
    "when { context.time.weekday > 5 }",
    'when { context has network && context.network.isInRange(ip("10.0.0.0/8")) }',
    'when { context.reversibility == "read" || context.authn == "none" }',
    "when { resource in principal.team || principal has user }",
    'when { action in Action::"destructive" }',
    'when { principal.name like "c*" && !(context.input has title) }',
    'when { context.issuer == "corp" && context.client != "c2" }',
    'unless { context.certificate || context.scopes.contains("mcp") }',
    'when { context.bound == "nothing" && context.actors.isEmpty() }',
    'when { context.actors.contains("cursor") }',
    'when { principal has user && principal.user.issuer == "" }',
    'when { context.session.integrity == "untrusted" && context.session.confidentiality != "public" }',
    "unless { context.session.tainted.isEmpty() }",
    'when { context.input has owner && context.session.tainted_arguments.contains("owner") && context.time.hour == 12 }',
    "when { context.session.calls > 5 || context.input has owner }",
    'when { if context.input has title then context.input.title == "x" else context.time.hour == 12 }',
)


@dataclass(frozen=True)
class Written:
    """A policy in parts."""

    effect: str
    principal: str
    action: str
    resource: str
    condition: str
    approval: bool
    exception: bool = False

    def text(self, name: str) -> str:
        wanted = {"approval": self.approval, "exception": self.exception}
        notes = {note: "ops" for note, is_there in wanted.items() if is_there and self.effect == "forbid"}
        return policy(f"{self.effect}({self.principal}, {self.action}, {self.resource}) {self.condition};", name, **notes)


written = st.builds(
    Written,
    st.sampled_from(("permit", "permit", "forbid")),
    st.sampled_from(PRINCIPAL_SCOPES),
    st.sampled_from(ACTION_SCOPES),
    st.sampled_from(RESOURCE_SCOPES),
    st.sampled_from(CONDITIONS),
    st.booleans(),
)
sets = st.lists(written, max_size=7)
words = st.sampled_from(("acme", "ok", "x", "file:///srv/a", "file:///etc/a", ""))
arguments = st.fixed_dictionaries(
    {},
    optional={
        "owner": words,
        "title": words | st.none(),
        "labels": st.lists(words, max_size=3),
        "limit": st.integers(-3, 9) | st.integers(2**62, 2**65) | words,
        "options": st.fixed_dictionaries({}, optional={"deep": st.booleans(), "page": st.integers(), "more": words}),
        "amount": st.decimals(-20, 20, places=5) | st.integers() | words,
        "to": words,
        "repo": words,
        "code": words,
        "uri": words,
        "ids": words,
    },
)


def asked(what: Target, given_arguments: dict[str, object], who: Principal) -> Call:
    """A call with the arguments that the target can have, as its method words them."""
    if what.kind is Kind.RESOURCE:
        uri = given_arguments.get("uri", what.name)
        return call(replace(what, name=str(uri)), {"uri": uri}, who, "resources/read")
    return call(what, given_arguments, who, "prompts/get" if what.kind is Kind.PROMPT else "tools/call")


def tidied(question: Call) -> Call:
    """The same call with declared arguments only, where they can be held."""
    name = action_name(question.target, question.method)
    assert name is not None
    fields = KNOWN.actions[name].input.fields
    fit = {
        key: value
        for key, value in question.arguments.items()
        if key in fields and not isinstance(project(value, fields[key].shape, WHOLE), Unheld)
    }
    missing = {"owner": "acme", "repo": "x", "code": "x", "amount": 9, "to": "x", "uri": "file:///srv/b"}
    needed = {key: missing[key] for key, field in fields.items() if field.required}
    return replace(question, arguments={**needed, **fit})


KNOWN = vocabulary(ENTRIES, UPSTREAMS)
untidy = st.builds(asked, st.sampled_from(TARGETS), arguments, st.sampled_from(PRINCIPALS))
tidy = untidy.map(tidied)
calls = tidy | untidy
moments = st.sampled_from(MOMENTS)


def unchecked(*texts: str) -> Policies:
    """Policies as they are: what holds must not rest on the checks at load."""
    rules, wrong = parse(Source("test.cedar", "\n".join(texts)))
    assert not wrong
    return Policies(rules, KNOWN, Digest(""), ())


def layered(*layers: tuple[str, Sequence[Written]]) -> Policies:
    """Policies of layers, by team; each layer numbers its own."""
    rules: list[Rule] = []
    for number, (team, policies) in enumerate(layers):
        text = "\n".join(one.text(f"l{number}/{position}") for position, one in enumerate(policies))
        rules.extend(parse(Source(f"{number}.cedar", text, team))[0])
    return Policies(tuple(rules), KNOWN, Digest(""), ())


def compiled(policies: Sequence[Written]) -> Policies:
    return unchecked(*(one.text(f"p{position}") for position, one in enumerate(policies)))


def kind(decision: Decision) -> str:
    match decision:
        case Allow():
            return "allow"
        case Ask():
            return "ask"
        case Deny():
            return "deny"


RANK = {"deny": 0, "ask": 1, "allow": 2}
