"""The credentials of upstreams in this house: what they are made with, and who takes them back."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from doorward.admission import matters
from doorward.admission.matters import Matter, Named
from doorward.admission.stops import Switch
from doorward.app import clocks
from doorward.app.reach import authorization_server
from doorward.app.secrets import Sourcing
from doorward.config.model import Document
from doorward.credentials.broker import Broker, Sources
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import Tools, mint_of
from doorward.credentials.oauth.means import Means
from doorward.credentials.plan import plans
from doorward.credentials.port import CredentialError
from doorward.domain.secret import Secret
from doorward.identity.registry import Change, Registry


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Who says that somebody is stopped, suspended or revoked."""

    switch: Switch
    registry: Registry


def broker_of(document: Document, sourcing: Sourcing, fingerprints: Fingerprints, withdrawing: Withdrawing) -> Broker:
    """What leases the credentials of a document's upstreams; raises a `DoorwardError`."""
    root, reading = sourcing.root, sourcing.reading
    means = Means(reading.resolve, root, partial(authorization_server, root), _sign, clocks.now, clocks.monotonic, clocks.draw)
    tools = Tools(reading, root, fingerprints, means)
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


def _sign(claims: Mapping[str, object], typ: str) -> Secret:
    raise CredentialError("there is no key of Doorward's own to sign with")


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
