"""Calls in flight: which running call belongs to which task, so that a stop or revocation cuts it off."""

import asyncio
from collections.abc import Callable
from types import TracebackType

from doorward.domain.calls import Call
from doorward.domain.ids import CallId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused


class Flown:
    """One call for as long as it is upstream: a context that raises `Refused` instead of the cancellation that `Flight.cut` caused."""

    __slots__ = ("_asked_before", "_running", "call", "task", "why")

    def __init__(self, running: "dict[CallId, Flown]", call: Call) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running = running
        self.call, self.task = call, task
        self._asked_before = task.cancelling()
        self.why: str | None = None
        """Why it was cut off; None where it was not."""

    def __enter__(self) -> None:
        self._running[self.call.id] = self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._running.pop(self.call.id, None)
        if self.why is None or not isinstance(error, asyncio.CancelledError):
            return
        if self.task.uncancel() > self._asked_before:
            # Whoever waits for it has gone in the same moment: that is the end that counts.
            return
        raise Refused(
            Reason.REVOKED_MEANWHILE,
            self.why,
            sentence="This was stopped while it ran; it may have run.",
            ran=Ran.MAYBE,
        ) from None


class Flight:
    """The calls that are upstream right now."""

    __slots__ = ("_followers", "_running")

    def __init__(self) -> None:
        self._running: dict[CallId, Flown] = {}
        self._followers: list[Callable[[Callable[[Call], bool]], None]] = []

    def follow(self, callback: Callable[[Callable[[Call], bool]], None]) -> None:
        """Has somebody told of what is cut off: which calls, whether they run or have run."""
        self._followers.append(callback)

    def of(self, call: Call) -> Flown:
        """Registers a call for as long as it is upstream."""
        return Flown(self._running, call)

    def cut(self, matches: Callable[[Call], bool], why: str) -> int:
        """Cuts off every running call that matches; gives how many."""
        cut = [one for one in self._running.values() if one.why is None and matches(one.call)]
        for one in cut:
            one.why = why
            one.task.cancel()
        for callback in self._followers:
            callback(matches)
        return len(cut)

    def count(self, upstream: UpstreamId | None = None) -> int:
        """How many calls are upstream, of one upstream or of all."""
        if upstream is None:
            return len(self._running)
        return sum(1 for one in self._running.values() if one.call.target.upstream == upstream)
