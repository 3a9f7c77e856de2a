"""What a sink owes: it takes a letter somewhere, or says why it could not."""

from typing import Protocol

from doorward.domain.errors import DoorwardError
from doorward.runtime.alerts.letter import Letter


class SinkError(DoorwardError):
    """A letter that a sink did not take; the message is for operators and holds no secret."""


class TurnedDownError(SinkError):
    """The other side is there, and did not take this letter; it may take another one."""


class Sink(Protocol):
    """One place that alerts go to. Used from the tasks of one event loop."""

    @property
    def name(self) -> str:
        """What operators call it; no two have the same."""
        ...

    async def deliver(self, letter: Letter) -> str:
        """What the other side answered, in a word or two; raises `SinkError`.

        May be called again with the same letter, which has the same id then. Bounds itself in time and size.
        """
        ...
