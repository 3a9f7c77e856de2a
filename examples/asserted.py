"""An MCP server that only Doorward can call: it keeps no secret, and knows who acts, for whom, and under which receipt.

    pip install mcp rfc8785
    python -m examples.asserted https://doorward.example.com https://files.example.com/mcp

`claims` is the whole check; it works in any Python server.
"""

import contextvars
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import rfc8785
import uvicorn
from mcp.server.mcpserver import MCPServer


def claims(token: str, message: dict[str, Any], keys: jwt.PyJWKClient, issuer: str, audience: str) -> dict[str, Any]:
    """Who calls, if the token was signed by Doorward for exactly this call; raises `jwt.InvalidTokenError` otherwise."""
    if jwt.get_unverified_header(token).get("typ") != "doorward-call+jwt":
        raise jwt.InvalidTokenError("expected an assertion about a call")
    said: dict[str, Any] = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token).key,
        algorithms=["ES256"],
        issuer=issuer,
        audience=audience,
        options={"require": ["exp", "iat", "jti", "sub", "receipt", "method"]},
    )
    if message.get("method") in {"tools/call", "prompts/get", "resources/read"}:
        called = {name: value for name in ("tool", "prompt", "resource", "arguments_sha256") if (value := said.get(name)) is not None}
        if message["method"] != said["method"] or called != _called(message["method"], message.get("params", {})):
            raise jwt.InvalidTokenError("the assertion is about another call")
    return said


def _called(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "resources/read":
        return {"resource": params["uri"]}
    digest = hashlib.sha256(rfc8785.dumps(params.get("arguments", {}))).hexdigest()
    return {"tool" if method == "tools/call" else "prompt": params["name"], "arguments_sha256": digest}


caller: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("caller")
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Asserted:
    """Lets a request in if Doorward has signed for it (an ASGI middleware)."""

    def __init__(self, app: Callable[..., Awaitable[None]], issuer: str, audience: str) -> None:
        self.app, self.issuer, self.audience = app, issuer, audience
        self.keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json", cache_keys=True)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Reads the whole body, checks it, and hands it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        _, _, token = dict(scope["headers"]).get(b"authorization", b"").decode().partition(" ")
        try:
            said = claims(token, json.loads(body) if body else {}, self.keys, self.issuer, self.audience)
        except (jwt.PyJWTError, ValueError, KeyError, AttributeError, TypeError):
            await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", b"Bearer")]})
            await send({"type": "http.response.body", "body": b""})
            return
        caller.set(said)
        pieces = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> dict[str, Any]:
            return next(pieces, None) or await receive()

        await self.app(scope, again, send)


server = MCPServer("asserted", log_level="ERROR")


@server.tool()
def whoami(greeting: str) -> str:
    """Greets whoever calls, by the name that Doorward vouches for."""
    said = caller.get()
    return f"{greeting}, {said['sub']} by {said['agent']}, receipt {said['receipt']}"


def main() -> None:
    """Serves on a free port of this machine, which it prints."""
    issuer, audience = sys.argv[1:3]
    app = Asserted(server.streamable_http_app(stateless_http=True), issuer, audience)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]) if len(sys.argv) > 3 else 8500, log_level="warning")


if __name__ == "__main__":
    main()
