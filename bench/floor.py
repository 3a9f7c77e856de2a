"""The floor: a bare pass-through on Doorward's own serving protocol and connection pool, with no room between them.

What it reaches is what Doorward could reach on this machine if governing cost nothing. `python -m bench.floor ORIGIN [PORT]`: each path leads to
the same path there.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence

import uvloop

from bench.cores import GATEWAY_CORE, pin
from doorward.net.addresses import Reach, Rule
from doorward.net.http import Pool, Route
from doorward.net.urls import parse_url
from doorward.serving.edge import body
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import BODY, WHOLE, Headers, Receive, Scope, Send

_FIXED = (("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json"))
_BACK: Sequence[bytes] = (b"content-type", b"mcp-session-id")
_MOST = 1_048_576


class PassThrough:
    """Hands each request on as it came, and each answer back."""

    __slots__ = ("_pools",)

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools = pools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        whole: bytes | None = scope.get(BODY)
        asked = whole if whole is not None else await body(receive, _MOST)
        headers = [(name.decode(), value.decode()) for name, value in scope["headers"] if name.startswith(b"mcp-")]
        answer = await self._pools[scope["path"]].post(headers, asked)
        back: Headers = [(name, answer.headers[name]) for name in _BACK if name in answer.headers]
        if isinstance(answer.body, bytes):
            await send({"type": WHOLE, "status": answer.status, "headers": back, "body": answer.body})
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": back})
        while piece := await answer.body.read():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def serve(url: str, port: int = 0) -> None:
    """Says its port on standard output, and passes on until it is ended."""
    rule = Rule(Reach.PRIVATE, frozenset({"http"}))
    origin = url.removesuffix("/mcp")
    pools = {path: Pool(Route(parse_url(origin + path), rule), _FIXED) for path in ("/mcp", "/sse")}
    listener = Listener(PassThrough(pools), Bind(port=port))
    _, port = await listener.open()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.gather(listener.run())


if __name__ == "__main__":
    pin(GATEWAY_CORE)
    uvloop.run(serve(sys.argv[1], *map(int, sys.argv[2:])))
