"""Background tasks of one upstream are bounded, heard of when they fail, and ended with it."""

import asyncio

import pytest

from doorward.upstream.tasks import Tasks

pytestmark = pytest.mark.anyio


async def test_no_more_than_the_most_run_and_all_end_with_close() -> None:
    ended: list[int] = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(number)

    tasks = Tasks(2, lambda text: None)
    spawned = [tasks.spawn(work(number)) for number in range(3)]
    await asyncio.sleep(0)
    await tasks.close()
    assert spawned[2] is None
    assert sorted(ended) == [0, 1]
    assert tasks.spawn(work(9)) is None


async def test_failure_is_told() -> None:
    told: list[str] = []

    async def work() -> None:
        raise ValueError("odd")

    tasks = Tasks(2, told.append)
    tasks.spawn(work())
    await tasks.settle(1)
    await asyncio.sleep(0)
    assert told == ["ValueError: odd"]
