"""The work that is counted: requests through the real rooms of a house in memory, from their bytes to the bytes of their answers."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from doorward.config.model import Listen
from doorward.domain.actors import Agent
from doorward.domain.calls import Era
from doorward.domain.errors import DoorwardError
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.registry import NEVER
from doorward.serving.app import Door, Settings, Surroundings
from doorward.serving.edge import allowed
from doorward.serving.listener import Bind, Listener
from doorward.serving.protocol import StrictProtocol
from doorward.testing.house import House, Plan, build_house
from doorward.testing.upstream import SHOWN, text, tool

WARM = 40
"""Runs before what is counted: caches are full, and what is made at first use is made."""

_YEAR_SECONDS = 365 * 86_400.0
_PORT = 8420
_TOOLS = 50
_META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
_SAID = "The quick brown fox jumps over the lazy dog, and then again. " * 3
_POLICIES = """
@id("reads") @reason("The team may use it.") permit (principal in Team::"support", action, resource);
@id("strangers") @reason("Nobody else.") forbid (principal in Team::"strangers", action, resource);
@id("large") @reason("Nothing large.") forbid (principal, action == Action::"bank/pay", resource)
when { context.input has amount && context.input.amount > 100 };
"""


class UnexpectedError(DoorwardError):
    """A request that is counted was answered otherwise than it should be."""


@dataclass(frozen=True, slots=True)
class Work:
    """A request, made again and again."""

    name: str
    tool: str
    """Empty: the list of all tools is asked for."""
    arguments: Mapping[str, object]


WORKS = (
    Work("a call", "git__commit", {"text": _SAID}),
    Work("a call, a policy reads an argument", "bank__pay", {"amount": 7, "to": "ada", "purpose": _SAID}),
    Work("a list of 51 tools", "", {}),
)


@contextmanager
def bench(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[Work], Callable[[], None]]]:
    """What makes a work into something that can be run; on a house of its own, with nothing around it."""
    house = loop.run_until_complete(_house())
    key = loop.run_until_complete(_key(house))
    gate = house.dispatch.gate
    door = Door(
        Surroundings(
            spine=house.dispatch,
            sees=house.dispatch.sees,
            tally=_Tally(),
            monotonic=house.clock.monotonic,
            new_id=str,
            is_full=lambda: gate.is_full,
            intake=gate.intake,
            turn=gate.turns.first,
        ),
        Settings(allowed(Listen(), _PORT), is_loopback=True),
    )
    client = _Client(loop, door)
    gc.collect()
    gc.disable()
    try:
        yield lambda work: _run(client, house, _request(work, key))
    finally:
        gc.enable()
        loop.run_until_complete(house.close())


async def _house() -> House:
    pay = tool("pay", amount={"type": "integer"}, to={"type": "string"}, purpose={"type": "string"})
    many = tuple([tool(f"tool-{number}", f"Does {number}.", text={"type": "string"}) for number in range(_TOOLS - 1)])
    sights = {
        "git": replace(SHOWN, tools=(tool("commit", text={"type": "string"}), *many)),
        "bank": replace(SHOWN, tools=(pay,)),
    }
    unbounded = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
    watched = {"repeated": {"mode": "observe"}, "cycles": {"mode": "observe"}}
    house = await build_house(Plan(sights, _POLICIES, document={"admission": unbounded, "runaway": watched}))
    for name in house.upstreams:
        await house.discovery.look(name)
    return house


async def _key(house: House) -> str:
    key, _ = await house.watchmen.registry.add(Agent(AgentId("claude"), "ada", TeamId("support"), "client"), NEVER, _YEAR_SECONDS)
    return key


def _request(work: Work, key: str) -> bytes:
    method = "tools/call" if work.tool else "tools/list"
    params = {"name": work.tool, "arguments": work.arguments} if work.tool else {}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": _META}})
    lines = [
        "POST /mcp HTTP/1.1",
        f"Host: 127.0.0.1:{_PORT}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Content-Length: {len(body)}",
        "MCP-Protocol-Version: 2026-07-28",
        f"Mcp-Method: {method}",
        *([f"Mcp-Name: {work.tool}"] if work.tool else []),
        f"Authorization: Bearer {key}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _run(client: _Client, house: House, request: bytes) -> Callable[[], None]:
    def run() -> None:
        for upstream in house.upstreams.values():
            upstream.orders.clear()
            upstream.script.clear()
            upstream.will(text(_SAID))
        client.ask(request)

    return run


class _Client(asyncio.Transport):
    """The only client of a connection that is no socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, door: Door) -> None:
        super().__init__()
        self._loop, self._answer = loop, b""
        self._listener = Listener(door, Bind())
        self._connection = loop.run_until_complete(self._connected())

    async def _connected(self) -> StrictProtocol:
        connection = self._listener.connection(lambda: True)
        connection.connection_made(self)
        return connection

    def ask(self, request: bytes) -> None:
        """Sends a request and waits for its answer; raises `UnexpectedError` where it is not a result."""
        self._loop.run_until_complete(self._asked(request))
        if not self._answer.startswith(b"HTTP/1.1 200") or b'"result":' not in self._answer or b'"isError":true' in self._answer:
            raise UnexpectedError(f"a result was expected, got {self._answer[:400]!r}")

    async def _asked(self, request: bytes) -> None:
        self._answer = b""
        self._connection.data_received(request)
        while not self._answer:  # noqa: ASYNC110 -- each turn of the loop is the same number of instructions
            await asyncio.sleep(0)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Takes what the gateway answers."""
        self._answer += data

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Two addresses on this machine."""
        return {"sockname": ("127.0.0.1", _PORT), "peername": ("127.0.0.1", 50_000)}.get(name, default)

    def is_closing(self) -> bool:
        """It stays."""
        return False

    def get_write_buffer_size(self) -> int:
        """Everything is taken at once."""
        return 0

    def pause_reading(self) -> None:
        """It asks one thing at a time."""

    def resume_reading(self) -> None:
        """It has not paused."""

    def close(self) -> None:
        """Would end what is counted."""
        raise UnexpectedError(f"the connection was closed after {self._answer[:400]!r}")


class _Tally:
    """Counts answers for nobody."""

    def answered(self, status: int, era: Era | None) -> None:
        """One more answer."""
