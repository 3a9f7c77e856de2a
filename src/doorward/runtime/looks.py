"""What upstreams show, from one look to the next: whether it is the same, what of it has drifted, and what is still known after a reload."""

from collections.abc import Iterable, Iterator, Mapping

from doorward.catalog.offer import Offer, Shown
from doorward.catalog.pins import Approval, Pins, first_use
from doorward.catalog.review import kinds_of_change
from doorward.catalog.suspicions import Suspicion, held
from doorward.catalog.tolerance import tolerated
from doorward.config.model import Document
from doorward.domain.catalog import Definition, Pin, Standing, Trust
from doorward.domain.ids import UpstreamId
from doorward.domain.receipts import Event, Scalar
from doorward.runtime.fleet import is_same_server

DRIFTS_TOLD = 32
"""Definitions of one look whose drift gets a leaf each: an upstream that changes all of its own every minute does not fill the log."""


class Shows:
    """What upstreams have shown and nobody has taken yet: the newest of each."""

    __slots__ = ("_newest",)

    def __init__(self) -> None:
        self._newest: dict[UpstreamId, Shown] = {}

    def add(self, name: UpstreamId, shown: Shown) -> None:
        """An upstream shows this."""
        self._newest[name] = shown

    def waits(self, name: UpstreamId, shown: Shown) -> bool:
        """Whether this is still to be taken: it was not taken with others, and nothing newer was shown."""
        return self._newest.get(name) is shown

    def all(self) -> dict[UpstreamId, Shown]:
        """Everything that waits."""
        return dict(self._newest)

    def took(self, shown: Mapping[UpstreamId, Shown]) -> None:
        """This waits no longer; what is newer does."""
        for name in [name for name, one in shown.items() if self.waits(name, one)]:
            del self._newest[name]


def alike(one: Offer, other: Offer) -> bool:
    """Whether two looks at an upstream showed the same."""
    return (
        {key: definition.digest for key, definition in one.definitions.items()}
        == {key: definition.digest for key, definition in other.definitions.items()}
        and {uri: definition.digest for uri, definition in one.resources.items()}
        == {uri: definition.digest for uri, definition in other.resources.items()}
        and one.dropped == other.dropped
        and one.capabilities == other.capabilities
    )


def drifts(offer: Offer, before: Offer | None, pins: Pins) -> Iterator[Event]:
    """An event for each definition that has drifted since the look before; of a whole catalogue for the first ones, and a count."""
    held = before.definitions if before is not None else {}
    news = [one for key, one in offer.definitions.items() if key not in held or held[key].digest != one.digest]
    drifted = [definition for definition in news if pins.standing(definition) is Standing.DRIFTED]
    for one in drifted[:DRIFTS_TOLD]:
        yield Event("definition_drifted", "doorward", {**_fields(one), "changes": ", ".join(_kinds(one, offer, pins))})
    if len(drifted) > DRIFTS_TOLD:
        yield Event("definitions_drifted", "doorward", {"upstream": offer.upstream, "more": len(drifted) - DRIFTS_TOLD})


def unasked(offers: Mapping[UpstreamId, Offer], document: Document, pins: Pins, beside: Iterable[Suspicion], at: str) -> tuple[Pin, ...]:
    """Pins for what is accepted without a person: the first use of what is trusted with that, and drift of the kinds that are tolerated.

    `beside`: what is suspicious about all that is offered; a person should see what is held for it. `at`: RFC 3339, UTC.
    """
    waiting, told = held(found := tuple(beside)), document.upstreams
    trusted = [offer for name, offer in offers.items() if name in told and told[name].trust is Trust.FIRST_USE]
    drifting = [offer for name, offer in offers.items() if name in told]
    return (
        *(pin for offer in trusted for pin in first_use(offer, pins, waiting, at)),
        *(pin for offer in drifting for pin in tolerated(offer, pins, frozenset(told[offer.upstream].drift.accept), found, at)),
    )


def acceptances(pins: Iterable[Pin], approvals: Iterable[Approval] = ()) -> Iterator[Event]:
    """An event for each definition that is accepted, with the rules in spite of which it is."""
    despite = {(one.upstream, one.kind, one.name): one.despite for one in approvals}
    for pin in pins:
        named = despite.get((pin.upstream, pin.kind, pin.name), frozenset())
        more = {"despite": ", ".join(sorted(named))[:500]} if named else {}
        yield Event("definition_approved", pin.approved_by, {**_fields(pin), **more})


def _fields(one: Definition | Pin) -> dict[str, Scalar]:
    return {"upstream": one.upstream, "kind": one.kind.value, "name": one.name[:200], "definition": one.digest}


def _kinds(one: Definition, offer: Offer, pins: Pins) -> tuple[str, ...]:
    """What kinds of change a drift is of."""
    pin = pins.get(one.upstream, one.kind, one.name)
    return () if pin is None else kinds_of_change(pin, one, offer)


def still_offered(offers: Mapping[UpstreamId, Offer], old: Document, new: Document) -> Mapping[UpstreamId, Offer]:
    """What upstreams showed, but for those that are another server from now on: of these nothing is known until they are looked at."""
    before = old.upstreams
    return {name: offer for name, offer in offers.items() if name in new.upstreams and is_same_server(before[name], new.upstreams[name])}
