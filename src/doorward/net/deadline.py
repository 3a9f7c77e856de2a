"""One deadline that moves often and is hardly ever met: its timer is set once and looks at the deadline when it rings."""

import asyncio
from collections.abc import Callable
from typing import Final

NEVER: Final = float("inf")


class Deadline:
    """Calls `on_late` once the loop's clock has passed `when`. Moving it later costs an assignment, not a timer."""

    __slots__ = ("_loop", "_on_late", "_rings_at", "_timer", "when")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_late: Callable[[], None]) -> None:
        self._loop = loop
        self._on_late = on_late
        self._rings_at = NEVER
        self._timer: asyncio.TimerHandle | None = None
        self.when = NEVER
        """On the loop's clock, in seconds."""

    def move(self, when: float) -> None:
        """Sets the deadline, earlier or later than it was."""
        self.when = when
        if self._rings_at <= when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = when
        self._timer = self._loop.call_at(when, self._ring)

    def stop(self) -> None:
        """It is never met; the timer is let go."""
        self.when = NEVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._rings_at = NEVER

    def _ring(self) -> None:
        self._timer = None
        self._rings_at = NEVER
        if self._loop.time() < self.when:
            self.move(self.when)
        else:
            self._on_late()
