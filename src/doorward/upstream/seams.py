"""What an upstream is given of the world: clock, chance, names, and where its words and changes go."""

import time
from collections.abc import Callable

import msgspec

from doorward.domain.alerts import Alarm, Alert
from doorward.domain.ids import UpstreamId
from doorward.net.egress import Lookup, system_lookup
from doorward.upstream.supply.port import Anything, Inspector


def _nobody(upstream: UpstreamId, text: str) -> None:
    """Nobody listens."""


def _unalarmed(alert: Alert) -> None:
    """Nobody is alarmed."""


class Seams(msgspec.Struct, frozen=True):
    """Given by `app`, and by tests."""

    now: Callable[[], float]
    """Unix seconds."""
    chance: Callable[[], float]
    """Numbers evenly spread over 0 ≤ n < 1, for the spread of retries; not for secrets."""
    version: str
    """Of Doorward, as upstreams are told it."""
    path: str
    """The PATH that server processes get."""
    on_stderr: Callable[[UpstreamId, str], None] = _nobody
    """Hears every line a server process says on standard error: text from outside."""
    on_event: Callable[[UpstreamId, str], None] = _nobody
    """Hears what happens to an upstream that operators want to know: a restart, a tool left out, a failed background task."""
    mask: Callable[[str], str] = str
    """Takes our own credentials out of a text from outside, before operators are shown it."""
    inspector: Inspector = msgspec.field(default_factory=lambda: Inspector(Anything()))
    """Says whether a server process may be made of what it is made of."""
    lookup: Lookup = system_lookup
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that never go back, by which failing addresses rest."""
    alarm: Alarm = _unalarmed
    """Hears when an address is left out, and when it is back."""
