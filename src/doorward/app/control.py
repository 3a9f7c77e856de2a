"""The control plane of a house: its routes, plain pages and socket."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from doorward.app import clocks
from doorward.app.house import House
from doorward.control.agents import Agents
from doorward.control.app import control_app
from doorward.control.listener import ControlListener
from doorward.control.stops import Stops
from doorward.telemetry.meter import CONTENT_TYPE


class Ready(Protocol):
    """Says whether traffic may come."""

    def not_ready(self) -> tuple[str, ...]:
        """Why not; empty when it may."""
        ...


def control_listener(house: House, gateway: Ready) -> ControlListener:
    """The listener of the admin API, in the state directory."""
    recorder = house.evidence.recorder
    routes = (
        *Agents(house.registry, recorder, clocks.now).routes(),
        *Stops(house.switch, house.registry, recorder).routes(),
    )

    def health() -> tuple[int, str, bytes]:
        return 200, "text/plain", b"ok\n"

    def readiness() -> tuple[int, str, bytes]:
        reasons = gateway.not_ready()
        body = msgspec.json.encode({"ready": not reasons, "reasons": reasons})
        return (503 if reasons else 200), "application/json", body

    def metrics() -> tuple[int, str, bytes]:
        return 200, CONTENT_TYPE, house.meter.page()

    pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {"/healthz": health, "/readyz": readiness, "/metrics": metrics}
    app = control_app(routes, lambda: house.generations.current.document.control.operators, pages)
    return ControlListener(app, house.database.directory.path / "control.sock")
