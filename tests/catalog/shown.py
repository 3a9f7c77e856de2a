"""What a fake upstream shows of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from doorward.catalog.index import Index, build
from doorward.catalog.offer import Offer, observe
from doorward.catalog.pins import Pins, first_use
from doorward.config.model import Document
from doorward.domain.ids import UpstreamId

Item = Mapping[str, object]
AT = "2026-11-21T10:00:00Z"


@dataclass(frozen=True)
class Showing:
    """Everything an upstream lists."""

    tools: Sequence[Item] = ()
    prompts: Sequence[Item] = ()
    resources: Sequence[Item] = ()
    templates: Sequence[Item] = ()
    instructions: str | None = None
    capabilities: Mapping[str, object] = field(default_factory=dict)


def tool(name: str, description: str = "Does it.", **fields: object) -> dict[str, object]:
    """A tool without arguments."""
    return {"name": name, "description": description, "inputSchema": {"type": "object"}, **fields}


def offer(upstream: str, *tools: Item, **lists: object) -> Offer:
    """An offer of these tools and lists, seen at second 1."""
    return observe(UpstreamId(upstream), Showing(tools=tools, **lists), 1.0)  # type: ignore[arg-type]


def offers(*every: Offer) -> dict[UpstreamId, Offer]:
    """Offers by upstream."""
    return {one.upstream: one for one in every}


def accepted(*every: Offer) -> Pins:
    """Pins for everything that is offered."""
    return Pins(pin for one in every for pin in first_use(one, Pins(), frozenset(), AT))


def document(*names: str, **fields: Mapping[str, object]) -> Document:
    """A document with upstreams of these names, or with more fields for some."""
    plain = {name: {"url": f"https://{name}.example.com/mcp"} for name in (*names, *fields)}
    return Document.model_validate({"upstreams": {name: {**plain[name], **fields.get(name, {})} for name in plain}})


def index_of(*every: Offer, pins: Pins | None = None) -> Index:
    """The index of these offers, everything in them accepted unless pins are given."""
    return build(offers(*every), accepted(*every) if pins is None else pins, document(*(one.upstream for one in every)))
