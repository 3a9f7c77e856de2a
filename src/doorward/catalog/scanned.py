"""One look at a server that nobody is connected to yet: everything that is found in it, by itself and beside what is accepted of others."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from doorward.catalog.index import accepted_body
from doorward.catalog.offer import NAMED_BY, Item, Offer, Shown, observe
from doorward.catalog.pins import Key, Pins
from doorward.catalog.poison.found import WEIGHTS, Found, Rule
from doorward.catalog.poison.judge import findings
from doorward.catalog.suspicions import Suspicion, suspicions
from doorward.catalog.text import visible
from doorward.domain.catalog import Definition, Kind
from doorward.domain.findings import Severity
from doorward.domain.ids import UpstreamId

UNSEEN_AT = 0.0


class Scanned(msgspec.Struct, frozen=True):
    """What a scan brought: the worst first."""

    upstream: UpstreamId
    found: tuple[Suspicion, ...]
    definitions: int
    """How many usable ones it showed, resources among them."""
    beside: int
    """How many accepted definitions of other upstreams it was compared with."""

    def at_least(self, least: Severity) -> bool:
        """Whether anything of this severity, or a worse one, was found."""
        return any(WEIGHTS[one.found.severity] >= WEIGHTS[least] for one in self.found)


def scanned(upstream: UpstreamId, shown: Shown, pins: Pins, seen_at: float) -> Scanned:
    """The scan of what an upstream shows, beside what is accepted of all others."""
    offer = observe(upstream, shown, seen_at)
    others = _accepted(pins, upstream)
    found = [
        *suspicions({**others, upstream: offer}, upstream),
        *(
            Suspicion((upstream, kind, name), one)
            for (kind, name), every in offer.findings.items()
            if kind is Kind.RESOURCE
            for one in every
        ),
        *_dropped(offer, shown),
    ]
    return Scanned(
        upstream,
        tuple(sorted(dict.fromkeys(found), key=_weight)),
        len(offer.definitions) + len(offer.resources),
        sum(len(other.definitions) for other in others.values()),
    )


def _weight(one: Suspicion) -> tuple[int, Key, Found]:
    return -WEIGHTS[one.found.severity], one.key, one.found


def _accepted(pins: Pins, but: UpstreamId) -> Mapping[UpstreamId, Offer]:
    """What is accepted of the other upstreams, as if they offered it now."""
    held: dict[UpstreamId, dict[tuple[Kind, str], Definition]] = {}
    for (upstream, kind, name), pin in pins.items():
        if upstream != but:
            definition = Definition(upstream, kind, name, accepted_body(pin), pin.canonical, pin.digest)
            held.setdefault(upstream, {})[kind, name] = definition
    return {upstream: Offer(upstream, every, {}, {}, (), {}, UNSEEN_AT, {}) for upstream, every in held.items()}


def _dropped(offer: Offer, shown: Shown) -> Iterator[Suspicion]:
    """What cannot be used is looked at all the same: a scan is of the server, not of what would be served of it."""
    for one in offer.dropped:
        yield Suspicion((offer.upstream, one.kind, one.name), Found(Rule.UNUSABLE, Severity.MEDIUM, "", one.reason))
    lists: tuple[tuple[Kind, Iterable[Item]], ...] = (
        (Kind.TOOL, shown.tools),
        (Kind.PROMPT, shown.prompts),
        (Kind.TEMPLATE, shown.templates),
    )
    for kind, items in lists:
        usable = {name for listed, name in offer.definitions if listed is kind}
        left = (item for item in items if item.get(NAMED_BY[kind]) not in usable)
        yield from (Suspicion((offer.upstream, kind, _name(kind, item)), found) for item in left for found in findings(kind, item))


def _name(kind: Kind, item: Item) -> str:
    name = item.get(NAMED_BY[kind])
    return visible(name[:256]) if isinstance(name, str) else "(no name)"


class Saved(msgspec.Struct, frozen=True):
    """Definitions out of a file, as lists of a server give them."""

    capabilities: Mapping[str, object]
    instructions: str | None
    tools: tuple[Item, ...]
    prompts: tuple[Item, ...]
    resources: tuple[Item, ...]
    templates: tuple[Item, ...]


def saved(value: object) -> Saved:
    """What a JSON value holds of lists: a result of `tools/list` and its like, a whole response, several of them, or a bare list of tools."""
    parts = [_result(one) for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]
    bare = value if isinstance(value, list) and not any(_LISTS & part.keys() for part in parts) else []
    said = [part["instructions"] for part in parts if isinstance(part.get("instructions"), str)]
    return Saved(
        {},
        "\n".join(map(str, said)) or None,
        (*_items(bare), *_of(parts, "tools")),
        _of(parts, "prompts"),
        _of(parts, "resources"),
        _of(parts, "resourceTemplates"),
    )


_LISTS = frozenset({"tools", "prompts", "resources", "resourceTemplates", "instructions"})


def _result(one: Mapping[str, object]) -> Mapping[str, object]:
    result = one.get("result")
    return result if isinstance(result, Mapping) else one


def _of(parts: Iterable[Mapping[str, object]], field: str) -> tuple[Item, ...]:
    return tuple(item for part in parts for item in _items(part.get(field)))


def _items(held: object) -> tuple[Item, ...]:
    return tuple(item for item in (held if isinstance(held, list) else ()) if isinstance(item, Mapping))
