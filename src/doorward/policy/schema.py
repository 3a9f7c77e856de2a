"""The vocabulary of policies, generated from the approved catalogue: what can be named, and what a call of it carries.

One flat namespace. A principal is an `Agent`; it stands in its `Team` and, while it acts for somebody, in that `User` and
the user's `Group`s. A resource is an `Upstream`; it stands in the `Team` that owns it. An action is a tool
(`Action::"github/create_issue"`), a prompt (`"github/prompt/x"`), reading resources (`"github/resources/read"`) or completion
(`"github/completion/complete"`); it stands in the group of its upstream (`Action::"github"`) and in any of `read`, `write`,
`destructive` and `external`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from doorward.domain.catalog import Kind, Target
from doorward.domain.ids import TeamId, UpstreamId
from doorward.policy.arguments import arguments_shape
from doorward.policy.facts.fact import Fact
from doorward.policy.facts.url import Url
from doorward.policy.session import SESSION
from doorward.policy.shapes import EMPTY, Address, Field, Fields, Gap, Instant, Many, Text, Truth, Whole, cedar_type, gaps_of

GROUPS = ("read", "write", "destructive", "external")
READ = "read"
COMPLETE = "completion/complete"
READ_RESOURCE = "resources/read"
_FIRST_PARTS = ("tool", "prompt", "resources", "completion")
"""First parts of names that are no tool's own: a tool named `prompt/x` is written `tool/prompt/x`."""

_NOBODY: Mapping[UpstreamId, TeamId] = MappingProxyType({})

TIME = Fields(
    {
        "hour": Field(Whole(), required=True),
        "minute": Field(Whole(), required=True),
        "weekday": Field(Whole(), required=True),
        "date": Field(Text(), required=True),
        "unix": Field(Whole(), required=True),
        "now": Field(Instant(), required=True),
    },
    {},
)


class SchemaEntry(msgspec.Struct, frozen=True):
    """One approved tool or prompt, with the JSON Schema of its arguments (None: it takes none)."""

    target: Target
    input_schema: Mapping[str, object] | None


class Action(msgspec.Struct, frozen=True):
    """What policies can name of a call: its name, the groups it stands in, and the shape of its context."""

    name: str
    upstream: UpstreamId
    groups: frozenset[str]
    """The four of `GROUPS`; the group of the upstream is not repeated."""
    context: Fields
    note: str | None
    """Why none of its arguments can be read, or None."""
    target: Target | None
    """The tool or prompt; None for actions of a whole upstream."""
    facts: Mapping[str, Fact] = msgspec.field(default_factory=dict)
    """What is derived of its arguments, by the name below `context.derived`."""

    @property
    def input(self) -> Fields:
        """The shape of its arguments."""
        shape = self.context.fields["input"].shape
        return shape if isinstance(shape, Fields) else EMPTY

    def gaps(self) -> Mapping[tuple[str, ...], str]:
        """The arguments that policy cannot read, each with the reason."""
        return dict(gaps_of(self.input))


class Vocabulary(msgspec.Struct, frozen=True):
    """All that policies can name, and Cedar's JSON schema of it."""

    actions: Mapping[str, Action]
    upstreams: frozenset[UpstreamId]
    discovered: frozenset[UpstreamId]
    """The upstreams whose definitions are known: of these, an unknown name is an error, of others a warning."""
    members: Mapping[str, frozenset[str]]
    """For each name of an action or group, the actions that are it or stand in it."""
    owners: Mapping[UpstreamId, TeamId]
    """The team that owns an upstream, where that is known."""

    def schema(self, team: str = "") -> str:
        """The schema for Cedar's validator, of the actions that a layer decides for."""
        return msgspec.json.encode({"": {"entityTypes": _ENTITIES, "actions": self._actions(team)}}).decode()

    def is_of(self, action: Action, team: str) -> bool:
        """Whether the layer of a team (empty: the global one) may decide for an action; where nobody knows the owner, a call says."""
        owner = self.owners.get(action.upstream) if action.target is None else action.target.team
        return not team or owner is None or owner == team

    def _actions(self, team: str) -> dict[str, object]:
        groups: dict[str, object] = {name: {} for name in self.members if name not in self.actions}
        return groups | {action.name: _cedar_action(action) for action in self.actions.values() if self.is_of(action, team)}


def schema_entry(target: Target, body: Mapping[str, object]) -> SchemaEntry:
    """The entry of a definition as MCP words it (`inputSchema` of a tool, `arguments` of a prompt)."""
    if target.kind is Kind.TOOL:
        schema = body.get("inputSchema")
        return SchemaEntry(target, schema if isinstance(schema, Mapping) else None)
    arguments = body.get("arguments")
    names = [one for one in arguments if isinstance(one, Mapping)] if isinstance(arguments, list | tuple) else []
    required = [one.get("name") for one in names if one.get("required") is True]
    properties = {one["name"]: {"type": "string"} for one in names if isinstance(one.get("name"), str)}
    return SchemaEntry(target, {"type": "object", "properties": properties, "required": required})


