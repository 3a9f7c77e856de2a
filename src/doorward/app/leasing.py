"""The credentials of upstreams in this house: what they are made with, and who takes them back."""

from functools import partial

from doorward.admission import matters
from doorward.admission.matters import Matter, Named
from doorward.app import clocks
from doorward.app.reach import authorization_server
from doorward.app.secrets import Sourcing
from doorward.app.state import State
from doorward.config.model import Document
from doorward.credentials.broker import Broker, Sources
from doorward.credentials.connections.connection import Place, holder_of
from doorward.credentials.connections.connections import Connections
from doorward.credentials.fingerprints import Fingerprints
from doorward.credentials.minting import Tools, mint_of
from doorward.credentials.oauth.means import Means
from doorward.credentials.plan import plans
from doorward.identity.registry import Change


def broker_of(document: Document, sourcing: Sourcing, fingerprints: Fingerprints, state: State, connections: Connections) -> Broker:
    """What leases the credentials of a document's upstreams; raises a `DoorwardError`."""
    root, reading = sourcing.root, sourcing.reading
    servers, sign = partial(authorization_server, root), state.voice.sign
    means = Means(reading.resolve, root, servers, sign, clocks.now, clocks.monotonic, clocks.draw)
    tools = Tools(reading, root, fingerprints, means, connections.mint)
    sources = Sources(
        mint_of=lambda upstream, plan: mint_of(upstream, plan, tools),
        fingerprints=fingerprints,
        monotonic=clocks.monotonic,
        now=clocks.now,
        new_id=clocks.new_id,
    )
    broker = Broker(plans(document), sources)
    _follow(broker, state)
    connections.follow(partial(_disconnected, broker))
    return broker


def _follow(broker: Broker, state: State) -> None:
    """Has the broker take back what was leased for whoever is stopped, suspended or revoked."""

    def stopped(matter: Matter, why: str) -> None:
        _withdraw(broker, matter)

    def narrowed(change: Change) -> None:
        if change.is_narrower:
            _withdraw(broker, matters.agent(change.agent) if change.key is None else matters.key(change.key))

    state.switch.on_change(stopped)
    state.registry.follow(narrowed)


def _withdraw(broker: Broker, matter: Matter) -> None:
    name: Named = (matter.kind, matter.name)
    broker.withdraw(lambda principal: name in matters.of_principal(principal))


def _disconnected(broker: Broker, place: Place) -> None:
    """A connection was revoked: whoever used it goes on with nothing that was made of it, and no process does."""
    broker.withdraw(lambda principal: holder_of(principal) == place.holder, place.upstream)
