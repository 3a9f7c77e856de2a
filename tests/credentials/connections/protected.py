"""An MCP server of the official SDK behind OAuth (RFC 9728): takes tokens of one issuer that are for it, and says whose they are.

A peer, not a part of Doorward: `python protected.py ISSUER JWKS_URL [SCOPE…]` prints its URL.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any
from urllib.request import urlopen

import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl


class Verifier:
    """Verifies the signature of JWTs, their issuer and their audience."""

    def __init__(self, issuer: str, keys: str, resource: str) -> None:
        self._issuer, self._keys, self._resource = issuer, keys, resource

    async def verify_token(self, token: str) -> AccessToken | None:
        """Who presents a token; None for one that is not good here."""
        with urlopen(self._keys, timeout=10) as answer:
            keys = KeySet.import_key_set(json.load(answer))
        try:
            claims: dict[str, Any] = jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims
        except Exception:  # noqa: BLE001
            return None
        if claims.get("iss") != self._issuer:
            return None
        audience = claims.get("aud")
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id", "")),
            scopes=str(claims.get("scope", "")).split(),
            expires_at=claims.get("exp"),
            resource=audience if isinstance(audience, str) else None,
            subject=claims.get("sub"),
        )


def main(issuer: str, keys: str, *scopes: str) -> None:
    """Serves until it is killed."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
    settings = AuthSettings(
        issuer_url=AnyHttpUrl(issuer),
        resource_server_url=AnyHttpUrl(url),
        required_scopes=list(scopes),
        validate_token_resource=True,
    )
    server = MCPServer("protected", auth=settings, token_verifier=Verifier(issuer, keys, url))

    @server.tool()
    def whoami() -> str:
        """Says whose token it was called with."""
        found = get_access_token()
        return "nobody" if found is None or found.subject is None else found.subject

    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    app = server.streamable_http_app(stateless_http=True, json_response=True)
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
