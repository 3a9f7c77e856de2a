"""The credentials of upstreams in this house: what they are made with, and who takes them back."""

from dataclasses import dataclass

from doorward.admission import matters
from doorward.admission.matters import Matter, Named
from doorward.admission.stops import Switch
from doorward.app import clocks
from doorward.app.secrets import Sourcing
from doorward.config.model import Document
from doorward.credentials.broker import Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import Tools, mint_of
from doorward.credentials.plan import plans
from doorward.identity.registry import Change, Registry


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Who says that somebody is stopped, suspended or revoked."""

    switch: Switch
    registry: Registry


def broker_of(document: Document, sourcing: Sourcing, fingerprints: Fingerprints, withdrawing: Withdrawing) -> Broker:
    """What leases the credentials of a document's upstreams; raises a `DoorwardError`."""
    tools = Tools(sourcing.reading, sourcing.root, fingerprints)
    sources = Sources(
        mint_of=lambda upstream, plan: mint_of(upstream, plan, tools),
        fingerprints=fingerprints,
        monotonic=clocks.monotonic,
        now=clocks.now,
        new_id=clocks.new_id,
    )
    broker = Broker(plans(document), sources)
    _follow(broker, withdrawing)
    return broker


def _follow(broker: Broker, withdrawing: Withdrawing) -> None:
    """Has the broker take back what was leased for whoever is stopped, suspended or revoked."""

    def stopped(matter: Matter, why: str) -> None:
        _withdraw(broker, matter)

    def narrowed(change: Change) -> None:
        if change.is_narrower:
            _withdraw(broker, matters.agent(change.agent) if change.key is None else matters.key(change.key))

    withdrawing.switch.on_change(stopped)
    withdrawing.registry.follow(narrowed)


def _withdraw(broker: Broker, matter: Matter) -> None:
    name: Named = (matter.kind, matter.name)
    broker.withdraw(lambda principal: name in matters.of_principal(principal))
