"""The stage clock: how long each stage of a call takes, as a wall clock has it; off, there is none, and it costs nothing.

Whoever builds the spine hands each stage through a `Clock` once. One that is off gives the same function back.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

STAGE_SECONDS: Final = (5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 0.1, 1.0, 10.0)
"""Bounds of the buckets: from what only looks something up to a slow tool."""


class Clock(Protocol):
    """What stages are handed through."""

    def timed(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """A stage that waits for nothing, under the clock."""
        ...

    def tried(self, stage: str, work: Callable[P, T | None]) -> Callable[P, T | None]:
        """One that may turn out to wait, and gives None then: it comes again under `awaited`."""
        ...

    def awaited(self, stage: str, work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """One that waits, with its waits."""
        ...


class NoClock:
    """Nobody looks at a clock."""

    __slots__ = ()

    def timed(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """The stage itself."""
        return work

    def tried(self, stage: str, work: Callable[P, T | None]) -> Callable[P, T | None]:
        """The stage itself."""
        return work

    def awaited(self, stage: str, work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """The stage itself."""
        return work


NO_CLOCK: Final = NoClock()


class Times:
    """How often a stage was gone through, by bucket, and for how many seconds in all."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(STAGE_SECONDS) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """It was gone through once more, to whatever end."""
        self.counts[bisect_left(STAGE_SECONDS, seconds)] += 1
        self.seconds += seconds


class Stopwatch:
    """Reads a clock before and after each stage."""

    __slots__ = ("_monotonic", "_of")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._of: dict[str, Times] = {}

    @property
    def times(self) -> Mapping[str, Times]:
        """What was measured, by stage, in the order in which the spine was built."""
        return self._of

    def timed(self, stage: str, work: Callable[P, T]) -> Callable[P, T]:
        """A stage that waits for nothing, under the clock."""
        times, monotonic = self._of.setdefault(stage, Times()), self._monotonic

        def under_clock(*args: P.args, **kwargs: P.kwargs) -> T:
            began = monotonic()
            try:
                return work(*args, **kwargs)
            finally:
                times.add(monotonic() - began)

        return under_clock

    def tried(self, stage: str, work: Callable[P, T | None]) -> Callable[P, T | None]:
        """One that may turn out to wait, under the clock; where it does, it is counted when it comes again."""
        times, monotonic = self._of.setdefault(stage, Times()), self._monotonic

        def under_clock(*args: P.args, **kwargs: P.kwargs) -> T | None:
            began = monotonic()
            try:
                found = work(*args, **kwargs)
            except BaseException:
                times.add(monotonic() - began)
                raise
            if found is not None:
                times.add(monotonic() - began)
            return found

        return under_clock

    def awaited(self, stage: str, work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """One that waits, with its waits."""
        times, monotonic = self._of.setdefault(stage, Times()), self._monotonic

        async def under_clock(*args: P.args, **kwargs: P.kwargs) -> T:
            began = monotonic()
            try:
                return await work(*args, **kwargs)
            finally:
                times.add(monotonic() - began)

        return under_clock
