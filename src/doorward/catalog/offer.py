"""What an upstream showed at one moment, as definitions; what cannot be used is left out, each with its reason for the operator."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from doorward.catalog.poison.found import Found
from doorward.catalog.poison.judge import findings
from doorward.catalog.schemas import input_fault, output_fault
from doorward.catalog.text import is_clean, visible
from doorward.domain.catalog import Definition, Kind
from doorward.domain.findings import Severity
from doorward.domain.ids import UpstreamId
from doorward.wire.canonical import define
from doorward.wire.headers import ParamHeaders, param_headers

MOST = {Kind.TOOL: 512, Kind.PROMPT: 512, Kind.TEMPLATE: 512, Kind.RESOURCE: 2_048}
"""Items of one list; the first by name are kept, so that the order of a list decides nothing."""

NAME_CHARACTERS = 256
URI_CHARACTERS = 4_096
DEFINITION_BYTES = 256 * 1024
INSTRUCTIONS_BYTES = 64 * 1024

INSTRUCTIONS = "instructions"
"""The name, and the field, of an upstream's instructions as a definition."""

Item = Mapping[str, object]


class Shown(Protocol):
    """What an upstream shows of itself, as its lists gave it; nothing of it is trusted."""

    @property
    def capabilities(self) -> Mapping[str, object]:
        """What it says that it can do."""
        ...

    @property
    def instructions(self) -> str | None:
        """Its text for the model."""
        ...

    @property
    def tools(self) -> Sequence[Item]:
        """All pages of `tools/list`."""
        ...

    @property
    def prompts(self) -> Sequence[Item]:
        """All pages of `prompts/list`."""
        ...

    @property
    def resources(self) -> Sequence[Item]:
        """All pages of `resources/list`."""
        ...

    @property
    def templates(self) -> Sequence[Item]:
        """All pages of `resources/templates/list`."""
        ...


class Dropped(msgspec.Struct, frozen=True):
    """Something an upstream showed that cannot be used; `name` is fit to be shown."""

    kind: Kind
    name: str
    reason: str


class Offer(msgspec.Struct, frozen=True):
    """The usable part of what an upstream showed."""

    upstream: UpstreamId
    definitions: Mapping[tuple[Kind, str], Definition]
    """What is pinned: tools, prompts, templates (by their URI template) and instructions, by kind and own name."""
    resources: Mapping[str, Definition]
    """Concrete resources by URI: listed, never pinned (RULINGS 19)."""
    param_headers: Mapping[str, ParamHeaders]
    """For each tool that has any: which arguments are repeated in `Mcp-Param-*` headers."""
    dropped: tuple[Dropped, ...]
    capabilities: Mapping[str, object]
    seen_at: float
    """Unix seconds."""
    findings: Mapping[tuple[Kind, str], tuple[Found, ...]]
    """What definitions and resources give away by themselves; those without any are missing."""


def observe(upstream: UpstreamId, shown: Shown, seen_at: float, before: Offer | None = None) -> Offer:
    """An offer from what an upstream shows. `before`: the look before, whose findings hold for what is the same."""
    dropped: list[Dropped] = []
    definitions: dict[tuple[Kind, str], Definition] = {}
    for kind, items in ((Kind.TOOL, shown.tools), (Kind.PROMPT, shown.prompts), (Kind.TEMPLATE, shown.templates)):
        found = _take(upstream, kind, items, dropped)
        definitions |= {(kind, definition.name): definition for definition in found}
    definitions |= _instructions(upstream, shown.instructions, dropped)
    resources = {definition.name: definition for definition in _take(upstream, Kind.RESOURCE, shown.resources, dropped)}
    given_away = dict(_found([*definitions.values(), *resources.values()], before))
    return Offer(
        upstream,
        definitions,
        dict(_sound(resources, given_away, dropped)),
        {name: headers for name, headers in _param_headers(definitions.values()) if headers},
        tuple(dropped),
        shown.capabilities,
        seen_at,
        given_away,
    )


def _found(definitions: Iterable[Definition], before: Offer | None) -> Iterator[tuple[tuple[Kind, str], tuple[Found, ...]]]:
    """What each definition gives away, where it does: looked for once, as long as it stays the same."""
    for one in definitions:
        key = (one.kind, one.name)
        found = _known(one, before)
        found = findings(one.kind, one.body) if found is None else found
        if found:
            yield key, found


def _known(definition: Definition, before: Offer | None) -> tuple[Found, ...] | None:
    """What was found in the same definition at the look before; None where there was none."""
    if before is None:
        return None
    key = (definition.kind, definition.name)
    known = before.resources.get(definition.name) if definition.kind is Kind.RESOURCE else before.definitions.get(key)
    is_same = known is not None and known.digest == definition.digest
    return before.findings.get(key, ()) if is_same else None


