"""The catalogue as callers meet it: from a name on an endpoint to its target, in constant time; immutable, made of offers, pins and document."""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

import msgspec

from doorward.catalog.groups import parents, reversibility
from doorward.catalog.offer import NAMED_BY, URI_CHARACTERS, Offer
from doorward.catalog.pins import Key, Pins
from doorward.config.model import Document, Upstream
from doorward.domain.catalog import Definition, Kind, Pin, Standing, Target
from doorward.domain.ids import TeamId, UpstreamId
from doorward.wire.canonical import define
from doorward.wire.headers import ParamHeaders
from doorward.wire.jsonrpc import Limits, dump, parse_value
from doorward.wire.naming import advertise, unwrap_uri, wrap_definition, wrap_uri

NO_HEADERS: ParamHeaders = {}
PIN_LIMITS = Limits()
_RESOURCE = Kind.RESOURCE
"""Asked for on the way of every call: the member of an enum costs seven times what a name costs (Python 3.11)."""


class Face(msgspec.Struct, frozen=True):
    """How an entry looks on one endpoint: its name there, its whole object with that name, and the object as JSON."""

    name: str
    body: Mapping[str, object]
    encoded: bytes


class Entry(msgspec.Struct, frozen=True):
    """One thing of one upstream, ready to be listed and called."""

    key: str
    """Sorts entries of one kind: by upstream, then by own name."""
    target: Target
    definition: Definition
    """As it is offered now; for what is gone, as it was accepted."""
    standing: Standing
    own: Face
    """On the endpoint of its upstream: unchanged."""
    prefixed: Face
    """On the endpoint of all upstreams."""
    param_headers: ParamHeaders
    client_input: tuple[str, ...]
    """What its upstream may ask of the client in the middle of a call."""

    @property
    def input_schema(self) -> Mapping[str, object] | None:
        """The JSON Schema of a tool's arguments."""
        schema = self.definition.body.get("inputSchema")
        return schema if isinstance(schema, Mapping) else None

    def face(self, endpoint: UpstreamId | None) -> Face:
        """How it looks on an endpoint (None: the one of all upstreams)."""
        return self.prefixed if endpoint is None else self.own

    def shown(self, endpoint: UpstreamId | None) -> Mapping[str, object]:
        """Its object for a list on an endpoint. INVARIANT: nobody changes it, for it is shared."""
        return self.face(endpoint).body


class Index(msgspec.Struct, frozen=True):
    """Every entry, found by endpoint, kind and name. INVARIANT: never changed after `build`."""

    seen: Mapping[UpstreamId, float]
    """When each upstream that has been seen was last looked at (Unix seconds); one that is missing was not seen yet."""
    pinned: tuple[tuple[Target, Mapping[str, object]], ...]
    """Every accepted tool and prompt with its accepted body, offered or not: what policies are checked against (RULINGS 3)."""
    _upstreams: Mapping[UpstreamId, Upstream]
    _by_own: Mapping[Key, Entry]
    _by_prefixed: Mapping[tuple[Kind, str], Entry]
    _listed: Mapping[tuple[UpstreamId | None, Kind], tuple[Entry, ...]]

    def resolve(self, endpoint: UpstreamId | None, kind: Kind, name: str) -> Entry | None:
        """What a name means on an endpoint, whatever its standing; None where it means nothing there."""
        if kind is _RESOURCE:
            return self._resource(endpoint, name)
        return self._by_prefixed.get((kind, name)) if endpoint is None else self._by_own.get((endpoint, kind, name))

    def entries(self, endpoint: UpstreamId | None, kind: Kind) -> tuple[Entry, ...]:
        """What may be listed on an endpoint: approved, in the order of keys. What a principal may see of it is policy's to say."""
        return self._listed.get((endpoint, kind), ())

    def everything(self) -> Iterator[Entry]:
        """All entries of any standing, for operators; concrete resources are not among them."""
        return (entry for entry in self._by_own.values() if entry.target.kind is not Kind.RESOURCE)

    def _resource(self, endpoint: UpstreamId | None, uri: str) -> Entry | None:
        """A resource by its URI: policy governs URIs, so one that was never listed resolves too (RULINGS 19)."""
        found = unwrap_uri(uri) if endpoint is None else (endpoint, uri)
        if found is None or found[0] not in self._upstreams or not 0 < len(found[1]) <= URI_CHARACTERS:
            return None
        listed = self._by_own.get((found[0], Kind.RESOURCE, found[1]))
        return listed or _unlisted(found[0], found[1], self._upstreams[found[0]])


