"""What the tests of this room share: orders, seams, and scripted MCP upstreams of both eras on real loopback sockets."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from doorward.config.model import Timeouts, Upstream
from doorward.domain.calls import Notice
from doorward.domain.ids import LeaseId, UpstreamId
from doorward.domain.leases import Lease
from doorward.domain.secret import Secret
from doorward.net.connection import Timeouts as NetTimeouts
from doorward.upstream.circuit import Circuit, Terms
from doorward.upstream.http import HttpUpstream
from doorward.upstream.messages import Tongue, limits_of
from doorward.upstream.open import places
from doorward.upstream.order import Order
from doorward.upstream.replicas.address import Speaker
from doorward.upstream.seams import Seams
from doorward.upstream.stdio import StdioUpstream
from tests.net.raw import Peer, Script, response

DEMO = UpstreamId("demo")
LEASE = Lease(LeaseId("l1"), "none", "", "")
KEYED = Lease(LeaseId("l2"), "static", "", "", headers=(("Authorization", Secret("Bearer xyz")),), account="xyz")
SHORT = Timeouts(connect=2, first_byte=0.8, idle=0.8, total=1.5, start=10)
"""Where running late is what is tested."""
PATIENT = Timeouts(connect=20, first_byte=20, idle=20, total=30, start=20)
"""Where it is not: a machine may be busy."""
TONGUE = Tongue(DEMO, {"name": "doorward", "version": "1"}, limits_of(100_000), NetTimeouts(1, 1, 1, 1))
NO_ERA = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"


def order(
    method: str = "tools/call", params: Mapping[str, object] | None = None, lease: Lease = LEASE, principal: str = "agent", **more: Any
) -> Order:
    """A call of the tool `echo`, unless said otherwise."""
    given = {"name": "echo", "arguments": {"text": "hi"}} if params is None else params
    defaults: dict[str, Any] = {"meta": {}, "capabilities": {}, "log_level": None, "wants_progress": False, "param_headers": None}
    return Order(method, given, principal=principal, lease=lease, **(defaults | more))


@dataclass
class World:
    """The seams of a test, and what came out of them."""

    stderr: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    changes: int = 0

    def seams(self) -> Seams:
        return Seams(
            now=lambda: 1000.0,
            chance=lambda: 0.0,
            version="1",
            path=os.environ["PATH"],
            on_stderr=lambda upstream, text: self.stderr.append(text),
            on_event=lambda upstream, text: self.events.append(text),
        )

    def changed(self) -> None:
        self.changes += 1


class Heard:
    """Takes notices."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def __call__(self, notice: Notice) -> None:
        self.notices.append(notice)


def alone(config: Upstream, seams: Seams) -> Speaker:
    """What speaks to the only address of a configuration."""
    (place,) = places(DEMO, config, seams)
    return place.speaker(Circuit(Terms(), seams.monotonic, seams.chance))


@asynccontextmanager
async def over_http(url: str, world: World | None = None, **config: Any) -> AsyncIterator[HttpUpstream]:
    """An upstream at a scripted address, closed at the end."""
    world = world or World()
    upstream = alone(Upstream(url=url, private=True, plain_http=True, **config), world.seams())
    assert isinstance(upstream, HttpUpstream)
    upstream.on_change = world.changed
    try:
        yield upstream
    finally:
        await upstream.close()


@asynccontextmanager
async def over_stdio(
    command: tuple[str, ...], world: World | None = None, env: dict[str, str] | None = None, **config: Any
) -> AsyncIterator[StdioUpstream]:
    """An upstream that is a process, closed at the end."""
    world = world or World()
    upstream = alone(Upstream.model_validate({"stdio": {"command": command, "env": env or {}}, **config}), world.seams())
    assert isinstance(upstream, StdioUpstream)
    upstream.on_change = world.changed
    try:
        yield upstream
    finally:
        await upstream.close()


# Scripted upstreams.

Answering = Callable[[Peer, dict[str, Any], bytes], Awaitable[None]]
"""Answers one message: the peer, the message (empty for GET and DELETE), the head of the request."""


