"""Opens the drivers of upstreams: with our clock, chance and names, and what they say carried to whoever should hear it."""

import os
import random
from collections.abc import Callable
from pathlib import Path

from doorward import __version__
from doorward.app import clocks
from doorward.app.places import anchored
from doorward.config.model import Upstream as UpstreamConfig
from doorward.domain.alerts import Alarm
from doorward.domain.ids import UpstreamId
from doorward.telemetry.journal import Journal, Level
from doorward.upstream.open import open_upstream
from doorward.upstream.port import Upstream
from doorward.upstream.seams import Seams
from doorward.upstream.supply.port import Inspector


class Opening:
    """Opens the driver of an upstream, and carries what it says to whoever should hear it."""

    __slots__ = ("_journal", "_root", "_seams", "changed")

    def __init__(self, root: Path, journal: Journal, mask: Callable[[str], str], alarm: Alarm, inspector: Inspector) -> None:
        self._root, self._journal = root, journal
        self.changed = _ignored
        self._seams = Seams(
            now=clocks.now,
            chance=random.random,
            version=__version__,
            path=os.environ.get("PATH", os.defpath),
            on_stderr=lambda name, line: journal.say("upstream_stderr", Level.DEBUG, upstream=name, line=mask(line)),
            on_event=lambda name, text: journal.say("upstream_event", upstream=name, text=mask(text)),
            mask=mask,
            alarm=alarm,
            inspector=inspector,
        )

    def __call__(self, name: UpstreamId, config: UpstreamConfig) -> Upstream:
        upstream = open_upstream(name, anchored(config, self._root), self._seams)
        upstream.on_change = lambda: self.changed(name)
        return upstream


def _ignored(name: UpstreamId) -> None:
    """Before there is a discovery nobody hears of changes; the first look comes anyway."""
