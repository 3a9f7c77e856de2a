"""A server of both protocol eras that offers what the official conformance suite calls, on the official Python SDK 2.x.

A peer, not a part of Doorward: the suite passes against it directly, so whatever fails through Doorward is Doorward's.
`python tests/conformance/everything.py --port 0` prints its URL; `--stdio`, `--era` and `--newest` make the era matrix.
"""

from __future__ import annotations

import argparse
import socket
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import anyio
import mcp_types as types
import uvicorn
from anyio.streams.memory import MemoryObjectSendStream
from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from mcp.server.subscriptions import ListenHandler
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.exceptions import MCPDeprecationWarning
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

if __name__ == "__main__":
    # Started as a file, Python looks for `tests` beside it and not in the repository.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance import offered
from tests.conformance.blocks import Context
from tests.conformance.running import bus

NAME = "doorward-conformance-peer"
INSTRUCTIONS = "A fixture: every tool does one thing that a conformance test looks at."


class KeptEvents(EventStore):
    """Events of every stream in memory, so that a client can come back for what it missed."""

    def __init__(self) -> None:
        self._events: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        """Keep one event; its id is its place."""
        self._events.append((stream_id, message))
        return str(len(self._events) - 1)

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        """Send again what came after an event on the same stream."""
        place = int(last_event_id) if last_event_id.isdecimal() else len(self._events)
        if place >= len(self._events):
            return None
        stream = self._events[place][0]
        later = [(number, message) for number, (owner, message) in enumerate(self._events) if number > place and owner == stream]
        for number, message in later:
            if message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


class Newest:
    """Middleware that caps what `initialize` agrees on: a server of that revision, and of none after it."""

    def __init__(self, spoken: tuple[str, ...]) -> None:
        self._spoken = spoken

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Answer a wish for an unknown revision with the newest known one."""
        wish = (ctx.params or {}).get("protocolVersion")
        if ctx.method == "initialize" and wish not in self._spoken:
            ctx = replace(ctx, params={**(ctx.params or {}), "protocolVersion": self._spoken[-1]})
        return await call_next(ctx)


def build() -> Server:
    """The server with everything it offers."""
    server: Server = Server(
        NAME,
        version="1",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=offered.INPUT_SCHEMAS.get,
        on_list_tools=offered.list_tools,
        on_call_tool=offered.call_tool,
        on_list_prompts=offered.list_prompts,
        on_get_prompt=offered.get_prompt,
        on_list_resources=offered.list_resources,
        on_list_resource_templates=offered.list_templates,
        on_read_resource=offered.read_resource,
        on_completion=offered.complete,
        on_subscriptions_listen=ListenHandler(bus),
    )
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, offered.accept)
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, offered.accept)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, offered.accept)
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=NAME))
    return server


class OneEra:
    """The HTTP side of a server that knows one era: what opens in the other is refused as such a server does."""

    def __init__(self, app: ASGIApp, spoken: tuple[str, ...]) -> None:
        self._app = app
        self._spoken = spoken
        self._is_exchange = set(spoken) <= set(MODERN_PROTOCOL_VERSIONS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse by header, or hand on."""
        revision = dict(scope.get("headers", ())).get(b"mcp-protocol-version", b"").decode("latin-1")
        is_known = revision not in HANDSHAKE_PROTOCOL_VERSIONS if self._is_exchange else not revision or revision in self._spoken
        if scope["type"] != "http" or (is_known and (revision or not self._is_exchange)):
            await self._app(scope, receive, send)
        elif self._is_exchange and scope["method"] != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
        else:
            refusal = self._refusal(revision, await Request(scope, receive).json())
            await JSONResponse(refusal, status_code=400)(scope, receive, send)

    def _refusal(self, revision: str, body: object) -> dict[str, object]:
        error: dict[str, object] = {"code": types.INVALID_REQUEST, "message": f"Bad Request: Unsupported protocol version: {revision}"}
        if self._is_exchange and revision:
            data = {"supported": list(self._spoken), "requested": revision}
            error = {"code": types.UNSUPPORTED_PROTOCOL_VERSION, "message": "unsupported protocol version", "data": data}
        elif self._is_exchange:
            error = {"code": types.HEADER_MISMATCH, "message": "the MCP-Protocol-Version header is missing"}
        return {"jsonrpc": "2.0", "id": body.get("id") if isinstance(body, dict) else None, "error": error}


def serve_http(server: Server, port: int, spoken: tuple[str, ...] | None) -> None:
    """Serve Streamable HTTP on loopback until interrupted; the URL is the first line on stdout."""
    both = server.streamable_http_app(event_store=KeptEvents(), retry_interval=100)
    app = both if spoken is None else OneEra(both, spoken)
    # Bound before it is announced, so that whoever reads the line can connect at once.
    listener = socket.create_server(("127.0.0.1", port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", flush=True)
    # h11 trims the white space around header values, as the suite demands; httptools does not.
    config = uvicorn.Config(app, http="h11", log_level="error", lifespan="on", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


async def serve_stdio(server: Server, era: str) -> None:
    """Serve one client on stdin and stdout."""
    options = server.create_initialization_options(NotificationOptions(tools_changed=True, prompts_changed=True))
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as tasks:
        if era == "session":
            await serve_loop(server, incoming, outgoing, lifespan_state={}, init_options=options)
        elif era == "exchange":
            feed, fed = anyio.create_memory_object_stream[SessionMessage | Exception](0)
            tasks.start_soon(without_handshakes, incoming, feed, outgoing)
            await server.run(fed, outgoing, options)
        else:
            await server.run(incoming, outgoing, options)


async def without_handshakes(
    incoming: ReadStream[SessionMessage | Exception],
    feed: MemoryObjectSendStream[SessionMessage | Exception],
    outgoing: WriteStream[SessionMessage],
) -> None:
    """Hand on what a client says, but answer every `initialize` as a server that knows the exchange era only."""
    async with feed:
        async for said in incoming:
            message = said.message if isinstance(said, SessionMessage) else None
            if isinstance(message, types.JSONRPCRequest) and message.method == "initialize":
                data = {"supported": list(MODERN_PROTOCOL_VERSIONS), "requested": (message.params or {}).get("protocolVersion")}
                error = types.ErrorData(code=types.UNSUPPORTED_PROTOCOL_VERSION, message="unsupported protocol version", data=data)
                await outgoing.send(SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=message.id, error=error)))
            else:
                await feed.send(said)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--era", choices=("dual", "session", "exchange"), default="dual")
    parser.add_argument("--newest", choices=HANDSHAKE_PROTOCOL_VERSIONS, default=HANDSHAKE_PROTOCOL_VERSIONS[-1])
    parser.add_argument("--more", type=int, default=0, help="so many tools besides, page by page")
    chosen = parser.parse_args()
    offered.MORE_TOOLS.extend(f"more-{number:03}" for number in range(chosen.more))
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # the older revisions are what this is for
    handshakes = HANDSHAKE_PROTOCOL_VERSIONS[: HANDSHAKE_PROTOCOL_VERSIONS.index(chosen.newest) + 1]
    spoken = {"session": handshakes, "exchange": MODERN_PROTOCOL_VERSIONS, "dual": None}[chosen.era]
    server = build()
    if chosen.era != "exchange":
        server.middleware.append(Newest(handshakes))
    if chosen.stdio:
        anyio.run(serve_stdio, server, chosen.era)
    else:
        serve_http(server, chosen.port, spoken)


if __name__ == "__main__":
    main()
