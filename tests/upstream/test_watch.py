"""Streams of changes are taken up again, ever more slowly, and given up when they fail too often."""

import asyncio

import pytest

from doorward.domain.reasons import Ran
from doorward.net.errors import NetError, Trouble
from doorward.net.stream import Stream
from doorward.upstream.backoff import Backoff
from doorward.upstream.watch import TRIES, Watch
from tests.upstream.kit import TONGUE

pytestmark = pytest.mark.anyio


class Still:
    """A connection that does nothing."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def leave(self) -> None: ...
    def abort(self) -> None: ...


def streamed(*pieces: bytes) -> Stream:
    stream = Stream(Still())
    for piece in pieces:
        stream.add([piece], len(piece))
    stream.end()
    return stream


async def watched(*openings: Stream | NetError | None) -> tuple[int, int]:
    """How often the streams were asked for, and how many changes were told."""
    left, changes, asked = list(openings), 0, 0

    async def opened() -> Stream | None:
        nonlocal asked
        asked += 1
        found = left.pop(0) if left else None
        if isinstance(found, NetError):
            raise found
        return found

    def changed() -> None:
        nonlocal changes
        changes += 1

    await Watch(TONGUE, Backoff(0.001, 0.002, lambda: 0.0), changed, None).run(opened)
    return asked, changes


DOWN = NetError(Trouble.UNREACHABLE, "down", Ran.NO)
CHANGED = b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'


async def test_upstream_that_offers_no_stream_is_asked_once() -> None:
    assert await watched(None) == (1, 0)


async def test_stream_that_ends_is_opened_again_and_its_end_counts_as_a_change() -> None:
    assert await watched(streamed(CHANGED, CHANGED), streamed(), None) == (3, 4)


async def test_stream_that_cannot_be_opened_is_given_up_after_some_tries() -> None:
    assert await watched(*[DOWN] * 20) == (TRIES, 0)


async def test_one_success_begins_the_count_anew() -> None:
    assert await watched(DOWN, DOWN, streamed(), *[DOWN] * 20) == (3 + TRIES, 1)


async def test_garbage_on_the_stream_is_a_failure_like_any_other() -> None:
    assert await watched(*[streamed(b"data: garbage\n\n") for _ in range(20)]) == (TRIES, 0)


async def test_cancelled_watch_ends_at_once() -> None:
    stream = Stream(Still())

    async def opened() -> Stream | None:
        return stream

    task = asyncio.create_task(Watch(TONGUE, Backoff(1, 1, lambda: 0.0), lambda: None, None).run(opened))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
