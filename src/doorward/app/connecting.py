"""People's own accounts at upstreams in this house: what they are connected with, and who ends them."""

from collections.abc import Callable
from functools import partial

from doorward.admission import matters
from doorward.admission.matters import Matter, MatterKind
from doorward.app import clocks
from doorward.app.reach import authorization_server
from doorward.app.secrets import Sourcing
from doorward.app.state import State
from doorward.config.model import Document
from doorward.control.network import barred_by
from doorward.credentials.connections.connection import EVERY_AGENT, Holder, Status, person, subject_of
from doorward.credentials.connections.connection import OWN as OWN_HOLDER
from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.port import CALLBACK_PATH, CLIENT_PATH, Begun, Means, Ourselves
from doorward.credentials.plan import connected, plans
from doorward.domain.ids import AgentId, SubjectId, UpstreamId
from doorward.domain.naming import OWN
from doorward.serving.authority.browser import CONNECTION, Browsers, Jar, Sealing
from doorward.serving.authority.entrance import Hall
from doorward.serving.connections.flow import Around, Flow
from doorward.serving.connections.own_links import OwnLinks
from doorward.serving.connections.places import CONNECT, places
from doorward.serving.connections.places import OWN as OWN_PAGE
from doorward.serving.pages import Places
from doorward.stores.sqlite.connections import SqliteConnections
from doorward.telemetry.meter import Meter

_NAME = "Doorward"


class Connecting:
    """Connections, and the name that this gateway has towards services: that of its listener, once it has an address."""

    __slots__ = ("_browsers", "_document", "_is_barred", "_origin", "_sealing", "_switch", "can_look", "connections", "own_links")

    def __init__(self, document: Document, sourcing: Sourcing, state: State) -> None:
        """Raises a `DoorwardError` where a file that the document names cannot be read."""
        recorder = state.evidence.recorder
        self._origin, self._document = "", document
        self._browsers: Browsers[Begun] | None = None
        self._sealing = Sealing(state.seal, clocks.draw, clocks.now)
        self.can_look: Callable[[UpstreamId], None] = _nobody_looks
        self.own_links = OwnLinks(clocks.draw, clocks.now)
        self._switch, self._is_barred = state.switch, barred_by(state.switch)
        self.connections = Connections(
            Means(
                store=SqliteConnections(state.evidence.log.writer, state.at_rest.envelope),
                resolve=sourcing.reading.resolve,
                web=partial(authorization_server, sourcing.root),
                now=clocks.now,
                monotonic=clocks.monotonic,
                draw=clocks.draw,
                new_id=clocks.new_id,
                mark=recorder.pseudonym,
                told=recorder.note,
                is_barred=self._bars,
                ourselves=self.ourselves,
            )
        )
        self.connections.adopt(self.connections.parties(connected(plans(document))))

    def stand(self, origin: str) -> None:
        """The listener has its address."""
        self._origin = origin

    def ourselves(self) -> Ourselves:
        """How services know this gateway; they can fetch its document at an https URL alone."""
        has_document = self._origin.startswith("https://") and self._document.connections.client_document
        return Ourselves(_NAME, (self._origin + CALLBACK_PATH,), self._origin + CLIENT_PATH if has_document else None)

    def link(self, reference: str) -> str | None:
        """The page of what a call could not be made without; None where people cannot sign in."""
        return f"{self._origin}{CONNECT}/{reference}" if self._origin and self._browsers is not None else None

    def own_link(self, upstream: UpstreamId) -> str | None:
        """A new link by which an operator connects the gateway's own account at an upstream; None where there are no such pages."""
        if self._browsers is None or all(offer.upstream != upstream for offer in self.connections.offers()):
            return None
        return f"{self._origin}{OWN_PAGE}/{self.own_links.make(upstream)}"

    def pages(self, document: Document, origin: str, hall: Hall | None) -> Places:
        """Goes on with another document: what it has on the data listener."""
        self._document = document
        if hall is None or not connected(plans(document)):
            self._browsers = None
            return {}
        jar = Jar(origin, CONNECTION)
        if self._browsers is None:
            self._browsers = Browsers(jar, self._sealing, Begun)
        else:
            self._browsers.adopt(jar)
        return places(Flow(Around(self.connections, hall, self._browsers, self.own_links, self.can_look)))

    def loud(self) -> tuple[str, ...]:
        """What operators should hear of: accounts that do not work any more."""
        broken = [one for one in self.connections.every() if one.status is Status.BROKEN]
        own = sorted(one.place.upstream for one in broken if one.place.holder == OWN_HOLDER)
        people = len(broken) - len(own)
        told = [f"the gateway's own account at {name} does not work any more: doorward connection connect {name}" for name in own]
        if people:
            told.append(f"{people} of the accounts that people have connected do not work any more: doorward connection list")
        return tuple(told)

    def measure(self, meter: Meter) -> None:
        """Adds what is read off connections whenever somebody looks at the metrics; nobody is named."""
        for status in (Status.WORKING, Status.BROKEN):
            meter.gauge(f"doorward_connections_{status}", f"Connected accounts that are {status}", partial(self._count, status))

    def _count(self, status: Status) -> int:
        return sum(one.status is status for one in self.connections.every())

    async def withdraw(self, matter: Matter, why: str) -> None:
        """Ends what was connected by, or for, somebody who has been revoked; raises `StoreError`."""
        match matter.kind:
            case MatterKind.USER:
                await self.connections.withdraw(person(SubjectId(matter.name)), OWN, why)
            case MatterKind.AGENT:
                await self.connections.withdraw_agent(AgentId(matter.name), OWN, why)
            case _:
                return

    def _bars(self, holder: Holder, agent: AgentId) -> bool:
        subject = subject_of(holder)
        if subject is not None and self._is_barred(subject):
            return True
        return agent != EVERY_AGENT and self._switch.effect(matters.agent(agent)) is not None


def _nobody_looks(upstream: UpstreamId) -> None:
    """Before there is a discovery, nobody hears of it; the first look comes anyway."""
