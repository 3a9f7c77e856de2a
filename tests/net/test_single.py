"""One piece of work for many who wait."""

import asyncio

import pytest

from doorward.domain.reasons import Ran, Reason, Refused
from doorward.net.errors import NetError, Trouble
from doorward.net.single import Single

pytestmark = pytest.mark.anyio


async def test_work_is_done_once_for_all_who_ask_meanwhile() -> None:
    done = 0

    async def work() -> int:
        nonlocal done
        done += 1
        await asyncio.sleep(0)
        return done

    single: Single[int] = Single()
    assert await asyncio.gather(*(single.run(work) for _ in range(5))) == [1] * 5
    assert await single.run(work) == 2


async def test_work_goes_on_when_one_who_waits_is_cancelled() -> None:
    release = asyncio.Event()

    async def work() -> str:
        await release.wait()
        return "done"

    single: Single[str] = Single()
    first, second = (asyncio.create_task(single.run(work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    release.set()
    assert await second == "done"


async def test_each_who_waits_gets_a_refusal_of_its_own() -> None:
    async def work() -> None:
        raise Refused(Reason.UPSTREAM_UNREACHABLE, "down", sentence="It is down.")

    single: Single[None] = Single()
    first, second = await asyncio.gather(single.run(work), single.run(work), return_exceptions=True)
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert first is not second
    assert (first.reason, first.detail, first.public) == (second.reason, second.detail, second.public)


async def test_stopped_work_has_ended() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    single: Single[None] = Single()
    waiting = asyncio.create_task(single.run(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await single.stop()
    assert ended.is_set()
    with pytest.raises(NetError) as caught:
        await waiting
    assert (caught.value.trouble, caught.value.ran) == (Trouble.SHUT, Ran.NO)


async def test_whoever_waits_for_the_end_of_work_neither_stops_it_nor_hears_how_it_ended() -> None:
    release = asyncio.Event()

    async def work() -> None:
        await release.wait()
        raise ValueError("lost")

    single: Single[None] = Single()
    await single.settled()
    running = asyncio.create_task(single.run(work))
    await asyncio.sleep(0)
    impatient, patient = (asyncio.create_task(single.settled()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    release.set()
    await patient
    with pytest.raises(ValueError, match="lost"):
        await running
