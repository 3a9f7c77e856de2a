"""Calls in flight: cut off when something of theirs is stopped, and only they."""

import asyncio
from dataclasses import replace

import pytest

from doorward.call.flight import Flight
from doorward.domain.calls import Call
from doorward.domain.ids import CallId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from tests import made

ONE = made.call({"n": 1})
OTHER = replace(made.call({"n": 2}, to=made.target("hg")), id=CallId("other"))


async def flown(flight: Flight, call: Call, landed: asyncio.Event) -> None:
    flight.begin(call)
    try:
        await landed.wait()
    except asyncio.CancelledError:
        flight.check_cut(call)
        raise
    finally:
        flight.end(call)


async def flies(flight: Flight, call: Call, landed: asyncio.Event) -> str:
    """How a call ends that waits upstream."""
    try:
        await flown(flight, call, landed)
    except Refused as refused:
        return f"{refused.reason}: {refused.detail} {refused.ran}"
    return "landed"


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_what_matches_is_cut_off_and_the_rest_flies_on() -> None:
    flight, landed = Flight(), asyncio.Event()
    one, other = (asyncio.create_task(flies(flight, call, landed)) for call in (ONE, OTHER))
    await settled()
    assert (flight.count(), flight.count(UpstreamId("git")), flight.count(UpstreamId("none"))) == (2, 1, 0)
    assert flight.cut(lambda call: call.target.upstream == "git", "fire") == 1
    # Nothing is cut twice.
    assert flight.cut(lambda call: call.target.upstream == "git", "again") == 0
    assert await one == f"{Reason.REVOKED_MEANWHILE}: fire {Ran.MAYBE}"
    assert flight.count() == 1
    landed.set()
    assert await other == "landed"
    assert flight.count() == 0


@pytest.mark.anyio
async def test_a_task_that_was_cut_off_is_not_cancelled_any_more() -> None:
    flight = Flight()

    async def goes_on() -> int:
        assert "fire" in await flies(flight, ONE, asyncio.Event())
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    task = asyncio.create_task(goes_on())
    await settled()
    flight.cut(lambda call: True, "fire")
    assert await task == 0


@pytest.mark.anyio
async def test_a_caller_that_hangs_up_is_no_refusal() -> None:
    flight = Flight()
    task = asyncio.create_task(flies(flight, ONE, asyncio.Event()))
    await settled()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert flight.count() == 0


@pytest.mark.anyio
@pytest.mark.parametrize("is_cut_first", [True, False])
async def test_a_caller_that_hangs_up_in_the_moment_of_a_cut_has_hung_up(is_cut_first: bool) -> None:
    flight = Flight()
    task = asyncio.create_task(flies(flight, ONE, asyncio.Event()))
    await settled()
    steps = [lambda: flight.cut(lambda call: True, "fire"), task.cancel]
    for step in steps if is_cut_first else reversed(steps):
        step()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert flight.count() == 0


@pytest.mark.anyio
async def test_a_call_that_ends_in_the_moment_of_a_cut_is_not_told_as_whole() -> None:
    flight, landed = Flight(), asyncio.Event()
    task = asyncio.create_task(flies(flight, ONE, landed))
    await settled()
    landed.set()
    flight.cut(lambda call: True, "fire")
    assert await task == f"{Reason.REVOKED_MEANWHILE}: fire {Ran.MAYBE}"
