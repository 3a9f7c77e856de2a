"""The catalogue before an operator: everything with its standing, and what waits for a person, with the whole text of what would be accepted."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from doorward.catalog.drift import Change, Hint, changes, hints, render
from doorward.catalog.effects import has_new_effect
from doorward.catalog.groups import doubts
from doorward.catalog.index import Entry, Index, accepted_body
from doorward.catalog.offer import Offer
from doorward.catalog.pins import Key, Pins
from doorward.catalog.poison.found import Found, Rule, is_at_least
from doorward.catalog.poison.judge import findings
from doorward.catalog.suspicions import Suspicion, suspicions
from doorward.catalog.text import visible
from doorward.config.model import Document
from doorward.config.problems import meant
from doorward.domain.catalog import Definition, Kind, Pin, Standing
from doorward.domain.findings import Severity
from doorward.domain.ids import Digest, UpstreamId

DROPPED = "dropped"

NOTED = 8
"""Findings that one line of the catalogue repeats."""


class Item(msgspec.Struct, frozen=True):
    """One line of the catalogue. `standing` is a `Standing` or `dropped`."""

    upstream: UpstreamId
    kind: Kind
    name: str
    standing: str
    digest: Digest | None
    note: str


class Waiting(msgspec.Struct, frozen=True):
    """Something new or changed: `text` is all of it, and an approval of `digest` accepts exactly that."""

    upstream: UpstreamId
    kind: Kind
    name: str
    standing: Standing
    digest: Digest
    hints: tuple[str, ...]
    """What kinds of change it is, for something that has drifted."""
    findings: tuple[Found, ...]
    """What was found in it, worst first; while one is high, an approval has to name its rule."""
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
            "; ".join((*_doubts(entry, document), *(told(one) for one in found.get(_key(entry), ())[:NOTED]))),
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


def _by_key(found: tuple[Suspicion, ...]) -> Mapping[Key, tuple[Found, ...]]:
    grouped: dict[Key, list[Found]] = {}
    for suspicion in found:
        grouped.setdefault(suspicion.key, []).append(suspicion.found)
    return {key: tuple(group) for key, group in grouped.items()}


def _doubts(entry: Entry, document: Document) -> Iterator[str]:
    upstream = document.upstreams.get(entry.target.upstream)
    rule = upstream.tools.get(entry.target.name) if upstream is not None and entry.target.kind is Kind.TOOL else None
    if rule is not None:
        yield from doubts(entry.definition.body, rule)


def _waiting(entry: Entry, pins: Pins, found: tuple[Found, ...]) -> Waiting:
    target = entry.target
    pin = pins.get(target.upstream, target.kind, target.name)
    accepted = None if pin is None else accepted_body(pin)
    differences = changes(accepted, entry.definition.body)
    kinds = () if accepted is None else _kinds(target.kind, (accepted, entry.definition.body), differences, found)
    head = "".join(f"! {line}\n" for line in (*([", ".join(kinds)] if kinds else []), *map(told, found)))
    text = f"{head}{render(differences)}"
    return Waiting(target.upstream, target.kind, target.name, entry.standing, entry.definition.digest, kinds, found, text)


def told(one: Found) -> str:
    """A finding on one line."""
    place = f" at {one.pointer}" if one.pointer else ""
    return f"{one.severity} {one.rule}{place}: {one.detail}"


def kinds_of_change(pin: Pin, definition: Definition, offer: Offer) -> tuple[str, ...]:
    """What kinds of change lie between what was accepted and what is offered now."""
    accepted = accepted_body(pin)
    found = offer.findings.get((definition.kind, definition.name), ())
    return _kinds(definition.kind, (accepted, definition.body), changes(accepted, definition.body), found)


def _kinds(
    kind: Kind, sides: tuple[Mapping[str, object], Mapping[str, object]], differences: tuple[Change, ...], found: Iterable[Found]
) -> tuple[Hint, ...]:
    """The kinds of a change between an accepted body and another one, the gravest first."""
    before, after = sides
    effects = (Hint.SIDE_EFFECT,) if has_new_effect(before, after) else ()
    every = {*hints(differences), *effects, *_new_orders(kind, before, found)}
    return tuple(hint for hint in Hint if hint in every)


def _new_orders(kind: Kind, accepted: Mapping[str, object], found: Iterable[Found]) -> tuple[Hint, ...]:
    """Whether something is found, of medium weight or more, that was not in what was accepted."""
    before = {one.rule for one in findings(kind, accepted) if is_at_least(one.severity, Severity.MEDIUM)}
    beside = {Rule.NEAR_NAME, Rule.LOOKALIKE, Rule.SAME_NAME, Rule.FOREIGN_PREFIX, Rule.MENTION}
    now = {one.rule for one in found if is_at_least(one.severity, Severity.MEDIUM)}
    return (Hint.ORDERS,) if now - before - beside else ()
