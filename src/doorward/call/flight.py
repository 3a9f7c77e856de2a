"""Calls in flight: which running call belongs to which task, so that a stop or revocation cuts it off."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from doorward.domain.calls import Call
from doorward.domain.ids import CallId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused


class Flight:
    """The calls that are upstream right now."""

    __slots__ = ("_cut", "_followers", "_running")

    def __init__(self) -> None:
        self._running: dict[CallId, tuple[Call, asyncio.Task[object]]] = {}
        self._cut: dict[CallId, str] = {}
        self._followers: list[Callable[[Callable[[Call], bool]], None]] = []

    def follow(self, callback: Callable[[Callable[[Call], bool]], None]) -> None:
        """Has somebody told of what is cut off: which calls, whether they run or have run."""
        self._followers.append(callback)

    @contextmanager
    def of(self, call: Call) -> Iterator[None]:
        """Registers a call for as long as it is upstream; raises `Refused` instead of the cancellation that `cut` caused."""
        task = asyncio.current_task()
        assert task is not None
        asked_before = task.cancelling()
        self._running[call.id] = (call, task)
        try:
            yield
        except asyncio.CancelledError:
            why = self._cut.get(call.id)
            if why is None:
                raise
            if task.uncancel() > asked_before:
                # Whoever waits for it has gone in the same moment: that is the end that counts.
                raise
            raise Refused(
                Reason.REVOKED_MEANWHILE,
                why,
                sentence="This was stopped while it ran; it may have run.",
                ran=Ran.MAYBE,
            ) from None
        finally:
            self._running.pop(call.id, None)
            self._cut.pop(call.id, None)

    def cut(self, matches: Callable[[Call], bool], why: str) -> int:
        """Cuts off every running call that matches; gives how many."""
        cut = [(call, task) for call, task in self._running.values() if call.id not in self._cut and matches(call)]
        for call, task in cut:
            self._cut[call.id] = why
            task.cancel()
        for callback in self._followers:
            callback(matches)
        return len(cut)

    def count(self, upstream: UpstreamId | None = None) -> int:
        """How many calls are upstream, of one upstream or of all."""
        if upstream is None:
            return len(self._running)
        return sum(1 for call, _ in self._running.values() if call.target.upstream == upstream)
