"""The catalogue before an operator: everything with its standing, and what waits for a person, with the whole text of what would be accepted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doorward.catalog.drift import changes, hints, render
from doorward.catalog.groups import doubts
from doorward.catalog.index import Entry, Index, accepted_body
from doorward.catalog.offer import Offer
from doorward.catalog.pins import Key, Pins
from doorward.catalog.suspicions import Suspicion, suspicions
from doorward.catalog.text import visible
from doorward.config.model import Document
from doorward.config.problems import meant
from doorward.domain.catalog import Kind, Standing
from doorward.domain.ids import Digest, UpstreamId

DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the catalogue. `standing` is a `Standing` or `dropped`."""

    upstream: UpstreamId
    kind: Kind
    name: str
    standing: str
    digest: Digest | None
    note: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something new or changed: `text` is all of it, and an approval of `digest` accepts exactly that."""

    upstream: UpstreamId
    kind: Kind
    name: str
    standing: Standing
    digest: Digest
    hints: tuple[str, ...]
    text: str


def items(index: Index, offers: Mapping[UpstreamId, Offer], document: Document) -> tuple[Item, ...]:
    """Everything that is offered, was accepted, or had to be dropped; by upstream, kind and name."""
    found = _by_key(suspicions(offers))
    shown = [
        Item(
            entry.target.upstream,
            entry.target.kind,
            entry.target.name,
            entry.standing,
            entry.definition.digest,
            "; ".join((*_doubts(entry, document), *(suspicion.detail for suspicion in found.get(_key(entry), ())))),
        )
        for entry in index.everything()
    ]
    dropped = [Item(name, one.kind, one.name, DROPPED, None, one.reason) for name, offer in offers.items() for one in offer.dropped]
    return tuple(sorted((*shown, *dropped), key=lambda item: (item.upstream, item.kind, item.name, item.standing)))


def waiting(index: Index, offers: Mapping[UpstreamId, Offer], pins: Pins) -> tuple[Waiting, ...]:
    """What is new or has drifted, in the order of the index, each with its whole difference from what was accepted."""
    found = _by_key(suspicions(offers))
    return tuple(
        _waiting(entry, pins, found.get(_key(entry), ()))
        for entry in index.everything()
        if entry.standing in {Standing.NEW, Standing.DRIFTED}
    )


def unmatched_rules(index: Index, document: Document) -> Iterator[tuple[tuple[str, ...], str]]:
    """Rules for tools that a seen upstream does not have: path in the document, and a sentence."""
    tools = {(entry.target.upstream, entry.target.name) for entry in index.everything() if entry.target.kind is Kind.TOOL}
    rules = [(UpstreamId(name), tool) for name, upstream in document.upstreams.items() for tool in upstream.tools]
    for upstream, tool in rules:
        if upstream in index.seen and (upstream, tool) not in tools:
            known = [visible(name) for owner, name in tools if owner == upstream]
            yield ("upstreams", upstream, "tools", tool), f"this upstream has no such tool{meant(tool, sorted(known))}"


def _key(entry: Entry) -> Key:
    return entry.target.upstream, entry.target.kind, entry.target.name


def _by_key(found: tuple[Suspicion, ...]) -> Mapping[Key, tuple[Suspicion, ...]]:
    grouped: dict[Key, tuple[Suspicion, ...]] = {}
    for suspicion in found:
        grouped[suspicion.key] = (*grouped.get(suspicion.key, ()), suspicion)
    return grouped


def _doubts(entry: Entry, document: Document) -> Iterator[str]:
    upstream = document.upstreams.get(entry.target.upstream)
    rule = upstream.tools.get(entry.target.name) if upstream is not None and entry.target.kind is Kind.TOOL else None
    if rule is not None:
        yield from doubts(entry.definition.body, rule)


def _waiting(entry: Entry, pins: Pins, found: tuple[Suspicion, ...]) -> Waiting:
    target = entry.target
    pin = pins.get(target.upstream, target.kind, target.name)
    differences = changes(accepted_body(pin) if pin is not None else None, entry.definition.body)
    kinds = hints(differences) if pin is not None else ()
    warnings = (*kinds, *(suspicion.detail for suspicion in found))
    head = f"! {', '.join(warnings)}\n" if warnings else ""
    text = f"{head}{render(differences)}"
    return Waiting(target.upstream, target.kind, target.name, entry.standing, entry.definition.digest, warnings, text)
