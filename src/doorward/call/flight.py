"""Calls in flight: which running call belongs to which task, so that a stop or revocation cuts it off."""

import asyncio
from collections.abc import Callable

from doorward.domain.calls import Call
from doorward.domain.ids import CallId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused


class Flight:
    """The calls that are upstream right now."""

    __slots__ = ("_cut", "_followers", "_running")

    def __init__(self) -> None:
        self._running: dict[CallId, tuple[Call, asyncio.Task[object], int]] = {}
        """Each with its task, and how often somebody had asked that to end before."""
        self._cut: dict[CallId, str] = {}
        """Of these, which are cut off and why."""
        self._followers: list[Callable[[Callable[[Call], bool]], None]] = []

    def follow(self, callback: Callable[[Callable[[Call], bool]], None]) -> None:
        """Has somebody told of what is cut off: which calls, whether they run or have run."""
        self._followers.append(callback)

    def begin(self, call: Call) -> None:
        """A call goes upstream, in the task that says so; whoever says so says when it is back (`end`), and whether it was cut off."""
        task = asyncio.current_task()
        assert task is not None
        self._running[call.id] = (call, task, task.cancelling())

    def check_cut(self, call: Call) -> None:
        """For a call that is cancelled, before its `end`: raises `Refused` where that is because it was cut off."""
        why = self._cut.get(call.id)
        if why is None:
            return
        _, task, asked_before = self._running[call.id]
        if task.uncancel() > asked_before:
            # Whoever waits for it has gone in the same moment: that is the end that counts.
            return
        raise Refused(
            Reason.REVOKED_MEANWHILE,
            why,
            sentence="This was stopped while it ran; it may have run.",
            ran=Ran.MAYBE,
        ) from None

    def end(self, call: Call) -> None:
        """A call is not upstream any more."""
        del self._running[call.id]
        if self._cut:
            self._cut.pop(call.id, None)

    def cut(self, matches: Callable[[Call], bool], why: str) -> int:
        """Cuts off every running call that matches; gives how many."""
        cut = [(call.id, task) for call, task, _ in self._running.values() if call.id not in self._cut and matches(call)]
        for call_id, task in cut:
            self._cut[call_id] = why
            task.cancel()
        for callback in self._followers:
            callback(matches)
        return len(cut)

    def count(self, upstream: UpstreamId | None = None) -> int:
        """How many calls are upstream, of one upstream or of all."""
        if upstream is None:
            return len(self._running)
        return sum(1 for call, _, _ in self._running.values() if call.target.upstream == upstream)
