"""Streams that wait for changes: the GET stream of a session and `subscriptions/listen`; they end gracefully, and are bounded per caller."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from doorward.domain.calls import Notice
from doorward.domain.reasons import Reason, Refused
from doorward.serving.pulse import Pulse
from doorward.serving.respond import Cause, Reply

_PER_PRINCIPAL = 32
"""Streams that one principal may hold open (SECURITY.md, limits to ship)."""

Message = Callable[[Notice], bytes | None]
"""A notice as the message that this stream carries, or None if it does not carry it."""


class Streams:
    """Every open stream."""

    __slots__ = ("_count", "_is_draining", "_open", "_pulse")

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._open: set[Reply] = set()
        self._count: Counter[str] = Counter()
        self._is_draining = False

    def __len__(self) -> int:
        return len(self._open)

    def drain(self) -> None:
        """Ends every stream, and each new one at once."""
        self._is_draining = True
        for reply in tuple(self._open):
            reply.cancel(Cause.ENDED)

    def check(self, owner: str) -> None:
        """Raises `Refused` OVER_CONCURRENCY where a caller holds as many streams as one may."""
        if self._count[owner] >= _PER_PRINCIPAL:
            raise Refused(Reason.OVER_CONCURRENCY, f"{_PER_PRINCIPAL} streams of one principal are open")

    async def follow(self, reply: Reply, owner: str, changes: AsyncIterator[Notice], message: Message) -> None:
        """Sends changes as they come; returns when there will be no more."""
        task = asyncio.current_task()
        assert task is not None
        reply.started()
        self._open.add(reply)
        self._count[owner] += 1
        self._pulse.enter(reply)
        try:
            await reply.begin()
            if not self._is_draining:
                await _carry(reply, changes, message)
        except asyncio.CancelledError:
            if reply.cause is not Cause.ENDED:
                raise
            task.uncancel()
        finally:
            self._pulse.leave(reply)
            self._open.discard(reply)
            self._count -= Counter({owner: 1})


async def _carry(reply: Reply, changes: AsyncIterator[Notice], message: Message) -> None:
    async with aclosing(cast("AsyncGenerator[Notice, None]", changes)) as notices:
        async for notice in notices:
            data = message(notice)
            if data is not None:
                await reply.event(data)
