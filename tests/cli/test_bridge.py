"""The thin stdio client between lines and a real door: both eras, streams, cancellation, lost sessions, a gateway that is away."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from doorward.call.inbound import Inbound, Notices
from doorward.cli.bridge import Bridge
from doorward.cli.gateway import Gateway
from doorward.config.model import Listen
from doorward.domain.calls import Notice
from doorward.domain.reasons import Reason, Refused
from doorward.net.addresses import Reach, Rule
from doorward.net.http import Pool, Route
from doorward.net.urls import parse_url
from doorward.serving.listener import Listener
from tests.serving.asgi import ANSWER, EXCHANGE, KEY, FakeSpine, House
from tests.serving.sockets import listening, until

pytestmark = pytest.mark.anyio

META = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}
PROGRESS = Notice("notifications/progress", {"progressToken": "t", "progress": 1})
OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}


class Host:
    """A client on stdio: what it writes, and what it has been told."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.told: list[Any] = []
        self.slept: list[float] = []

    def writes(self, *messages: object) -> None:
        for message in messages:
            self._lines.put_nowait(message if isinstance(message, bytes) else json.dumps(message).encode())

    def asks(self, method: str, params: Mapping[str, object] | None = None, request_id: int | str = 1) -> None:
        self.writes({"jsonrpc": "2.0", "id": request_id, "method": method, "params": {**(params or {})}})

    def calls(self, name: str, arguments: Mapping[str, object] | None = None, request_id: int | str = 1) -> None:
        """An exchange-era call."""
        self.asks("tools/call", {"name": name, "arguments": arguments or {}, "_meta": META}, request_id)

    def notifies(self, method: str, params: Mapping[str, object] | None = None) -> None:
        self.writes({"jsonrpc": "2.0", "method": method, "params": {**(params or {})}})

    def ends(self) -> None:
        self._lines.put_nowait(None)

    async def lines(self) -> AsyncIterator[bytes]:
        while (line := await self._lines.get()) is not None:
            yield line

    async def hears(self, message: bytes) -> None:
        self.told.append(json.loads(message))

    async def sleeps(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def heard(self, count: int) -> list[Any]:
        await until(lambda: len(self.told) >= count)
        return self.told

    async def initializes(self) -> None:
        self.asks("initialize", OPENING, 0)
        self.notifies("notifications/initialized")
        await self.heard(1)


@asynccontextmanager
async def bridged(house: House, port: int | None = None) -> AsyncIterator[tuple[Host, Listener]]:
    """A host in front of a bridge in front of a house on a real socket (or on another port, where nobody is)."""
    host = Host()
    async with listening(house.door) as (listener, own):
        origin = parse_url(f"http://127.0.0.1:{port or own}/mcp")
        fixed = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"), ("Authorization", KEY)]
        pool = Pool(Route(origin, Rule(Reach.PRIVATE, frozenset({"http"}))), fixed)
        relay = asyncio.create_task(Bridge(Gateway(pool, "http://gateway/mcp"), host.hears, host.sleeps).run(host.lines()))
        try:
            yield host, listener
            host.ends()
            await asyncio.wait_for(relay, 5)
        finally:
            relay.cancel()
            house.door.drain()
            pool.close()


def house(answer: Any = None) -> House:
    return House(FakeSpine(answer), Listen(allowed_hosts=("127.0.0.1",)))


def result(request_id: int | str = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": request_id, "result": dict(ANSWER)}


async def test_exchange_era_request_gets_its_headers_from_its_body() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        host.calls("échö", {"a": 1.50})
        assert await host.heard(1) == [result()]
    (inbound,) = behind.spine.handled
    assert (inbound.version, inbound.request.params["name"]) == (EXCHANGE, "échö")


async def test_number_text_survives() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        line = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "e", "arguments": {"a": "@"}, "_meta": META}}
        )
        host.writes(line.replace('"@"', "1.50000000000000000001").encode())
        await host.heard(1)
    arguments = behind.spine.handled[0].request.params["arguments"]
    assert str(arguments) == "{'a': Decimal('1.50000000000000000001')}"


async def test_session_era_conversation_is_opened_held_and_ended() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        await host.initializes()
        host.asks("tools/list")
        told = await host.heard(2)
        assert (told[0]["result"]["protocolVersion"], told[1]) == ("2025-11-25", result())
        assert len(behind.spine.sessions) == 1
    assert (behind.spine.handled[0].session, behind.spine.sessions) == ("id-0", {})


async def test_streamed_answer_is_relayed_message_by_message() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        await go.wait()
        return ANSWER

    async with bridged(house(answer)) as (host, _):
        host.calls("echo")
        (notice,) = await host.heard(1)
        assert notice["method"] == "notifications/progress"
        go.set()
        assert (await host.heard(2))[1] == result()


async def test_requests_run_side_by_side() -> None:
    both = asyncio.Barrier(2)

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await both.wait()
        return ANSWER

    async with bridged(house(answer)) as (host, _):
        host.calls("echo", request_id="a")
        host.calls("echo", request_id="b")
        assert sorted(message["id"] for message in await host.heard(2)) == ["a", "b"]


async def test_cancelled_exchange_is_hung_up_and_not_answered() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    behind = house(answer)
    async with bridged(behind) as (host, _):
        host.calls("echo")
        await entered.wait()
        host.notifies("notifications/cancelled", {"requestId": 1})
        await until(lambda: len(behind.spine.cancelled) == 1)
    assert host.told == []


