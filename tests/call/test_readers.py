"""Large messages are read in a few threads, and nobody waits for what takes another long."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from doorward.call.readers import TOGETHER, Readers


def _broken() -> None:
    raise ValueError("unreadable")


def _ended() -> None:
    raise StopIteration


@contextmanager
def no_threads() -> Iterator[None]:
    """The system gives none: it has no room for their stacks."""
    before = threading.stack_size(2**46)
    try:
        yield
    finally:
        threading.stack_size(before)


@pytest.mark.anyio
async def test_each_is_told_what_its_work_gives_or_raises() -> None:
    readers = Readers(2)
    given = [readers.read(divmod, number, 7) for number in range(5 * TOGETHER)]
    failed = readers.read(_broken)
    assert await asyncio.gather(*given) == [divmod(number, 7) for number in range(5 * TOGETHER)]
    with pytest.raises(ValueError, match="unreadable"):
        await failed


@pytest.mark.anyio
async def test_work_that_ends_as_no_future_can_be_told_is_told_all_the_same() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(Readers(1).read(_ended), 10)


@pytest.mark.anyio
async def test_where_no_thread_can_be_had_this_is_said_at_once_and_the_next_one_is_read_again() -> None:
    readers, goes_on = Readers(2), threading.Event()
    for _ in range(3):
        with no_threads(), pytest.raises(RuntimeError, match="thread"):
            await readers.read(int, "1")
    hangs = readers.read(goes_on.wait)
    with no_threads():
        alone = readers.read(int, "2")
    goes_on.set()
    assert [await asyncio.wait_for(one, 10) for one in (hangs, alone)] == [True, 2]


@pytest.mark.anyio
async def test_work_is_done_in_no_more_threads_than_there_may_be_and_never_in_that_of_the_loop() -> None:
    readers = Readers(2)
    threads = set(await asyncio.gather(*(readers.read(threading.get_ident) for _ in range(50))))
    assert len(threads) <= 2
    assert threading.get_ident() not in threads


@pytest.mark.anyio
@pytest.mark.parametrize("quick", [1, 2, TOGETHER + 1])
async def test_what_is_read_is_told_while_other_work_hangs(quick: int) -> None:
    readers, goes_on = Readers(2), threading.Event()
    first = [readers.read(int, "1") for _ in range(quick)]
    hangs = readers.read(goes_on.wait)
    rest = [readers.read(int, "1") for _ in range(quick)]
    assert await asyncio.gather(*first, *rest) == [1] * 2 * quick
    assert not hangs.done()
    goes_on.set()
    assert await hangs


@pytest.mark.anyio
async def test_what_is_read_is_told_though_all_threads_hang_afterwards() -> None:
    readers, goes_on = Readers(1), threading.Event()
    quick = readers.read(int, "1")
    hangs = [readers.read(goes_on.wait) for _ in range(3)]
    assert await quick == 1
    goes_on.set()
    assert await asyncio.gather(*hangs) == [True] * 3


@pytest.mark.anyio
async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    readers, goes_on, begun = Readers(1), threading.Event(), list[int]()
    hangs = readers.read(goes_on.wait)
    given_up = readers.read(begun.append, 1)
    given_up.cancel()
    goes_on.set()
    await hangs
    assert await readers.read(int, "2") == 2
    assert begun == []


def test_readers_serve_one_loop_after_another() -> None:
    readers = Readers(2)

    async def read() -> int:
        result: int = await readers.read(int, "3")
        return result

    assert [asyncio.run(read()) for _ in range(3)] == [3, 3, 3]


def test_threads_end_with_their_readers() -> None:
    async def read() -> threading.Thread:
        thread: threading.Thread = await Readers(2).read(threading.current_thread)
        return thread

    thread = asyncio.run(read())
    thread.join(10)
    assert not thread.is_alive()
