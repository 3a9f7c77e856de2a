"""MCP lines on one side, Streamable HTTP on the other: relays either era loss-free, and decides nothing (RULINGS 12).

LAW: every request gets one answer: the gateway's or, if that cannot be had, an error that says so. A cancelled one gets none.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from doorward.cli.gateway import FailureError, Gateway, failed
from doorward.net.connection import Response
from doorward.net.errors import NetError
from doorward.wire.eras import VERSION_KEY
from doorward.wire.headers import ParamHeaders, derive, param_headers

_INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
_RESUMPTIONS = 5
"""How often the rest of one lost stream is asked for."""
_MOST_PAGES = 50
_HEADER_MISMATCH = -32020
_BACK_OFF_SECONDS = (1.0, 2.0, 5.0, 15.0, 30.0)

Say = Callable[[bytes], Awaitable[None]]
"""Writes one message to the client."""


class _Ask(msgspec.Struct, frozen=True):
    """One request of the client: what of it must be read, and its line, which is sent as it is."""

    id: str | int
    method: str
    params: Mapping[str, Any]
    line: bytes

    @property
    def version(self) -> str | None:
        """The exchange-era revision it speaks; None in the session era."""
        meta = self.params.get("_meta")
        version = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
        return version if isinstance(version, str) else None


class _Place(msgspec.Struct):
    """How far a stream has been read."""

    event_id: str | None = None

    def can_resume(self, ask: _Ask) -> bool:
        """Whether the rest can be asked for: in the session era, once an event has had an id."""
        return self.event_id is not None and ask.version is None


class Bridge:
    """One client's conversation, from the first line to the last. `gateway` speaks HTTP, `say` writes to the client."""

    def __init__(self, gateway: Gateway, say: Say, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._gateway = gateway
        self._say_bytes = say
        self._sleep = sleep
        self._running: dict[str | int, tuple[_Ask, asyncio.Task[None]]] = {}
        self._params: dict[str, ParamHeaders | None] = {}
        self._opening: bytes | None = None
        self._session: str | None = None
        self._version: str | None = None
        self._renewal = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Relays until the lines end and every request is answered, or until cancelled; then ends the session."""
        try:
            async with asyncio.TaskGroup() as tasks:
                async for line in lines:
                    await self._take(line, tasks)
                for _, task in tuple(self._running.values()):
                    await asyncio.wait((task,))
                if self._listening is not None:
                    self._listening.cancel()
        finally:
            await self._end()

    async def _take(self, line: bytes, tasks: asyncio.TaskGroup) -> None:
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            await self._say({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "The line is not well-formed JSON."}})
            return
        match message:
            case {"method": str(method), "id": str() | int() as request_id}:
                ask = _Ask(request_id, method, _object(message.get("params")), line)
                task = tasks.create_task(self._answer(ask))
                self._running[request_id] = (ask, task)
                if method == "initialize":
                    await asyncio.wait((task,))
            case {"method": str(method), **rest} if "id" not in rest:
                await self._notify(method, _object(message.get("params")), line, tasks)
            case {"id": _, "result": _} | {"id": _, "error": _}:
                await self._post_quietly(line)
            case _:
                error = {"code": -32600, "message": "The line is not one JSON-RPC message."}
                await self._say({"jsonrpc": "2.0", "id": None, "error": error})

    # Requests

    async def _answer(self, ask: _Ask) -> None:
        try:
            if ask.version is not None:
                await self._exchange(ask, ask.version)
            elif ask.method == "initialize":
                await self._initialize(ask)
            else:
                await self._call(ask)
        except NetError as error:
            await self._say(failed(ask.id, self._gateway.failure(error)))
        except FailureError as failure:
            await self._say(failed(ask.id, failure))
        finally:
            if self._running.get(ask.id, (None, None))[0] is ask:
                del self._running[ask.id]

    async def _exchange(self, ask: _Ask, version: str) -> None:
        response = await self._gateway.post(self._derived(ask, version), ask.line)
        if ask.method == "tools/call" and _code(response) == _HEADER_MISMATCH:
            # The tool asks for headers that only its schema tells of: learn it and try once more (streamable-http, Server Validation).
            await self._learn(ask, version)
            response = await self._gateway.post(self._derived(ask, version), ask.line)
        await self._relay(ask, response)

    def _derived(self, ask: _Ask, version: str) -> list[tuple[str, str]]:
        expected = self._params.get(str(ask.params.get("name"))) if ask.method == "tools/call" else None
        return derive(ask.method, ask.params, version, expected)

    async def _learn(self, ask: _Ask, version: str) -> None:
        cursor: object = None
        for _ in range(_MOST_PAGES):
            params = {"_meta": ask.params.get("_meta")} | ({} if cursor is None else {"cursor": cursor})
            line = msgspec.json.encode({"jsonrpc": "2.0", "id": "doorward-tools", "method": "tools/list", "params": params})
            response = await self._gateway.post(derive("tools/list", params, version, None), line)
            cursor = None
            async with aclosing(self._gateway.events(response)) as events:
                async for event in events:
                    cursor = self._remember(event.data)
            if cursor is None:
                return

    def _remember(self, data: bytes) -> object:
        """Takes note of the tools in a result; gives the cursor of the next page, if there is one."""
        result = _object(_object(_decoded(data)).get("result"))
        tools = result.get("tools")
        for tool in tools if isinstance(tools, list) else ():
            match tool:
                case {"name": str(name), "inputSchema": dict(schema)}:
                    self._params[name] = param_headers(schema)
        return result.get("nextCursor")

    async def _initialize(self, ask: _Ask) -> None:
        self._opening = ask.line
        response = await self._gateway.post([], ask.line)
        await self._relay(ask, response)

    async def _call(self, ask: _Ask) -> None:
        session = self._session
        response = await self._gateway.post(self._headers(), ask.line)
        if response.status == 404 and session is not None and self._opening is not None:
            # The session is not known any more, so the request was not processed: begin another one and ask again.
            response.forsake()
            await self._renew(session)
            response = await self._gateway.post(self._headers(), ask.line)
        await self._relay(ask, response)

    async def _relay(self, ask: _Ask, response: Response) -> None:
        """Passes on what comes until the answer has; asks for the rest of a stream that was lost where that can be done."""
        place = _Place()
        for _ in range(_RESUMPTIONS + 1):
            if await self._is_answered(ask, response, place):
                return
            if not place.can_resume(ask):
                break
            assert place.event_id is not None
            response = await self._gateway.get([*self._headers(), ("Last-Event-ID", place.event_id)])
        raise self._gateway.lost(response.status)

    async def _is_answered(self, ask: _Ask, response: Response, place: _Place) -> bool:
        try:
            return await self._pass_until_answer(ask, response, place)
        except NetError:
            if not place.can_resume(ask):
                raise
            return False

    async def _pass_until_answer(self, ask: _Ask, response: Response, place: _Place) -> bool:
        async with aclosing(self._gateway.events(response)) as events:
            async for event in events:
                place.event_id = event.id or place.event_id
                if event.data and await self._pass(ask, event.data, response):
                    return True
        return False

    async def _pass(self, ask: _Ask, data: bytes, response: Response) -> bool:
        """Passes one message on; gives whether it was the answer."""
        message = _object(_decoded(data))
        if "method" in message:
            await self._say_bytes(data)
            return False
        if response.status != 200 or message.get("id") != ask.id:
            error = message.get("error")
            if not isinstance(error, dict):
                raise self._gateway.lost(response.status)
            await self._say({"jsonrpc": "2.0", "id": ask.id, "error": error})
            return True
        if ask.method == "initialize":
            self._adopt(message, response)
        elif ask.method == "tools/list" and ask.version is not None:
            self._remember(data)
        await self._say_bytes(data)
        return True

    # The session

    def _headers(self) -> list[tuple[str, str]]:
        named = (("MCP-Protocol-Version", self._version), ("Mcp-Session-Id", self._session))
        return [(name, value) for name, value in named if value is not None]

    def _adopt(self, message: Mapping[str, Any], response: Response) -> None:
        version = _object(message.get("result")).get("protocolVersion")
        self._version = version if isinstance(version, str) else None
        session = response.headers.get(b"mcp-session-id")
        self._session = session.decode("latin-1") if session is not None else None

    async def _renew(self, stale: str) -> None:
        """A new session in place of one that the gateway no longer knows; whoever comes second finds it done."""
        async with self._renewal:
            if self._session != stale or self._opening is None:
                return
            response = await self._gateway.post([], self._opening)
            async with aclosing(self._gateway.events(response)) as events:
                async for event in events:
                    message = _object(_decoded(event.data))
                    if "result" in message:
                        self._adopt(message, response)
            if self._session == stale:
                raise self._gateway.lost(response.status)
            (await self._gateway.post(self._headers(), _INITIALIZED)).forsake()

    async def _listen(self) -> None:
        """Passes on what comes outside of any call (`list_changed`), for as long as the gateway offers it."""
        failures = 0
        while True:
            try:
                is_offered, failures = await self._heard(), 0
            except (NetError, FailureError):
                is_offered, failures = True, failures + 1
            if not is_offered:
                return
            await self._sleep(_BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)])

    async def _heard(self) -> bool:
        """One stream, from its beginning to its end; False where the gateway offers none."""
        session = self._session
        response = await self._gateway.get(self._headers())
        if response.status == 404 and session is not None:
            await self._renew(session)
        elif response.status == 200:
            await self._pass_all(response)
        return response.status != 405

    async def _pass_all(self, response: Response) -> None:
        async with aclosing(self._gateway.events(response)) as events:
            async for event in events:
                if event.data:
                    await self._say_bytes(event.data)

    async def _end(self) -> None:
        if self._session is not None:
            await self._gateway.end(self._headers())
            self._session = None

    # Notifications

    async def _notify(self, method: str, params: Mapping[str, Any], line: bytes, tasks: asyncio.TaskGroup) -> None:
        if method == "notifications/cancelled":
            ask, task = self._running.get(params.get("requestId", ""), (None, None))
            if ask is not None and task is not None and ask.version is not None:
                # On HTTP this era cancels by hanging up.
                task.cancel()
                return
        await self._post_quietly(line)
        if method == "notifications/initialized" and self._listening is None and self._session is not None:
            self._listening = tasks.create_task(self._listen())

    async def _post_quietly(self, line: bytes) -> None:
        """Sends what has no answer; the exchange era has nothing of the kind on HTTP."""
        if self._version is None:
            return
        try:
            (await self._gateway.post(self._headers(), line)).forsake()
        except NetError:
            # Nobody waits for it, and the next request will say that the gateway is away.
            return

    async def _say(self, message: Mapping[str, Any]) -> None:
        await self._say_bytes(msgspec.json.encode(message))


def _decoded(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _code(response: Response) -> object:
    return _object(_object(_decoded(response.body)).get("error")).get("code") if isinstance(response.body, bytes) else None
