"""Plain pages for probes and scrapers: whether the process lives, whether traffic may come, and the metrics."""

from collections.abc import Callable

import msgspec

from doorward.control.app import Plain
from doorward.telemetry.meter import CONTENT_TYPE, Meter

Readiness = Callable[[], tuple[str, ...]]
"""Why no traffic may come now; empty when it may."""


class Pages(msgspec.Struct, frozen=True):
    """The pages of one gateway."""

    not_ready: Readiness
    meter: Meter

    def plain(self) -> Plain:
        """Path → page."""
        return {"/healthz": self.health, "/readyz": self.readiness, "/metrics": self.metrics}

    def health(self) -> tuple[int, str, bytes]:
        """That the process lives: it answers."""
        return 200, "text/plain; charset=utf-8", b"ok\n"

    def readiness(self) -> tuple[int, str, bytes]:
        """200, or 503 with the reasons."""
        reasons = self.not_ready()
        body = msgspec.json.encode({"ready": not reasons, "reasons": reasons})
        return (503 if reasons else 200), "application/json", body

    def metrics(self) -> tuple[int, str, bytes]:
        """Everything counted, as Prometheus reads it."""
        return 200, CONTENT_TYPE, self.meter.page()
