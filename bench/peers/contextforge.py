"""ContextForge: with its sessions, and without."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Mapping
from functools import partial
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import OctKey

from bench.peers.port import Governs, Launch, Peer, Site
from bench.speech import ECHO, Era

_NAME = "bench"
_ADMIN = "admin@example.com"
_DAY_SECONDS = 86_400
_SECONDS = 60.0
"""For its answer when the upstream is entered."""
_OFF = (
    "PLUGINS_ENABLED",
    "RATE_LIMITING_ENABLED",
    "MCPGATEWAY_UI_ENABLED",
    "MCPGATEWAY_ADMIN_API_ENABLED",
    "MCPGATEWAY_A2A_ENABLED",
    "OBSERVABILITY_ENABLED",
    "STRUCTURED_LOGGING_ENABLED",
    "TOKEN_USAGE_LOGGING_ENABLED",
    "COMPRESSION_ENABLED",
)
"""What it can do without, so that only the call is measured; the limit of 100 calls a minute would end the measurement at once."""


def settings(database: str, secret: str, sessions: str) -> Mapping[str, str]:
    """Its environment; `secret` is both its key for tokens and for what it encrypts."""
    return {
        **dict.fromkeys(_OFF, "false"),
        "DATABASE_URL": f"sqlite:///{database}",
        "JWT_SECRET_KEY": secret,
        "AUTH_ENCRYPTION_SECRET": secret,
        "PLATFORM_ADMIN_EMAIL": _ADMIN,
        "PLATFORM_ADMIN_PASSWORD": f"Aa1!{secret}",
        "BASIC_AUTH_PASSWORD": f"Aa1!{secret}",
        "DEFAULT_USER_PASSWORD": f"Aa1!{secret}",
        "SSRF_ALLOW_LOCALHOST": "true",
        "SSRF_ALLOW_PRIVATE_NETWORKS": "true",
        "TOOL_RATE_LIMIT": "1000000",
        "CACHE_TYPE": "memory",
        "LOG_LEVEL": "ERROR",
        "JSON_RESPONSE_ENABLED": "true",
        "USE_STATEFUL_SESSIONS": sessions,
    }


def token(secret: str, now: int) -> str:
    """A token of its administrator, as its own tool writes one."""
    user = {"email": _ADMIN, "full_name": "bench", "is_admin": True, "auth_provider": "local"}
    times = {"iat": now, "exp": now + _DAY_SECONDS, "jti": str(uuid4())}
    claims = {"sub": _ADMIN, "iss": "mcpgateway", "aud": "mcpgateway-api", **times, "is_admin": True, "teams": None, "user": user}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def _launch(site: Site, sessions: str) -> Launch:
    kept = site.directory / "secret.txt"
    if not kept.exists():
        kept.write_text(secrets.token_urlsafe(40), encoding="utf-8")
    secret = kept.read_text(encoding="utf-8")
    options = ["--host", "127.0.0.1", "--port", str(site.port), "--no-access-log", "--log-level", "error"]
    return Launch(
        [site.program("mcpgateway"), *options],
        settings(str(site.directory / "forge.sqlite"), secret, sessions),
        path="/mcp/",
        tool=f"{_NAME}-{ECHO}",
        keys=(token(secret, int(time.time())),),
    )


def _enter(site: Site, launch: Launch) -> None:
    """Enters the upstream, as its administrator does."""
    said = json.dumps({"name": _NAME, "url": site.url, "transport": "STREAMABLEHTTP"})
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=_SECONDS)
    try:
        connection.request("POST", "/gateways", said, {"Authorization": f"Bearer {launch.keys[0]}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= http.client.MULTIPLE_CHOICES:
            raise RuntimeError(f"an upstream was to be entered, the answer was {answer.status} {body[:300]!r}")
    finally:
        connection.close()


def _peer(name: str, sessions: str, told: str) -> Peer:
    return Peer(
        name=f"ContextForge, {name}",
        package="mcp-contextforge-gateway",
        environment="contextforge",
        governs=Governs(authentication="JWT (HS256)", policy="its own RBAC", audit="none (metrics to SQLite)"),
        configured=f"{told}; SQLite, caches in memory, its limit of 100 calls a minute, plugins, console, telemetry and compression off.",
        launch=partial(_launch, sessions=sessions),
        settle=_enter,
        eras=(Era.SESSION,),
    )


STATELESS = _peer("stateless", "false", "As shipped, without sessions")
STATEFUL = _peer("stateful sessions", "true", "`USE_STATEFUL_SESSIONS`")
