"""From materials to a snapshot, or to everything that is wrong with them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from doorward.catalog.index import Index
from doorward.catalog.index import build as build_index
from doorward.catalog.offer import Offer
from doorward.catalog.pins import Pins
from doorward.config.model import Document
from doorward.domain.catalog import Kind, Posture
from doorward.domain.ids import Digest, Generation, UpstreamId
from doorward.policy.engine import compile as compile_policies
from doorward.policy.problems import Problems
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry
from doorward.runtime.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Materials:
    """Everything of which a snapshot is a function."""

    document: Document
    digest: Digest
    """Of the document's text."""
    sources: tuple[Source, ...]
    offers: Mapping[UpstreamId, Offer]
    pins: Pins


def build(materials: Materials, generation: Generation) -> Snapshot | Problems:
    """The snapshot of these materials, or the problems of its policies (the document has been checked when it was read)."""
    document = materials.document
    upstreams = {UpstreamId(name): upstream for name, upstream in document.upstreams.items()}
    index = build_index(materials.offers, materials.pins, document)
    policies = compile_policies(materials.sources, _entries(index), upstreams)
    if isinstance(policies, Problems):
        return policies
    return Snapshot(
        generation=generation,
        document=document,
        document_digest=materials.digest,
        index=index,
        offers={name: offer for name, offer in materials.offers.items() if name in upstreams},
        policies=policies,
        observed=frozenset(name for name, upstream in upstreams.items() if upstream.posture is Posture.OBSERVE),
    )


def _entries(index: Index) -> Iterable[SchemaEntry]:
    """What policies may name: everything accepted, offered now or not (RULINGS 3)."""
    for target, body in index.pinned:
        yield SchemaEntry(target, _schema_of(target.kind, body))


def _schema_of(kind: Kind, body: Mapping[str, object]) -> Mapping[str, object] | None:
    """The JSON Schema of a tool's arguments; of a prompt's, which are texts, the one that its list of names amounts to."""
    if kind is Kind.TOOL:
        schema = body.get("inputSchema")
        return schema if isinstance(schema, Mapping) else None
    listed = body.get("arguments")
    arguments = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return {
        "type": "object",
        "properties": {str(one.get("name")): {"type": "string"} for one in arguments},
        "required": [str(one.get("name")) for one in arguments if one.get("required") is True],
    }
