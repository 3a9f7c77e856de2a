"""A scripted upstream in a thread of its own: it outlives any gateway, keeps every byte it was sent, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from tests.e2e.log import until
from tests.net.raw import STREAM_HEAD, Peer, Upstream, chunk, response, scripted
from tests.upstream.kit import NOT_FOUND, Answering, body_of, event, exchange_era, header_of, result, session_era, speaking

Json = dict[str, Any]

MARK = {"type": "object", "properties": {"mark": {"type": "string"}}}


def tool(name: str, description: str = "Fixture.", **more: Any) -> Json:
    """A tool with one optional argument, `mark`."""
    return {"name": name, "description": description, "inputSchema": MARK, **more}


class Witness:
    """What the scripted upstream offers and does; what it saw."""

    def __init__(self, era: Literal["exchange", "session"] = "exchange") -> None:
        self.tools = [tool("echo"), tool("wait"), tool("other"), tool("stream")]
        """What it lists now; a test may exchange it at any time."""
        self.behaviours: dict[str, Answering] = {"wait": self._wait, "stream": self._stream}
        """By tool; every other one echoes its arguments."""
        self.ended: list[str] = []
        """Marks of waiting calls that were cut off."""
        handlers = {"tools/list": self._list, "tools/call": self._call, "notifications/cancelled": self._cancelled}
        self.handlers: dict[str, Answering] = (exchange_era() if era == "exchange" else session_era()) | handlers
        self._is_exchange = era == "exchange"
        self._running: dict[tuple[int, Any], tuple[str, asyncio.Event]] = {}
        self._upstream: Upstream | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lost: set[str] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        assert self._upstream is not None
        return self._upstream.url

    @property
    def requests(self) -> list[bytes]:
        """Every request as it came, heads and bodies."""
        assert self._upstream is not None
        return list(self._upstream.requests)

    def calls(self, name: str | None = None) -> list[Json]:
        """The params of every `tools/call` that came in, or of those of one tool."""
        bodies = [body_of(request) for request in self.requests if b'"tools/call"' in request]
        called = [body["params"] for body in bodies if body["method"] == "tools/call"]
        return [params for params in called if name in (None, params["name"])]

    def marks(self) -> list[str]:
        """The `mark` of every call that came in."""
        return [params["arguments"]["mark"] for params in self.calls() if "mark" in params.get("arguments", {})]

    def has_seen(self, mark: str) -> None:
        """Returns once a call with this mark has come in."""
        until(lambda: mark in self.marks())

    def release(self) -> None:
        """Lets every waiting call be answered."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._release)

    def lose_sessions(self) -> None:
        """Forgets every session that a request has named so far (session era)."""
        self._lost |= {str(found) for request in self.requests if (found := header_of(request, "Mcp-Session-Id"))}

    async def run(self, port: int, ready: threading.Event, over: asyncio.Event) -> None:
        """Serves until it is over."""
        self._loop = asyncio.get_running_loop()
        async with scripted(speaking(self.handlers), port=port) as upstream:
            self._upstream = upstream
            ready.set()
            await over.wait()

    async def _list(self, peer: Peer, message: Json, head: bytes) -> None:
        await peer.send(response(result(message, {"tools": self.tools, **self._ending()})))

    async def _call(self, peer: Peer, message: Json, head: bytes) -> None:
        if header_of(head, "Mcp-Session-Id") in self._lost:
            await peer.send(NOT_FOUND)
            return
        behaviour = self.behaviours.get(message["params"]["name"])
        if behaviour is not None:
            await behaviour(peer, message, head)
            return
        await self.echo(peer, message)

    async def echo(self, peer: Peer, message: Json) -> None:
        """Answers with the arguments."""
        text = json.dumps(message["params"].get("arguments", {}))
        await peer.send(response(result(message, {"content": [{"type": "text", "text": text}], **self._ending()})))

    async def _wait(self, peer: Peer, message: Json, head: bytes) -> None:
        """Waits until it is released, and notices being cut off in either era's way."""
        mark = message["params"].get("arguments", {}).get("mark", "")
        released = asyncio.Event()
        self._running[peer.number, message["id"]] = mark, released
        gone, let = asyncio.ensure_future(peer.reader.read(1)), asyncio.ensure_future(released.wait())
        try:
            await asyncio.wait((gone, let), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                self.ended.append(mark)
                raise ConnectionResetError
        finally:
            self._running.pop((peer.number, message["id"]), None)
            gone.cancel()
            let.cancel()
            await asyncio.gather(gone, let, return_exceptions=True)
        await self.echo(peer, message)

    async def _stream(self, peer: Peer, message: Json, head: bytes) -> None:
        """Begins its answer as a stream, with progress, and ends it once it is released."""
        token = message["params"]["_meta"]["progressToken"]
        progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": token, "progress": 1}}
        await peer.send(STREAM_HEAD + chunk(event(progress)))
        released = asyncio.Event()
        self._running[peer.number, message["id"]] = "", released
        await released.wait()
        del self._running[peer.number, message["id"]]
        text = {"type": "text", "text": "done"}
        await peer.send(chunk(event(json.loads(result(message, {"content": [text], **self._ending()})))) + chunk(b""))

    async def _cancelled(self, peer: Peer, message: Json, head: bytes) -> None:
        for (_, number), (mark, released) in tuple(self._running.items()):
            if number == message["params"]["requestId"]:
                self.ended.append(mark)
                released.set()
        await peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")

    def _release(self) -> None:
        for _, released in self._running.values():
            released.set()

    def _ending(self) -> Mapping[str, str]:
        return {"resultType": "complete"} if self._is_exchange else {}


@contextmanager
def witnessing(witness: Witness | None = None, port: int = 0) -> Iterator[Witness]:
    """Runs a witness until the block ends, on a free port unless one is given."""
    witness = witness or Witness()
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(witness.run(port, ready, over)))
    thread.start()
    try:
        assert ready.wait(10)
        yield witness
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
