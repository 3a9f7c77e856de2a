"""What a person has accepted: a digest for each name, kept until somebody says otherwise, also while nothing of the name is offered."""

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Protocol

import msgspec

from doorward.catalog.offer import Offer
from doorward.domain.catalog import Definition, Kind, Pin, Standing
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import Digest, UpstreamId

Key = tuple[UpstreamId, Kind, str]
"""Upstream, kind and own name: what a pin is for."""

FIRST_USE = "first-use"
"""Who accepted a definition that was pinned for being the first one seen."""

NOTHING = Digest("")
"""The digest of a pin that accepts nothing: of what a person withdrew. No definition has it."""


MOST_FIRST_USES = 2_048
"""Names of one upstream that are pinned, offered or not, beyond which first use accepts no more: pins are kept for good, and an
upstream could show other names at each look. What is new then waits for a person."""


class PinStore(Protocol):
    """Where pins are kept. One writer; a pin is replaced as a whole."""

    def all(self) -> tuple[Pin, ...]:
        """Every pin as of the last completed `put` or `drop`; from memory, without waiting."""
        ...

    async def put(self, pins: Iterable[Pin]) -> None:
        """Keeps these pins, each in place of the one with its key. Durable when it returns, all of them or none; idempotent."""
        ...

    async def drop(self, keys: Iterable[Key]) -> None:
        """Forgets the pins of these keys; a key without a pin is no error. Durable when it returns."""
        ...


class Approval(msgspec.Struct, frozen=True):
    """A person's yes to one definition: the digest is the one of what that person was shown."""

    upstream: UpstreamId
    kind: Kind
    name: str
    digest: Digest
    despite: frozenset[str] = frozenset()
    """Rules of high findings that the person has seen and accepts; without their names the definition stays held back."""


class StaleApprovalError(DoorwardError):
    """What is offered now is not what was shown; nothing of the whole request was accepted."""

    def __init__(self, stale: Iterable[Approval]) -> None:
        self.stale = tuple(stale)
        super().__init__(
            "changed since it was shown: "
            + ", ".join(f"{approval.kind} {approval.upstream}/{approval.name[:100]!r}" for approval in self.stale)
        )


class HeldBackError(DoorwardError):
    """High findings that nobody named; nothing of the whole request was accepted. `reasons`: a line for each definition."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"held back for what was found: {'; '.join(self.reasons)[:2000]}")


class Pins:
    """Every pin at one moment, by key."""

    __slots__ = ("_by_key",)

    def __init__(self, pins: Iterable[Pin] = ()) -> None:
        self._by_key: Mapping[Key, Pin] = MappingProxyType({(pin.upstream, pin.kind, pin.name): pin for pin in pins})

    def get(self, upstream: UpstreamId, kind: Kind, name: str) -> Pin | None:
        """The pin of a name; None if nobody accepts anything of it."""
        pin = self._by_key.get((upstream, kind, name))
        return None if pin is None or pin.digest == NOTHING else pin

    def is_untouched(self, upstream: UpstreamId, kind: Kind, name: str) -> bool:
        """Whether nobody has ever accepted anything of a name, nor withdrawn it."""
        return (upstream, kind, name) not in self._by_key

    def items(self) -> Iterable[tuple[Key, Pin]]:
        """Every pin that accepts something, with its key."""
        return ((key, pin) for key, pin in self._by_key.items() if pin.digest != NOTHING)

    def count(self, upstream: UpstreamId) -> int:
        """How many names of an upstream are pinned."""
        return sum(key[0] == upstream for key in self._by_key)

    def standing(self, definition: Definition) -> Standing:
        """Where a definition that is offered stands."""
        pin = self.get(definition.upstream, definition.kind, definition.name)
        if pin is None:
            return Standing.NEW
        return Standing.APPROVED if pin.digest == definition.digest else Standing.DRIFTED

    def having(self, pins: Iterable[Pin]) -> "Pins":
        """These pins and the given ones, which replace their like."""
        return Pins((*self._by_key.values(), *pins))


def approve(offers: Mapping[UpstreamId, Offer], approvals: Iterable[Approval], by: str, at: str) -> tuple[Pin, ...]:
    """Pins for what was shown, all or none; raises StaleApprovalError where something else, or nothing, is offered now.

    `at`: RFC 3339, UTC. What was shown is what is accepted: an upstream that changes a definition between the two is found out.
    """
    wanted = tuple(approvals)
    offered = {approval: _offered(offers, approval) for approval in wanted}
    stale = [approval for approval, definition in offered.items() if definition is None or definition.digest != approval.digest]
    if stale:
        raise StaleApprovalError(stale)
    return tuple(_pin(definition, by, at) for definition in offered.values() if definition is not None)


def first_use(offer: Offer, pins: Pins, held: frozenset[Key], at: str) -> tuple[Pin, ...]:
    """Pins for everything of an offer that was never seen before, but for what is held for a person (see `suspicions`).

    A name that was ever pinned keeps its pin, also while it is not offered: taking a tool away and bringing another one back is drift.
    What a person withdrew was seen before: it takes a person to accept it again.
    """
    room = max(0, MOST_FIRST_USES - pins.count(offer.upstream))
    unseen = (
        definition
        for (kind, name), definition in offer.definitions.items()
        if pins.is_untouched(offer.upstream, kind, name) and (offer.upstream, kind, name) not in held
    )
    return tuple(_pin(definition, FIRST_USE, at) for definition in islice(unseen, room))


def withdrawn(keys: Iterable[Key], by: str, at: str) -> tuple[Pin, ...]:
    """Pins that accept nothing any more, in place of those of these keys: kept, so that first use does not accept them again."""
    return tuple(Pin(upstream, kind, name, NOTHING, b"{}", by, at) for upstream, kind, name in keys)


def _offered(offers: Mapping[UpstreamId, Offer], approval: Approval) -> Definition | None:
    offer = offers.get(approval.upstream)
    return offer.definitions.get((approval.kind, approval.name)) if offer is not None else None


def _pin(definition: Definition, by: str, at: str) -> Pin:
    return Pin(definition.upstream, definition.kind, definition.name, definition.digest, definition.canonical, by, at)
