"""A gateway in this process, whose callers are put into its connections without sockets: what one call costs, counted and timed.

It runs as a process of its own: `python -m bench.scale.inside DOCUMENT AGENTS TOOLS POLICIES CALLS` prints one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from bench.cores import GATEWAY_CORE, pin
from bench.gateway import TEAM
from bench.scale.crowd import Crowd
from bench.speech import FIRST, Asking, Era, Target
from doorward.app import clocks
from doorward.app.gateway import Gateway
from doorward.client.admin import Admin
from doorward.serving.listener import Listener
from doorward.telemetry.journal import Journal, Level

TOGETHER = 32
"""Calls at the same time."""
ROUNDS = 5


class Cost(msgspec.Struct, frozen=True):
    """Of one call."""

    calls: float
    """Python calls in the loop's thread."""
    microseconds: float
    """Of the whole process, threads included: the least of some rounds."""


class Wire(asyncio.Transport):
    """The transport of a connection that leads nowhere: what is written is an answer."""

    def __init__(self, answered: Callable[[bytes], None]) -> None:
        super().__init__({"sockname": ("127.0.0.1", 8420), "peername": ("127.0.0.1", 50_000)})
        self._answered = answered

    def write(self, data: Any) -> None:
        """A whole answer: they are short."""
        self._answered(data)

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is to be closed."""

    def abort(self) -> None:
        """The same."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There are none."""

    def pause_reading(self) -> None:
        """It is asked for one thing at a time."""

    def resume_reading(self) -> None:
        """The same."""


class Callers:
    """Callers of a gateway, each of whom asks again as soon as it was answered."""

    def __init__(self, listener: Listener, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._left = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asks = [self._caller(listener) for _ in range(TOGETHER)]

    async def ask(self, count: int) -> None:
        """So many calls, all of which must succeed."""
        self._left, self._done = count, asyncio.get_running_loop().create_future()
        for ask in self._asks:
            ask()
        await self._done

    def _caller(self, listener: Listener) -> Callable[[], None]:
        connection = listener.connection(lambda: True)

        def ask() -> None:
            connection.data_received(next(self._requests))

        def answered(answer: bytes) -> None:
            if b" 200 " not in answer[:20] or b'"isError":false' not in answer:
                self._done.set_exception(RuntimeError(f"a result was expected, not {answer[:600]!r}"))
            self._left -= 1
            if self._left >= TOGETHER:
                asyncio.get_running_loop().call_soon(ask)
            elif self._left == 0 and not self._done.done():
                self._done.set_result(None)

        connection.connection_made(Wire(answered))
        return ask


async def measure(document: Path, crowd: Crowd, count: int) -> Cost:
    """What a call costs once each agent and each tool was seen."""
    gateway = Gateway(document, Journal(sys.stderr, clocks.now, Level.ERROR))
    await gateway.start()
    try:
        while gateway.not_ready():  # noqa: ASYNC110 -- nothing tells of it
            await asyncio.sleep(0.05)
        gateway.warm()
        admin = Admin(document.parent / "state" / "control.sock")
        keys = await asyncio.to_thread(_keys, admin, crowd.agents)
        listener = gateway._listener  # noqa: SLF001 - nobody else puts requests past its socket
        assert listener is not None
        callers = Callers(listener, _requests(crowd, keys, gateway.address[1]))
        await callers.ask(max(len(crowd.pairs), 200) + TOGETHER)
        gc.collect()
        gc.freeze()
        return Cost(await _counted(callers, count), min([await _timed(callers, count) for _ in range(ROUNDS)]))
    finally:
        await gateway.stop()


def _keys(admin: Admin, agents: int) -> list[str]:
    given = [admin.post("/v1/agents", {"id": f"agent-{number}", "team": TEAM, "owner": "bench"}) for number in range(agents)]
    return [str(one["key"]) for one in given]


def _requests(crowd: Crowd, keys: list[str], port: int) -> Iterator[bytes]:
    asking = [Asking(Target(port, "/mcp", Era.EXCHANGE, keys[agent]), tool, "scale") for agent, tool in crowd.pairs]
    for number, one in enumerate(cycle(asking), FIRST):
        yield one.request(number)


async def _counted(callers: Callers, count: int) -> float:
    calls = 0

    def profiled(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(profiled)
    try:
        await callers.ask(count)
    finally:
        sys.setprofile(None)
    return calls / count


async def _timed(callers: Callers, count: int) -> float:
    start = time.process_time()
    await callers.ask(count)
    return 1e6 * (time.process_time() - start) / count


def main() -> None:
    """Measures one crowd."""
    pin(GATEWAY_CORE)
    document, *numbers = sys.argv[1:]
    agents, tools, policies, count = map(int, numbers)
    cost = uvloop.run(measure(Path(document), Crowd(agents, tools, policies), count))
    sys.stdout.buffer.write(msgspec.json.encode(cost))


if __name__ == "__main__":
    main()