def build(offers: Mapping[UpstreamId, Offer], pins: Pins, document: Document) -> Index:
    """The index of everything that the document's upstreams offer or once had accepted."""
    upstreams = {UpstreamId(name): upstream for name, upstream in document.upstreams.items()}
    known = {name: offer for name, offer in offers.items() if name in upstreams}
    entries = [entry for name, offer in known.items() for entry in _offered(offer, pins, upstreams[name])]
    by_own = {(entry.target.upstream, entry.target.kind, entry.target.name): entry for entry in entries}
    gone = {
        key: _gone(pin, upstreams[pin.upstream])
        for key, pin in pins.items()
        if key not in by_own and pin.upstream in upstreams and pin.kind is not Kind.PROGRAM
    }
    by_own |= gone
    every = sorted(by_own.values(), key=attrgetter("key"))
    return Index(
        {name: offer.seen_at for name, offer in known.items()},
        tuple(_pinned(pins, upstreams, by_own)),
        upstreams,
        by_own,
        {(entry.target.kind, entry.prefixed.name): entry for entry in every if entry.target.kind is not Kind.INSTRUCTIONS},
        _lists(every),
    )


def _offered(offer: Offer, pins: Pins, upstream: Upstream) -> Iterator[Entry]:
    for definition in offer.definitions.values():
        yield _entry(definition, pins.standing(definition), upstream, offer.param_headers.get(definition.name, NO_HEADERS))
    for definition in offer.resources.values():
        yield _entry(definition, Standing.APPROVED, upstream, NO_HEADERS)


def _gone(pin: Pin, upstream: Upstream) -> Entry:
    definition = Definition(pin.upstream, pin.kind, pin.name, accepted_body(pin), pin.canonical, pin.digest)
    return _entry(definition, Standing.GONE, upstream, NO_HEADERS)


def _unlisted(name: UpstreamId, uri: str, upstream: Upstream) -> Entry:
    return _entry(define(name, Kind.RESOURCE, uri, {"uri": uri}), Standing.APPROVED, upstream, NO_HEADERS)


def _entry(definition: Definition, standing: Standing, upstream: Upstream, headers: ParamHeaders) -> Entry:
    target = _target(definition, upstream)
    own = Face(definition.name, definition.body, dump(definition.body))
    return Entry(
        f"{definition.upstream}\0{definition.name}",
        target,
        definition,
        standing,
        own,
        _prefixed(definition, own),
        headers,
        upstream.client_input,
    )


def _target(definition: Definition, upstream: Upstream) -> Target:
    groups = parents(definition.kind, definition.name, definition.body, upstream)
    return Target(
        definition.upstream,
        definition.kind,
        definition.name,
        # Concrete resources come and go: there is no definition of them that anybody has accepted.
        None if definition.kind is Kind.RESOURCE else definition.digest,
        TeamId(upstream.team),
        groups,
        reversibility(upstream.tools.get(definition.name) if definition.kind is Kind.TOOL else None, groups),
    )


def _prefixed(definition: Definition, own: Face) -> Face:
    """The object with its name among all upstreams; every other field stays as it is, but for URIs that name the upstream's resources."""
    if definition.kind is Kind.INSTRUCTIONS:
        return own
    wrap = wrap_uri if definition.kind in {Kind.RESOURCE, Kind.TEMPLATE} else advertise
    name = wrap(definition.upstream, definition.name)
    body = {**wrap_definition(definition.upstream, definition.body), NAMED_BY[definition.kind]: name}
    return Face(name, body, dump(body))


def _pinned(
    pins: Pins, upstreams: Mapping[UpstreamId, Upstream], by_own: Mapping[Key, Entry]
) -> Iterator[tuple[Target, Mapping[str, object]]]:
    for key, pin in pins.items():
        if pin.upstream not in upstreams or pin.kind not in {Kind.TOOL, Kind.PROMPT}:
            continue
        entry = by_own[key]
        if entry.standing is Standing.DRIFTED:
            body = accepted_body(pin)
            yield _target(Definition(pin.upstream, pin.kind, pin.name, body, pin.canonical, pin.digest), upstreams[pin.upstream]), body
        else:
            yield entry.target, entry.definition.body


def accepted_body(pin: Pin) -> Mapping[str, object]:
    """The object that was accepted."""
    body = parse_value(pin.canonical, PIN_LIMITS)
    assert isinstance(body, Mapping)
    return body


def _lists(entries: Iterable[Entry]) -> Mapping[tuple[UpstreamId | None, Kind], tuple[Entry, ...]]:
    found: dict[tuple[UpstreamId | None, Kind], list[Entry]] = {}
    for entry in entries:
        if entry.standing is Standing.APPROVED:
            found.setdefault((None, entry.target.kind), []).append(entry)
            found.setdefault((entry.target.upstream, entry.target.kind), []).append(entry)
    return {place: tuple(listed) for place, listed in found.items()}
