"""An issuer that says whatever a test wants to be said, with a signature that is right: its keys are on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc.jwk import ECKey

from tests.identity.tokens.mint import header, signed

PUBLIC = "https://mcp.example.com"
"""How the gateway of such a test is seen from outside, before and after a restart."""


@dataclass(frozen=True)
class Issuer:
    """One issuer that runs."""

    url: str
    key: ECKey

    def document(self) -> dict[str, Any]:
        """Its part of the document."""
        return {"url": self.url, "plain_http": True, "private": True}

    def token(self, client: str, subject: str | None = None, **more: Any) -> str:
        """An access token for the endpoint of all upstreams, good for an hour."""
        now = int(time.time())
        said = {"iss": self.url, "aud": f"{PUBLIC}/mcp", "sub": subject or client, "client_id": client, "iat": now, "exp": now + 3600}
        return signed({**said, "scope": "mcp", "jti": f"{time.monotonic_ns()}", **more}, header(), self.key)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer for as long as the block."""
    key = ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256"})
    pages: dict[str, object] = {"/keys": {"keys": [key.as_dict(private=False)]}}

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(pages.get(self.path)).encode()
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *given: object) -> None:  # noqa: A002 -- as the standard library calls it
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    pages["/.well-known/openid-configuration"] = {"issuer": url, "jwks_uri": f"{url}/keys"}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Issuer(url, key)
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
