"""The control plane of a house: its routes, plain pages and socket."""

from collections.abc import Iterator
from typing import Protocol

from doorward.app import clocks
from doorward.app.house import House, Moments
from doorward.control.agents import Agents
from doorward.control.app import control_app
from doorward.control.approvals import Approvals
from doorward.control.catalog import Catalog
from doorward.control.configuration import Configurations
from doorward.control.listener import ControlListener
from doorward.control.log import Log
from doorward.control.observed import Observed
from doorward.control.pages import Pages
from doorward.control.policies import PolicyDesk
from doorward.control.routes import Route
from doorward.control.sessions import SessionRows
from doorward.control.status import Evidence, Status
from doorward.control.stops import Stops


class Ready(Protocol):
    """Says whether traffic may come."""

    def not_ready(self) -> tuple[str, ...]:
        """Why not; empty when it may."""
        ...


def control_listener(house: House, gateway: Ready) -> ControlListener:
    """The listener of the admin API, in the state directory."""
    pages = Pages(gateway.not_ready, house.meter)
    app = control_app(tuple(_routes(house, gateway)), lambda: house.generations.current.document.control.operators, pages.plain())
    return ControlListener(app, house.state.database.directory.path / "control.sock")


def _routes(house: House, gateway: Ready) -> Iterator[Route]:
    evidence, generations, workbench = house.state.evidence, house.generations, house.workbench
    recorder, auditor = evidence.recorder, evidence.auditor
    log = Evidence(recorder, evidence.anchors, evidence.log)
    yield from Status(gateway.not_ready, generations, workbench, house.fleet, house.flight, log).routes()
    yield from Agents(house.state.registry, recorder, clocks.now).routes()
    yield from Stops(house.state.switch, house.state.registry, generations, recorder).routes()
    yield from Catalog(workbench, generations, house.discovery, recorder).routes()
    yield from Approvals(house.state.desk, recorder).routes()
    yield from PolicyDesk(generations, house.state.registry, Moments(generations)).routes()
    yield from Observed(auditor, clocks.now).routes()
    yield from Log(auditor, recorder, evidence.anchors, clocks.now).routes()
    yield from SessionRows(house.sessions, recorder).routes()
    yield from Configurations(generations, workbench).routes()
