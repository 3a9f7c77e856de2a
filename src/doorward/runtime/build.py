"""From materials to a snapshot, or to everything that is wrong with them. Pure."""

from collections.abc import Iterable, Mapping
from enum import Enum, auto

import msgspec

from doorward.catalog.index import Index
from doorward.catalog.index import build as build_index
from doorward.catalog.offer import Offer
from doorward.catalog.pins import Pins
from doorward.config.model import Document
from doorward.domain.catalog import Pin, Posture, Standing
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import Digest, Generation, TeamId, UpstreamId
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.presets import presets
from doorward.policy.problems import Problem, Problems
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry, schema_entry
from doorward.runtime.facts import declared
from doorward.runtime.screen import Screens
from doorward.runtime.snapshot import Snapshot


class Materials(msgspec.Struct, frozen=True):
    """Everything of which a snapshot is a function."""

    document: Document
    digest: Digest
    """Of the document's text."""
    sources: tuple[Source, ...]
    offers: Mapping[UpstreamId, Offer]
    pins: Pins
    screens: Screens


class Candidate(msgspec.Struct, frozen=True):
    """A generation that is built and not yet current."""

    materials: Materials
    snapshot: Snapshot
    accepted: tuple[Pin, ...]
    """What it accepts for being the first seen; not yet kept."""


class Rigour(Enum):
    """How a policy that names what an upstream does not have is taken."""

    STRICT = auto()
    """As an error, once nothing of that upstream waits for approval (RULINGS 3): for what a person is changing."""
    LENIENT = auto()
    """As a warning: for what an upstream changes by itself, which may stop nobody."""


def build(materials: Materials, generation: Generation, rigour: Rigour) -> Snapshot | Problems:
    """The snapshot of these materials, or the problems of its policies and guards (the document has been checked when it was read)."""
    document = materials.document
    upstreams = {UpstreamId(name): upstream for name, upstream in document.upstreams.items()}
    index = build_index(materials.offers, materials.pins, document)
    policies = compiled(materials.sources, document, index, rigour)
    if isinstance(policies, Problems):
        return policies
    try:
        screen = materials.screens.of(document, index)
    except DoorwardError as error:
        return Problems((Problem("", 0, 0, None, str(error)),))
    return Snapshot(
        generation=generation,
        document=document,
        document_digest=materials.digest,
        index=index,
        offers={name: offer for name, offer in materials.offers.items() if name in upstreams},
        policies=policies,
        screen=screen,
        observed=frozenset(name for name, upstream in upstreams.items() if upstream.posture is Posture.OBSERVE),
    )


def compiled(sources: tuple[Source, ...], document: Document, index: Index, rigour: Rigour) -> Policies | Problems:
    """The policies of some files over a document and its catalogue, and those it takes of what ships; or everything wrong with them."""
    shipped = presets(document.flow.presets, document.flow.team, document.flow.exceptions)
    upstreams = {UpstreamId(name): upstream for name, upstream in document.upstreams.items()}
    settled = _settled(index) if rigour is Rigour.STRICT else frozenset[UpstreamId]()
    owners = {name: TeamId(upstream.team) for name, upstream in upstreams.items()}
    return compile_policies((*sources, *shipped), _entries(index), upstreams, settled, owners, declared(document))


def _settled(index: Index) -> frozenset[UpstreamId]:
    """The upstreams that have been looked at and of which nothing waits for a person."""
    waiting = {entry.target.upstream for entry in index.everything() if entry.standing in (Standing.NEW, Standing.DRIFTED)}
    return frozenset(index.seen) - waiting


def _entries(index: Index) -> Iterable[SchemaEntry]:
    """What policies may name: everything accepted, offered now or not (RULINGS 3)."""
    return (schema_entry(target, body) for target, body in index.pinned)