async def test_cancelled_session_call_is_cancelled_by_a_message() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    behind = house(answer)
    async with bridged(behind) as (host, _):
        await host.initializes()
        host.asks("tools/call", {"name": "echo"})
        await entered.wait()
        host.notifies("notifications/cancelled", {"requestId": 1})
        assert (await host.heard(2))[1]["error"]["code"] == 4990


async def test_changes_reach_a_client_that_has_initialized() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        await host.initializes()
        behind.spine.turn.put_nowait(Notice("notifications/tools/list_changed", {}))
        assert (await host.heard(2))[1] == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}


async def test_stream_of_changes_is_opened_again_when_it_ends() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        await host.initializes()
        await until(lambda: behind.spine.listening == 1)
        behind.spine.turn.put_nowait(None)
        behind.spine.turn.put_nowait(Notice("notifications/prompts/list_changed", {}))
        assert (await host.heard(2))[1]["method"] == "notifications/prompts/list_changed"
        assert host.slept[0] == 1


async def test_lost_session_is_begun_anew_once_for_all_that_wait() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        await host.initializes()
        await until(lambda: behind.spine.listening == 1)
        behind.spine.sessions.clear()
        for request_id in (1, 2, 3):
            host.asks("tools/list", request_id=request_id)
        assert sorted(message["id"] for message in (await host.heard(4))[1:]) == [1, 2, 3]
        assert len(behind.spine.sessions) == 1


async def test_rest_of_a_lost_stream_is_asked_for() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        await notices(PROGRESS)
        await go.wait()
        return ANSWER

    async with bridged(house(answer)) as (host, listener):
        await host.initializes()
        host.asks("tools/call", {"name": "echo"})
        await host.heard(2)
        for connection in listener._open():
            connection.transport.abort()
        go.set()
        assert (await host.heard(3))[2] == result()
        assert len(host.told) == 3


async def test_lost_exchange_says_that_it_may_have_run() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    async with bridged(house(answer)) as (host, listener):
        host.calls("echo")
        await entered.wait()
        for connection in listener._open():
            connection.transport.abort()
        (told,) = await host.heard(1)
        assert (told["id"], told["error"]["code"]) == (1, 5021)
        assert told["error"]["message"].endswith("the call may have run.")


async def test_each_request_is_told_that_the_gateway_is_away() -> None:
    async with bridged(house(), port=1) as (host, _):
        host.asks("initialize", OPENING, "a")
        host.calls("echo", request_id="b")
        told = await host.heard(2)
        assert [(message["id"], message["error"]["code"]) for message in told] == [("a", 5020), ("b", 5020)]
        assert told[1]["error"]["message"].startswith("The gateway at http://gateway/mcp cannot be reached")
        assert told[1]["error"]["message"].endswith("; the call was not made.")


async def test_error_without_an_id_is_given_that_of_its_request() -> None:
    behind = house()
    async with bridged(behind) as (host, _):
        behind.spine.revoked.add(KEY)
        host.calls("echo", request_id="x")
        (told,) = await host.heard(1)
        assert (told["id"], told["error"]["code"]) == ("x", 4010)


async def test_mirrored_arguments_are_sent_for_tools_that_were_listed() -> None:
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        if inbound.request.method == "tools/list":
            return {"resultType": "complete", "tools": [{"name": "deploy", "inputSchema": schema}]}
        return ANSWER

    behind = house(answer)
    async with bridged(behind) as (host, _):
        host.asks("tools/list", {"_meta": META}, 0)
        await host.heard(1)
        host.calls("deploy", {"region": "nörd"})
        await host.heard(2)
    assert (b"mcp-param-region", b"=?base64?bsO2cmQ=?=") in behind.spine.handled[1].headers


async def test_tool_that_was_not_listed_is_learned_when_its_headers_are_missed() -> None:
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        if inbound.request.method == "tools/list":
            first = "cursor" not in inbound.request.params
            tool = {"name": "other" if first else "deploy", "inputSchema": schema}
            return {"resultType": "complete", "tools": [tool], **({"nextCursor": "2"} if first else {})}
        if b"mcp-param-region" not in dict(inbound.headers):
            raise Refused(Reason.HEADER_MISMATCH)
        return ANSWER

    behind = house(answer)
    async with bridged(behind) as (host, _):
        host.calls("deploy", {"region": "north"})
        assert await host.heard(1) == [result()]
    assert [inbound.request.method for inbound in behind.spine.handled] == ["tools/call", "tools/list", "tools/list", "tools/call"]


@pytest.mark.parametrize(
    ("line", "code"), [(b"{", -32700), (b"[" * 100_000, -32700), (b"[]", -32600), (b"1", -32600), (b'{"id":null,"method":"x"}', -32600)]
)
async def test_line_that_is_no_message_is_told_so_and_the_next_one_works(line: bytes, code: int) -> None:
    async with bridged(house()) as (host, _):
        host.writes(line)
        host.calls("echo")
        told = await host.heard(2)
        assert sorted((message["id"] is None, message.get("error", {}).get("code")) for message in told) == [(False, None), (True, code)]


async def test_end_of_the_lines_waits_for_what_is_running() -> None:
    go = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        go.set()
        await asyncio.sleep(0)
        return ANSWER

    async with bridged(house(answer)) as (host, _):
        await host.initializes()
        host.asks("tools/list")
        host.ends()
        await go.wait()
        assert (await host.heard(2))[1] == result()