def result(message: Mapping[str, Any], body: Mapping[str, object]) -> bytes:
    """The JSON of an answer."""
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": body}).encode()


def error(message: Mapping[str, Any], code: int, text: str = "no", data: object = None, status: str = "200 OK") -> bytes:
    """The whole HTTP response of a JSON-RPC error."""
    fault = {"code": code, "message": text} | ({} if data is None else {"data": data})
    return response(json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "error": fault}).encode(), status=status)


def event(message: Mapping[str, Any] | None, event_id: str | None = None, retry: int | None = None) -> bytes:
    """One server-sent event; without a message, one that only primes."""
    lines = [] if event_id is None else [f"id: {event_id}"]
    lines += [] if retry is None else [f"retry: {retry}"]
    return "\n".join([*lines, f"data: {json.dumps(message) if message is not None else ''}", "", ""]).encode()


def giving(body: Mapping[str, object]) -> Answering:
    """Answers with a result as JSON."""

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(response(result(message, body)))

    return answering


def saying(octets: bytes) -> Answering:
    """Answers with these bytes."""

    async def answering(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        await peer.send(octets)

    return answering


def speaking(handlers: Mapping[str, Answering]) -> Script:
    """A script that answers each message by its method; GET and DELETE go by these names, responses by `response`."""

    async def script(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            message = json.loads(body) if body else {}
            verb = head.split(b" ")[0].decode()
            name = message.get("method", "response") if verb == "POST" else verb
            await handlers.get(name, saying(NOT_FOUND))(peer, message, head)

    return script


NOT_FOUND = response(b"no such thing", status="404 Not Found", kind="text/plain")
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
REFUSED = response(b"", status="405 Method Not Allowed")
ECHOED: dict[str, object] = {"content": [{"type": "text", "text": "hi"}]}


def exchange_era(**handlers: Answering) -> dict[str, Answering]:
    """An upstream of 2026-07-28 with one tool."""
    listed = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}], "resultType": "complete"}
    return {
        "server/discover": giving(
            {
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"tools": {}},
                "instructions": "be kind",
                "resultType": "complete",
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "scripted", "version": "1"}},
            }
        ),
        "tools/list": giving(listed),
        "tools/call": giving(ECHOED | {"resultType": "complete"}),
    } | {name.replace("__", "/"): handler for name, handler in handlers.items()}


def session_era(**handlers: Answering) -> dict[str, Answering]:
    """An upstream of 2025-11-25 that gives session ids `s1`, `s2`, …, with one tool."""
    given = 0

    async def initialize(peer: Peer, message: dict[str, Any], head: bytes) -> None:
        nonlocal given
        given += 1
        body = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}, "logging": {}},
            "serverInfo": {"name": "scripted", "version": "1"},
            "instructions": "be kind",
        }
        await peer.send(response(result(message, body), f"Mcp-Session-Id: s{given}"))

    return {
        "server/discover": saying(NO_ERA.encode()),
        "initialize": initialize,
        "notifications/initialized": saying(ACCEPTED),
        "notifications/cancelled": saying(ACCEPTED),
        "response": saying(ACCEPTED),
        "ping": giving({}),
        "logging/setLevel": giving({}),
        "GET": saying(REFUSED),
        "DELETE": saying(ACCEPTED),
        "tools/list": giving({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call": giving(ECHOED),
    } | {name.replace("__", "/"): handler for name, handler in handlers.items()}


def methods(requests: list[bytes]) -> list[str]:
    """What an upstream was asked, in order."""
    found = []
    for request in requests:
        head, _, body = request.partition(b"\r\n\r\n")
        found.append(json.loads(body).get("method", "response") if body else head.split(b" ")[0].decode())
    return found


def body_of(request: bytes) -> dict[str, Any]:
    """The JSON of a request."""
    return json.loads(request.partition(b"\r\n\r\n")[2])


def header_of(request: bytes, name: str) -> str | None:
    """A header of a request."""
    for line in request.partition(b"\r\n\r\n")[0].decode().split("\r\n"):
        found, _, value = line.partition(": ")
        if found.lower() == name.lower():
            return value
    return None
