"""An issuer that says whatever a test wants to be said, with a signature that is right: its keys are on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey

from bench.issuer import shown
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
    with shown() as (url, key):
        yield Issuer(url, key)
