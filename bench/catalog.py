"""How long the catalogue takes: looking at offers, building the index, resolving names, comparing texts. `python -m bench.catalog`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.upstream import LISTED, LISTS, tool
from doorward.catalog.index import build
from doorward.catalog.offer import Offer, observe
from doorward.catalog.pins import Pins, first_use
from doorward.catalog.suspicions import suspicions
from doorward.config.model import Document
from doorward.domain.catalog import Kind
from doorward.domain.ids import UpstreamId

ROUNDS = 5


@dataclass(frozen=True)
class Showing:
    """An upstream with tools of ordinary size (about 1 KiB each)."""

    tools: Sequence[Mapping[str, object]]
    prompts: Sequence[Mapping[str, object]] = ()
    resources: Sequence[Mapping[str, object]] = ()
    templates: Sequence[Mapping[str, object]] = ()
    instructions: str | None = None
    capabilities: Mapping[str, object] = field(default_factory=dict)


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
    showing = Showing([tool(number) for number in range(LISTED)])
    names = [UpstreamId(f"upstream-{number}") for number in range(LISTS)]
    offers: dict[UpstreamId, Offer] = {name: observe(name, showing, 0.0) for name in names}
    pins = Pins(pin for offer in offers.values() for pin in first_use(offer, Pins(), frozenset(), ""))
    document = Document.model_validate({"upstreams": {name: {"url": f"https://{name}.example.com/"} for name in names}})
    index = build(offers, pins, document)
    called = [entry.prefixed.name for entry in index.entries(None, Kind.TOOL)]
    rows = (
        (f"offer of {LISTED} tools", best(lambda: observe(names[0], showing, 0.0))),
        (f"index of {len(called)} tools, all approved", best(lambda: build(offers, pins, document))),
        (f"index of {len(called)} tools, none seen", best(lambda: build({}, pins, document))),
        (f"resolving {len(called)} names", best(lambda: [index.resolve(None, Kind.TOOL, name) for name in called])),
        (
            f"joining {len(called)} encoded tools",
            best(lambda: b",".join([entry.prefixed.encoded for entry in index.entries(None, Kind.TOOL)])),
        ),
        (f"suspicions about {LISTED} tools beside all others", best(lambda: suspicions(offers, names[0]))),
    )
    for what, milliseconds in rows:
        print(f"{what:55} {milliseconds:9.2f} ms")


if __name__ == "__main__":
    main()
