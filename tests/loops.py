"""An event loop whose time is the test's: when nothing can run, it jumps to what is due next, and nobody waits."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Waits for files and threads as long as these take, and for the clock not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.in_threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; else the time is as late as the loop wanted to wait for."""
        if self.in_threads or timeout is None:
            # A thread does not know of our time: until it is done, none passes.
            return super().select(60 if timeout is None else 0.001)
        found = super().select(0)
        if not found:
            self.now += max(0.0, timeout)
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    """The loop of a test that waits for minutes."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds that passed for the test."""
        return self._jumping.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        """As ever; the time stands still until it is done."""
        self._jumping.in_threads += 1
        running = super().run_in_executor(executor, func, *args)
        running.add_done_callback(self._came_back)
        return running

    def _came_back(self, _: Any) -> None:
        self._jumping.in_threads -= 1
