"""Work of others beside the loop: bounded in time and in threads, whatever it does."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable

import pytest

from doorward.inspection.plugins.aside import Aside, Broke, BusyError, LateError, SideLoop, Threads

pytestmark = pytest.mark.anyio

MEANS = pytest.mark.parametrize("means", [Threads, SideLoop])


def work(means: type[Threads | SideLoop], does: Callable[[], object]) -> Callable[[], object]:
    """The same work for either."""
    if means is Threads:
        return does

    async def waited() -> object:
        return does()

    return waited


def fails() -> object:
    raise ValueError("s3cret")


def leaves() -> object:
    raise SystemExit(1)


async def idle(aside: Aside) -> None:
    """Waits until nothing is done any more."""
    while aside.running:  # noqa: ASYNC110 -- what ends it is a thread
        await asyncio.sleep(0.001)


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"guard {name}"]


@MEANS
async def test_what_work_gives_is_handed_over(means: type[Threads | SideLoop]) -> None:
    aside = Aside(means("gives"))
    assert [await aside.do(work(means, lambda: 4711), 10) for _ in range(100)] == [4711] * 100
    assert (aside.running, len(named("gives"))) == (0, 1)


@MEANS
async def test_work_that_fails_is_said_to_have_failed_and_not_with_what(means: type[Threads | SideLoop]) -> None:
    aside = Aside(means("fails"))
    assert await aside.do(work(means, fails), 10) == Broke("ValueError")
    assert await aside.do(work(means, leaves), 10) == Broke("SystemExit")
    assert await aside.do(work(means, lambda: "alive"), 10) == "alive"


@MEANS
async def test_work_that_hangs_is_left_and_when_all_hangs_nothing_more_is_begun(means: type[Threads | SideLoop]) -> None:
    free = threading.Event()
    aside = Aside(means("hangs", 2))
    for _ in range(2):
        with pytest.raises(LateError):
            await aside.do(work(means, free.wait), 0.01)
    # At once: nothing waits, and no thread is added.
    for _ in range(50):
        with pytest.raises(BusyError):
            await aside.do(work(means, lambda: "never"), 60)
    assert len(named("hangs")) == (2 if means is Threads else 1)
    free.set()
    await idle(aside)
    assert await aside.do(work(means, lambda: "again"), 10) == "again"


async def test_work_waits_for_its_turn_as_long_as_its_time_goes() -> None:
    free = threading.Event()
    aside = Aside(Threads("turns", 1))
    first = asyncio.ensure_future(aside.do(free.wait, 30))
    await asyncio.sleep(0)
    with pytest.raises(LateError):
        await aside.do(lambda: "second", 0.01)
    third = asyncio.ensure_future(aside.do(lambda: "third", 30))
    await asyncio.sleep(0)
    free.set()
    assert (await first, await third) == (True, "third")


async def test_a_coroutine_is_cancelled_when_its_time_is_over() -> None:
    over = threading.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    aside = Aside(SideLoop("cancelled"))
    with pytest.raises(LateError):
        await aside.do(waits, 0.01)
    assert over.wait(10)
    await idle(aside)


async def test_who_hangs_up_leaves_no_work_behind_that_counts() -> None:
    free = threading.Event()
    aside = Aside(Threads("gone", 1))
    asking = asyncio.ensure_future(aside.do(free.wait, 60))
    await asyncio.sleep(0)
    asking.cancel()
    free.set()
    assert await aside.do(lambda: "next", 10) == "next"


@MEANS
async def test_threads_end_with_what_began_them(means: type[Threads | SideLoop]) -> None:
    aside = Aside(means("ends"))
    await aside.do(work(means, lambda: 1), 10)
    threads = named("ends")
    del aside
    gc.collect()
    for thread in threads:
        thread.join(10)
    assert (len(threads), named("ends")) == (1, [])
