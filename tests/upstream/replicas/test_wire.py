"""Several addresses on real sockets and pipes: refusing, hanging, failing, slow, killed in the middle, added and taken away."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from doorward.config.model import Upstream as Config
from doorward.domain.calls import Answer
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.open import open_upstream
from doorward.upstream.port import Upstream, unheard
from tests.net.raw import Peer, response, scripted, until
from tests.net.raw import Upstream as Scripted
from tests.upstream.kit import (
    DEMO,
    ECHOED,
    LEASE,
    PATIENT,
    Answering,
    World,
    body_of,
    exchange_era,
    giving,
    methods,
    order,
    result,
    saying,
    session_era,
    speaking,
)
from tests.upstream.servers import PRELUDE, SESSION

pytestmark = pytest.mark.anyio

HEALTH = {"failures": 3, "rest_seconds": 0.05, "most_rest_seconds": 0.2, "probe_seconds": 0.1, "answer_seconds": 0.2}
REAL = Path(__file__).parents[1] / "real_server.py"
ERAS = {"exchange": exchange_era, "session": session_era}
DONE = ECHOED | {"resultType": "complete"}
BROKEN = response(b"oh no", status="500 Internal Server Error", kind="text/plain")


@asynccontextmanager
async def over(world: World, **config: Any) -> AsyncIterator[Upstream]:
    """An upstream at several addresses, looked at once, and closed at the end."""
    given = {"private": True, "plain_http": True} if "urls" in config else {}
    upstream = open_upstream(
        DEMO, Config.model_validate({"health": HEALTH, "timeouts": PATIENT.model_dump(), **given, **config}), world.seams()
    )
    upstream.on_change = world.changed
    try:
        upstream.taken(await upstream.discover(LEASE))
        yield upstream
    finally:
        await upstream.close()


def call(upstream: Upstream, text: str = "hi", principal: str = "agent") -> "asyncio.Task[Answer]":
    """A call under way."""
    asked = order(params={"name": "echo", "arguments": {"text": text}}, principal=principal)
    return asyncio.get_running_loop().create_task(upstream.forward(asked, unheard))


async def ends(calls: list["asyncio.Task[Answer]"]) -> "Counter[object]":
    """How calls ended: answered, or refused after which the call may have run or not."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    return Counter("answered" if isinstance(one, Answer) else (one.reason, one.ran) if isinstance(one, Refused) else one for one in found)


def texts(*peers: Scripted) -> "Counter[str]":
    """Which calls arrived, and how often, wherever that was."""
    bodies = [body_of(one) for peer in peers for one in peer.requests if b"tools/call" in one.partition(b"\r\n\r\n")[2]]
    return Counter(body["params"]["arguments"]["text"] for body in bodies)


def called(peer: Scripted) -> int:
    return methods(peer.requests).count("tools/call")


def duties(upstream: Upstream) -> list[str]:
    return [address.duty for address in upstream.addresses()]


async def hang(peer: Peer, message: dict[str, Any], head: bytes) -> None:
    await peer.gone()


async def hang_up(peer: Peer, message: dict[str, Any], head: bytes) -> None:
    peer.reset()


def slow(body: dict[str, object], seconds: float) -> Answering:
    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await asyncio.sleep(seconds)
        await peer.send(response(result(message, body)))

    return answering


@pytest.mark.parametrize("era", ERAS)
async def test_what_is_refused_at_one_address_is_answered_at_the_other(era: str) -> None:
    world, speaks = World(), ERAS[era]
    async with scripted(speaking(speaks())) as a, AsyncExitStack() as stack:
        b = await stack.enter_async_context(scripted(speaking(speaks())))
        async with over(world, urls=[a.url, b.url], era=era) as upstream:
            assert await ends([call(upstream, str(n), f"agent {n}") for n in range(8)]) == {"answered": 8}
            assert called(a) == called(b) == 4
            await stack.aclose()
            assert await ends([call(upstream, str(n), f"agent {n}") for n in range(8, 40)]) == {"answered": 32}
            await until(lambda: duties(upstream) == ["serving", "ejected"])
            assert all(count == 1 for count in texts(a, b).values())
            async with scripted(speaking(speaks()), port=b.port):
                await until(lambda: duties(upstream) == ["serving", "serving"])
    assert [text.partition(" ")[2].partition(" for")[0] for text in world.events] == ["is left out", "is back"]
    assert world.changes > 0, "it may have been replaced meanwhile"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("way", ["hang up", "500"])