def _sound(
    resources: Mapping[str, Definition], found: Mapping[tuple[Kind, str], tuple[Found, ...]], dropped: list[Dropped]
) -> Iterator[tuple[str, Definition]]:
    """Resources that may be listed. Nobody accepts a resource (RULINGS 19), so that one with a high finding is shown to nobody at all."""
    for uri, definition in resources.items():
        worst = next((one for one in found.get((Kind.RESOURCE, uri), ()) if one.severity is Severity.HIGH), None)
        if worst is None:
            yield uri, definition
        else:
            dropped.append(Dropped(Kind.RESOURCE, _shown(uri), f"{worst.rule} at {worst.pointer or '/'}: {worst.detail}"))


def _take(upstream: UpstreamId, kind: Kind, items: Iterable[object], dropped: list[Dropped]) -> Iterator[Definition]:
    """The sound items of one list, by name; the others go to `dropped`."""
    named: dict[str, list[Definition]] = {}
    for item in items:
        body = dict(item) if isinstance(item, Mapping) else {}
        name = body.get(NAMED_BY[kind])
        reason = _name_fault(kind, name)
        definition = define(upstream, kind, "" if reason else str(name), body)
        reason = reason or FAULTS[kind](definition)
        if reason is None:
            named.setdefault(definition.name, []).append(definition)
        else:
            dropped.append(Dropped(kind, _shown(name), reason))
    for place, name in enumerate(sorted(named)):
        definitions = {definition.digest: definition for definition in named[name]}
        if len(definitions) > 1:
            dropped.append(Dropped(kind, _shown(name), f"{len(definitions)} different definitions have this name"))
        elif place >= MOST[kind]:
            dropped.append(Dropped(kind, _shown(name), f"it is beyond the first {MOST[kind]}"))
        else:
            yield named[name][0]


def _instructions(upstream: UpstreamId, text: object, dropped: list[Dropped]) -> dict[tuple[Kind, str], Definition]:
    if text is None or text == "":
        return {}
    if not isinstance(text, str) or len(text.encode("utf-8", "surrogatepass")) > INSTRUCTIONS_BYTES:
        dropped.append(Dropped(Kind.INSTRUCTIONS, INSTRUCTIONS, f"they are no text of at most {INSTRUCTIONS_BYTES} bytes"))
        return {}
    definition = define(upstream, Kind.INSTRUCTIONS, INSTRUCTIONS, {INSTRUCTIONS: text})
    return {(Kind.INSTRUCTIONS, INSTRUCTIONS): definition}


def _name_fault(kind: Kind, name: object) -> str | None:
    if not isinstance(name, str) or not name.strip():
        return f"{NAMED_BY[kind]} is missing or no text"
    most = NAME_CHARACTERS if NAMED_BY[kind] == "name" else URI_CHARACTERS
    if len(name) > most:
        return f"{NAMED_BY[kind]} is longer than {most} characters"
    return None if is_clean(name) else f"{NAMED_BY[kind]} holds a character that cannot be seen"


def _tool_fault(tool: Definition) -> str | None:
    reason = _size_fault(tool) or input_fault(tool.body.get("inputSchema"))
    if reason is None and tool.body.get("outputSchema") is not None:
        reason = output_fault(tool.body["outputSchema"])
    if reason is None and _headers(tool) is None:
        # PROTOCOL.md §1.4: a client must leave such a tool out, and towards the upstream we are the client.
        reason = "inputSchema has an x-mcp-header that breaks the rules"
    return reason


def _prompt_fault(prompt: Definition) -> str | None:
    arguments = prompt.body.get("arguments") or []
    if not isinstance(arguments, list) or not all(isinstance(one, Mapping) and isinstance(one.get("name"), str) for one in arguments):
        return "its arguments are no list of objects with a name"
    return _size_fault(prompt)


def _size_fault(definition: Definition) -> str | None:
    return f"it is larger than {DEFINITION_BYTES} bytes" if len(definition.canonical) > DEFINITION_BYTES else None


def _param_headers(definitions: Iterable[Definition]) -> Iterator[tuple[str, ParamHeaders]]:
    return ((definition.name, _headers(definition) or {}) for definition in definitions if definition.kind is Kind.TOOL)


def _headers(tool: Definition) -> ParamHeaders | None:
    """Which arguments are repeated in headers; the canonical bytes say cheaply whether there is any need to look."""
    schema = tool.body.get("inputSchema")
    return param_headers(schema) if b'"x-mcp-header"' in tool.canonical and isinstance(schema, Mapping) else {}


def _shown(name: object) -> str:
    text = visible(name) if isinstance(name, str) else "(no name)"
    return text if len(text) <= NAME_CHARACTERS else f"{text[:NAME_CHARACTERS]}…"


NAMED_BY = {Kind.TOOL: "name", Kind.PROMPT: "name", Kind.TEMPLATE: "uriTemplate", Kind.RESOURCE: "uri"}
"""The field that names an item of its kind."""

FAULTS: Mapping[Kind, Callable[[Definition], str | None]] = {
    Kind.TOOL: _tool_fault,
    Kind.PROMPT: _prompt_fault,
    Kind.TEMPLATE: _size_fault,
    Kind.RESOURCE: _size_fault,
}
