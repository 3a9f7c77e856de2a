"""Everything an operator can change, as one immutable value that a call reads once (law 7)."""

from collections.abc import Mapping

import msgspec

from doorward.catalog.index import Index
from doorward.catalog.offer import Offer
from doorward.config.model import Document
from doorward.domain.catalog import Posture
from doorward.domain.ids import Digest, Generation, UpstreamId
from doorward.policy.engine import Policies
from doorward.runtime.screen import Screen


class Snapshot(msgspec.Struct, frozen=True):
    """One generation of configuration, catalogue and policy."""

    generation: Generation
    document: Document
    document_digest: Digest
    index: Index
    offers: Mapping[UpstreamId, Offer]
    policies: Policies
    screen: Screen
    observed: frozenset[UpstreamId]
    """Upstreams with `posture: observe`."""

    def posture(self, upstream: UpstreamId) -> Posture:
        """Whether policy decides for an upstream or is only recorded."""
        return Posture.OBSERVE if upstream in self.observed else Posture.ENFORCE

    def is_observed(self, upstream: UpstreamId) -> bool:
        """Whether calls pass that policy would deny."""
        return upstream in self.observed