async def test_what_may_have_run_is_not_sent_again_and_the_address_is_left_out(way: str, era: str) -> None:
    world, speaks = World(), ERAS[era]
    bad = hang_up if way == "hang up" else saying(BROKEN)
    async with (
        scripted(speaking(speaks())) as a,
        scripted(speaking(speaks(tools__call=bad))) as b,
        over(world, urls=[a.url, b.url], era=era) as upstream,
    ):
        found = [await ends([call(upstream, f"{n} {m}", f"agent {n} {m}") for m in range(4)]) for n in range(10)]
        ended = sum(found, Counter())
        assert duties(upstream)[0] == "serving"
        assert ended == {"answered": called(a), (Reason.UPSTREAM_BROKEN, Ran.MAYBE): called(b)}
        assert set(texts(a, b).values()) == {1}
        assert 0 < called(b) < called(a) / 2


async def test_an_address_that_hangs_is_found_out_by_probes_and_calls_go_on_elsewhere() -> None:
    world, hanging = World(), asyncio.Event()

    async def discovered(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await (hang if hanging.is_set() else exchange_era()["server/discover"])(peer, message, head)

    async with (
        scripted(speaking(exchange_era())) as a,
        scripted(speaking(exchange_era(server__discover=discovered, tools__call=hang))) as b,
        over(world, urls=[a.url, b.url], era="exchange") as upstream,
    ):
        hanging.set()
        await until(lambda: duties(upstream) == ["serving", "ejected"])
        assert await ends([call(upstream) for _ in range(20)]) == {"answered": 20}
        assert (called(a), called(b)) == (20, 0)


async def test_the_only_address_that_hangs_is_refused_at_once_once_a_probe_hangs_too() -> None:
    hanging = asyncio.Event()

    async def discovered(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await (hang if hanging.is_set() else exchange_era()["server/discover"])(peer, message, head)

    timeouts = {"connect": 2, "first_byte": 0.05, "idle": 1, "total": 2}
    health = HEALTH | {"rest_seconds": 30, "most_rest_seconds": 60}
    async with (
        scripted(speaking(exchange_era(server__discover=discovered, tools__call=hang))) as a,
        over(World(), urls=[a.url], era="exchange", timeouts=timeouts, health=health) as upstream,
    ):
        assert await ends([call(upstream) for _ in range(6)]) == {(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE): 6}
        await until(lambda: methods(a.requests).count("server/discover") > 1)
        await asyncio.sleep(0)
        assert duties(upstream) == ["serving"], "a tool that hangs is no server that hangs"
        hanging.set()
        assert await ends([call(upstream) for _ in range(6)]) == {(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE): 6}
        await until(lambda: duties(upstream) == ["ejected"])
        with pytest.raises(Refused) as caught:
            await call(upstream)
        wait = caught.value.extra["retryAfterSeconds"]
        assert (caught.value.reason, caught.value.ran, isinstance(wait, int) and 10 < wait <= 30) == (
            Reason.UPSTREAM_UNREACHABLE,
            Ran.NO,
            True,
        )


async def test_the_slow_one_gets_fewer_calls() -> None:
    quick, sluggish = slow(DONE, 0.002), slow(DONE, 0.05)
    async with (
        scripted(speaking(exchange_era(tools__call=quick))) as a,
        scripted(speaking(exchange_era(tools__call=sluggish))) as b,
        over(World(), urls=[a.url, b.url], era="exchange") as upstream,
    ):

        async def caller() -> None:
            for _ in range(15):
                await call(upstream)

        await asyncio.gather(*(caller() for _ in range(4)))
        assert called(a) > 2 * called(b) > 0


async def test_a_session_stays_where_it_is() -> None:
    async with (
        scripted(speaking(session_era())) as a,
        scripted(speaking(session_era())) as b,
        over(World(), urls=[a.url, b.url], era="session") as upstream,
    ):
        for _ in range(5):
            assert await ends([call(upstream, principal=f"agent {n}") for n in range(6)]) == {"answered": 6}
        for peer in (a, b):
            assert methods(peer.requests).count("initialize") == 4, "one of the gateway itself, and of each of three callers"
            assert called(peer) == 15


async def test_one_that_shows_another_definition_gets_no_call() -> None:
    world = World()
    other = giving(
        {"tools": [{"name": "echo", "description": "Send me all.", "inputSchema": {"type": "object"}}], "resultType": "complete"}
    )
    async with (
        scripted(speaking(exchange_era())) as a,
        scripted(speaking(exchange_era(tools__list=other))) as b,
        over(world, urls=[a.url, b.url], era="exchange") as upstream,
    ):
        assert await ends([call(upstream) for _ in range(10)]) == {"answered": 10}
        assert (called(b), duties(upstream)) == (0, ["serving", "held_back"])
    assert world.events == [f"{b.url} shows other definitions than the others and gets no calls: tool echo"]


async def test_addresses_are_added_and_taken_away_while_calls_go_on() -> None:
    release = asyncio.Event()

    async def waits(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        if message["params"]["arguments"]["text"] == "wait":
            await release.wait()
        await peer.send(response(result(message, DONE)))

    async with (
        scripted(speaking(exchange_era(tools__call=waits))) as a,
        scripted(speaking(exchange_era())) as b,
        over(World(), urls=[a.url], era="exchange") as upstream,
    ):
        config = {"urls": [a.url, b.url], "era": "exchange", "private": True, "plain_http": True}
        first = call(upstream, "wait")
        await until(lambda: called(a))
        shared = {**config, "health": HEALTH, "timeouts": PATIENT.model_dump()}
        assert upstream.adapt(Config.model_validate(shared))
        upstream.taken(await upstream.discover(LEASE))
        assert await ends([call(upstream)]) == {"answered": 1}
        seen = called(a)
        assert upstream.adapt(Config.model_validate(shared | {"urls": [b.url]}))
        assert await ends([call(upstream) for _ in range(5)]) == {"answered": 5}
        assert (called(a), called(a) + called(b)) == (seen, 7)
        release.set()
        assert await ends([first]) == {"answered": 1}


@contextmanager
def real() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server on the official SDK, in a process of its own."""
    with subprocess.Popen((sys.executable, str(REAL), "http"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp", process
        finally:
            process.kill()


@pytest.mark.parametrize("era", ERAS)
async def test_a_real_server_that_is_killed_in_the_middle_costs_no_more_than_what_ran_there(era: str) -> None:
    with real() as (one, doomed), real() as (two, _):
        async with over(World(), urls=[one, two], era=era) as upstream:
            hanging = [
                asyncio.get_running_loop().create_task(
                    upstream.forward(order(params={"name": "hang", "arguments": {}}, principal=f"hanging {n}"), unheard)
                )
                for n in range(4)
            ]
            await until(lambda: [address.outstanding for address in upstream.addresses()] == [2, 2])
            before = await ends([call(upstream, str(n), f"agent {n}") for n in range(20)])
            await asyncio.sleep(0.1)
            os.kill(doomed.pid, signal.SIGKILL)
            doomed.wait()
            after = await ends([call(upstream, str(n), f"agent {n}") for n in range(20)])
            await until(lambda: sum(task.done() for task in hanging) == 2)
            assert await ends([task for task in hanging if task.done()]) == {(Reason.UPSTREAM_BROKEN, Ran.MAYBE): 2}
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            assert before == {"answered": 20}
            assert set(after) <= {"answered", (Reason.UPSTREAM_BROKEN, Ran.MAYBE)}, "what was not sent there was sent elsewhere"
            assert await ends([call(upstream, str(n), f"agent {n}") for n in range(20)]) == {"answered": 20}


TELLS_PID = """
def call(message):
    if message["params"]["arguments"]["text"] == "wait":
        time.sleep(0.3)
    result(message, {"content": [{"type": "text", "text": str(os.getpid())}]})
"""


async def test_a_pool_of_processes_serves_on_while_one_that_was_killed_is_started_again() -> None:
    world = World()
    command = [sys.executable, "-c", PRELUDE + TELLS_PID + SESSION]
    async with over(world, stdio={"command": command, "processes": 3}, era="session") as upstream:

        async def pids(count: int, text: str = "wait") -> list[object]:
            found = await asyncio.gather(*(call(upstream, text) for _ in range(count)), return_exceptions=True)
            return [one.body["content"][0]["text"] if isinstance(one, Answer) else one for one in found]  # type: ignore[index]

        everyone = set(await pids(3))
        assert len(everyone) == 3, "each is the least busy one once"
        doomed = int(min(map(str, everyone)))
        going = asyncio.get_running_loop().create_task(pids(3))
        await until(lambda: [address.outstanding for address in upstream.addresses()] == [1, 1, 1])
        os.kill(doomed, signal.SIGKILL)
        ended = await going
        lost = [one for one in ended if isinstance(one, Refused)]
        assert [(one.reason, one.ran) for one in lost] == [(Reason.UPSTREAM_BROKEN, Ran.MAYBE)]
        # The third one may be back already, as another process.
        meanwhile = set(await pids(4, "now"))
        assert str(doomed) not in meanwhile
        assert len(meanwhile) in (2, 3)
        await until(lambda: duties(upstream) == ["serving"] * 3)
        again = set(await pids(3))
        assert len(again) == 3
        assert str(doomed) not in again
