"""How long the catalogue takes: looking at offers, building the index, resolving names, comparing texts. `python -m bench.catalog`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from doorward.catalog.index import build
from doorward.catalog.offer import Offer, observe
from doorward.catalog.pins import Pins, first_use
from doorward.catalog.suspicions import suspicions
from doorward.config.model import Document
from doorward.domain.catalog import Kind
from doorward.domain.ids import UpstreamId

UPSTREAMS = 12
TOOLS = 500
ROUNDS = 5
WORDS = "Searches the records of the given project and returns those that match, newest first, with author, date and a link to each."


@dataclass(frozen=True)
class Showing:
    """An upstream with tools of ordinary size (about 1 KiB each)."""

    tools: Sequence[Mapping[str, object]]
    prompts: Sequence[Mapping[str, object]] = ()
    resources: Sequence[Mapping[str, object]] = ()
    templates: Sequence[Mapping[str, object]] = ()
    instructions: str | None = None
    capabilities: Mapping[str, object] = field(default_factory=dict)


def tool(number: int) -> dict[str, object]:
    """A tool with six arguments."""
    properties = {f"field_{one}": {"type": "string", "description": WORDS, "maxLength": 100} for one in range(6)}
    schema = {"type": "object", "properties": properties, "required": ["field_0"], "additionalProperties": False}
    return {"name": f"search_records_{number}", "title": "Search", "description": WORDS, "inputSchema": schema}


def best(work: Callable[[], object]) -> float:
    """The shortest of a few runs, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    """Prints the figures."""
    showing = Showing([tool(number) for number in range(TOOLS)])
    names = [UpstreamId(f"upstream-{number}") for number in range(UPSTREAMS)]
    offers: dict[UpstreamId, Offer] = {name: observe(name, showing, 0.0) for name in names}
    pins = Pins(pin for offer in offers.values() for pin in first_use(offer, Pins(), frozenset(), ""))
    document = Document.model_validate({"upstreams": {name: {"url": f"https://{name}.example.com/"} for name in names}})
    index = build(offers, pins, document)
    called = [entry.prefixed.name for entry in index.entries(None, Kind.TOOL)]
    rows = (
        (f"offer of {TOOLS} tools", best(lambda: observe(names[0], showing, 0.0))),
        (f"index of {len(called)} tools, all approved", best(lambda: build(offers, pins, document))),
        (f"index of {len(called)} tools, none seen", best(lambda: build({}, pins, document))),
        (f"resolving {len(called)} names", best(lambda: [index.resolve(None, Kind.TOOL, name) for name in called])),
        (
            f"joining {len(called)} encoded tools",
            best(lambda: b",".join([entry.prefixed.encoded for entry in index.entries(None, Kind.TOOL)])),
        ),
        (f"suspicions about {TOOLS} tools beside all others", best(lambda: suspicions(offers, names[0]))),
    )
    for what, milliseconds in rows:
        print(f"{what:55} {milliseconds:9.2f} ms")


if __name__ == "__main__":
    main()
