"""People's own accounts at upstreams in this house: what they are connected with, and who ends them."""

from functools import partial

from doorward.admission import matters
from doorward.admission.matters import Matter, MatterKind
from doorward.app import clocks
from doorward.app.reach import authorization_server
from doorward.app.secrets import Sourcing
from doorward.app.state import State
from doorward.config.model import Document
from doorward.control.network import barred_by
from doorward.credentials.connections.connection import EVERY_AGENT, Holder, person, subject_of
from doorward.credentials.connections.connections import Connections
from doorward.credentials.connections.port import CALLBACK_PATH, CLIENT_PATH, Means, Ourselves
from doorward.credentials.plan import connected, plans
from doorward.domain.ids import AgentId, SubjectId
from doorward.domain.naming import OWN
from doorward.stores.sqlite.connections import SqliteConnections

_NAME = "Doorward"


class Connecting:
    """Connections, and the name that this gateway has towards services: that of its listener, once it has an address."""

    __slots__ = ("_is_barred", "_origin", "_switch", "connections")

    def __init__(self, document: Document, sourcing: Sourcing, state: State) -> None:
        """Raises a `DoorwardError` where a file that the document names cannot be read."""
        recorder = state.evidence.recorder
        self._origin = ""
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
        document_url = self._origin + CLIENT_PATH if self._origin.startswith("https://") else None
        return Ourselves(_NAME, (self._origin + CALLBACK_PATH,), document_url)

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