def vocabulary(
    entries: Iterable[SchemaEntry],
    upstreams: Iterable[UpstreamId],
    settled: frozenset[UpstreamId] | None = None,
    owners: Mapping[UpstreamId, TeamId] = _NOBODY,
) -> Vocabulary:
    """What policies can name, given the approved definitions and the ids of all upstreams.

    `settled`: the upstreams of which nothing waits for approval; default: those with at least one approved definition.
    `owners`: their teams; where one is not named, that of its definitions.
    """
    known = frozenset(upstreams)
    actions = {action.name: action for upstream in sorted(known) for action in _of_upstream(upstream)}
    discovered: set[UpstreamId] = set()
    teams: dict[UpstreamId, TeamId] = {}
    for entry in entries:
        if entry.target.upstream in known and (name := action_name(entry.target, "")) is not None:
            discovered.add(entry.target.upstream)
            teams[entry.target.upstream] = entry.target.team
            actions[name] = _of_entry(name, entry)
    certain = frozenset(discovered) if settled is None else frozenset(discovered) & settled
    return Vocabulary(actions, known, certain, _members(actions.values(), known), {**teams, **owners})


def _members(actions: Iterable[Action], upstreams: Iterable[UpstreamId]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {name: set() for name in (*GROUPS, *upstreams)}
    for action in actions:
        for name in (action.name, action.upstream, *action.groups):
            found.setdefault(name, set()).add(action.name)
    return {name: frozenset(inside) for name, inside in found.items()}


def action_name(target: Target, method: str) -> str | None:
    """The action of a call of this method on this target; None where there is nothing to decide (lists, instructions)."""
    if method == COMPLETE:
        return f"{target.upstream}/{COMPLETE}"
    match target.kind:
        case Kind.TOOL:
            first = target.name.partition("/")[0]
            return f"{target.upstream}/tool/{target.name}" if first in _FIRST_PARTS else f"{target.upstream}/{target.name}"
        case Kind.PROMPT:
            return f"{target.upstream}/prompt/{target.name}"
        case Kind.RESOURCE | Kind.TEMPLATE:
            return f"{target.upstream}/{READ_RESOURCE}"
        case Kind.INSTRUCTIONS | Kind.PROGRAM | Kind.UPSTREAM:
            return None


def _of_entry(name: str, entry: SchemaEntry) -> Action:
    shape = arguments_shape(entry.input_schema)
    note = shape.reason if isinstance(shape, Gap) else None
    groups = entry.target.parents | ({READ} if entry.target.kind is Kind.PROMPT else frozenset())
    return Action(name, entry.target.upstream, groups, context_shape(EMPTY if isinstance(shape, Gap) else shape), note, entry.target)


def _of_upstream(upstream: UpstreamId) -> tuple[Action, ...]:
    """What can be done with any upstream: read its resources, have arguments completed. By the protocol both only read."""
    uri = Fields({"uri": Field(Text(), required=True)}, {})
    groups = frozenset({READ})
    facts = {"uri": Fact(upstream, "", "uri", ("uri",), Url(), "")}
    return (
        Action(f"{upstream}/{READ_RESOURCE}", upstream, groups, context_shape(uri, _URI), None, None, facts),
        Action(f"{upstream}/{COMPLETE}", upstream, groups, context_shape(_COMPLETION), None, None),
    )


def context_shape(arguments: Fields, derived: Fields = EMPTY) -> Fields:
    """The shape of the whole context of an action with these arguments, and these facts derived of them."""
    return Fields(
        {
            "input": Field(arguments, required=True),
            "derived": Field(derived, required=True),
            "time": Field(TIME, required=True),
            "authn": Field(Text(), required=True),
            "network": Field(Address()),
            "reversibility": Field(Text(), required=True),
            # Required, and empty where a credential has none: a rule against all but one issuer must not pass over who has none.
            "issuer": Field(Text(), required=True),
            "client": Field(Text(), required=True),
            "bound": Field(Text(), required=True),
            "certificate": Field(Truth(), required=True),
            "scopes": Field(Many(Text()), required=True),
            "actors": Field(Many(Text()), required=True),
            "session": Field(SESSION, required=True),
        },
        {},
    )


_URI = Fields({"uri": Field(Url().shape, required=True)}, {})
"""What is derived of the address of a resource, for every upstream."""

_COMPLETION = Fields(
    {
        "ref": Field(Fields({"type": Field(Text(), required=True), "name": Field(Text()), "uri": Field(Text())}, {}), required=True),
        "argument": Field(Fields({"name": Field(Text(), required=True), "value": Field(Text(), required=True)}, {}), required=True),
    },
    {},
)

AGENT = ("name", "owner", "kind", "team", "user")
"""Attributes of an agent; `user` is there only while it acts for somebody."""
UPSTREAM = ("name", "team")

_STRING: Mapping[str, object] = {"type": "String"}
_TEAM: Mapping[str, object] = {"type": "Entity", "name": "Team"}
_ENTITIES: Mapping[str, object] = {
    "Agent": {
        "memberOfTypes": ["Team", "User", "Group"],
        "shape": {
            "type": "Record",
            "attributes": {
                "name": _STRING,
                "owner": _STRING,
                "kind": _STRING,
                "team": _TEAM,
                "user": {"type": "Entity", "name": "User", "required": False},
            },
        },
    },
    "User": {"memberOfTypes": ["Group"], "shape": {"type": "Record", "attributes": {"issuer": _STRING}}},
    "Team": {},
    "Group": {},
    "Upstream": {"memberOfTypes": ["Team"], "shape": {"type": "Record", "attributes": {"name": _STRING, "team": _TEAM}}},
}


def _cedar_action(action: Action) -> dict[str, object]:
    return {
        "memberOf": [{"id": group} for group in sorted({*action.groups, action.upstream})],
        "appliesTo": {"principalTypes": ["Agent"], "resourceTypes": ["Upstream"], "context": cedar_type(action.context)},
    }
