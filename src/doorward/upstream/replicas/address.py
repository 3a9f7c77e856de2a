"""One address of an upstream: what speaks to it, and what is kept about it."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from doorward.domain.calls import Era
from doorward.upstream.circuit import Circuit
from doorward.upstream.health import Vitals
from doorward.upstream.order import Order
from doorward.upstream.port import Driver
from doorward.upstream.replicas.shown import Shown


class Place(msgspec.Struct, frozen=True):
    """An address of the configuration. `key` is all of it, `name` what operators are shown; `speaker` opens no connection yet."""

    key: str
    name: str
    speaker: Callable[[Circuit], "Speaker"]


class Speaker(Driver, Protocol):
    """A driver that tells how it is doing."""

    vitals: Vitals

    @property
    def era(self) -> Era | None:
        """The era it was found to speak; None before that."""
        ...

    @property
    def processes(self) -> int:
        """How many processes run for it."""
        ...

    @property
    def keeps_sessions(self) -> bool:
        """Whether calls of one principal have to go to the same address."""
        ...

    def holds_session(self, order: Order) -> bool:
        """Whether the caller has a session there."""
        ...


class Address(msgspec.Struct, eq=False):
    """One of the places where an upstream is."""

    key: str
    name: str
    speaker: Speaker
    outstanding: int = 0
    """Calls under way there; not counted while it stands alone."""
    turn: int = 0
    """When it was last chosen, as a number that only grows."""
    used_at: float = float("-inf")
    """When a call or probe last ended there, on the monotonic clock."""
    unprobed_until: float = float("-inf")
    """On the same clock: no probe before that, while it is left out."""
    shown: Shown | None = None
    """The definitions it showed last."""
    why_held: str = ""
    """In what it differs from the others, for which it is held back."""
    is_drained: bool = False
    is_sole: bool = False
    """What it shows is given out as it is: there is no other address to compare it with, or there was none when it was looked at."""
    stood_alone: bool = False
    """Whether calls may be under way that nobody counted."""

    @property
    def is_serving(self) -> bool:
        """Whether its circuit lets everything through."""
        return self.speaker.vitals.circuit.is_closed
