"""The body of a response that streams: read piece by piece, with the sender held back while nobody reads."""

import asyncio
from typing import Protocol

from doorward.net.errors import NetError

HIGH_WATER_BYTES = 64 * 1024
"""Unread bytes at which the sender is held back: one page of memory per stream is kept small, yet a full read never starves."""


class Source(Protocol):
    """The connection a stream comes from."""

    def pause(self) -> None:
        """Stop taking bytes from the sender."""
        ...

    def resume(self) -> None:
        """Take them again."""
        ...

    def leave(self) -> None:
        """Nobody reads the rest: finish it in the background if that is cheap, else drop the connection."""
        ...

    def abort(self) -> None:
        """Drop the connection now, which is what cancels an exchange."""
        ...


class Stream:
    """Bytes of one body, in order. One reader at a time; whoever has it must end with `leave` or `abort`."""

    __slots__ = ("_chunks", "_error", "_is_ended", "_is_paused", "_size", "_source", "_waiter")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._chunks: list[bytes] = []
        self._size = 0
        self._error: NetError | None = None
        self._is_ended = False
        self._is_paused = False
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """What has come since the last read, waiting if nothing has; empty at the end. Raises NetError; cancelling it aborts."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._is_ended:
                return b""
            await self._wait()
        octets = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._is_paused:
            self._is_paused = False
            self._source.resume()
        return octets

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.abort()
            raise
        finally:
            self._waiter = None

    def leave(self) -> None:
        """The reader has what it came for; the connection is kept if the rest is short."""
        if not self._is_ended:
            self._is_ended = True
            self._is_paused = False
            self._source.leave()

    def abort(self) -> None:
        """The reader gives up: the connection is dropped. Harmless after the end or `leave`."""
        if not self._is_ended:
            self._is_ended = True
            self._is_paused = False
            self._source.abort()

    # What the connection calls.

    def add(self, chunks: list[bytes], size: int) -> None:
        """More of the body has come."""
        self._chunks += chunks
        self._size += size
        if self._size > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self._source.pause()
        self._wake()

    def end(self) -> None:
        """The body is whole; the connection is still ours, and goes on to others free to read."""
        self._is_ended = True
        if self._is_paused:
            self._is_paused = False
            self._source.resume()
        self._wake()

    def fail(self, error: NetError) -> None:
        """The body will never be whole; what has come can still be read."""
        self._error = error
        self._is_ended = True
        self._is_paused = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
