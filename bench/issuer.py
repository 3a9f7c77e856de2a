"""An identity provider of a company for as long as a block: its metadata and key set on loopback, and access tokens that it signs."""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

AUDIENCE = "https://mcp.bench.example/mcp"
"""For whom the tokens are; the gateway is told so, as its port is not known before."""
_SECONDS = 24 * 3600
_PADDING = "x" * 600
"""Tokens of companies are about so much longer than what is read of them."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One that runs."""

    url: str
    key: ECKey

    def document(self) -> dict[str, object]:
        """Its part of the gateway's document."""
        return {"url": self.url, "plain_http": True, "private": True, "audiences": [AUDIENCE]}

    def token(self, client: str) -> str:
        """An access token (RFC 9068, ES256, about 1.3 KB) of a client, good for a day."""
        now = int(time.time())
        said = {"iss": self.url, "aud": AUDIENCE, "sub": client, "client_id": client, "iat": now, "exp": now + _SECONDS, "jti": client}
        more = {"scope": "mcp", "groups": ["sales", "support"], "padding": _PADDING}
        parts = ({"typ": "at+jwt", "alg": "ES256", "kid": "one"}, {**said, **more})
        text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{text}.{_base64(JWSRegistry.algorithms['ES256'].sign(text.encode(), self.key))}"


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer for as long as the block."""
    with shown() as (url, key):
        yield Issuer(url, key)


@contextmanager
def shown() -> Iterator[tuple[str, ECKey]]:
    """Metadata and key set on loopback for as long as the block: the issuer's URL, and the key that it signs with."""
    key = ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256", "use": "sig"})
    pages: dict[str, object] = {"/keys": {"keys": [key.as_dict(private=False)]}}

    class Page(BaseHTTPRequestHandler):
        """What it shows of itself."""

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
        yield url, key
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
