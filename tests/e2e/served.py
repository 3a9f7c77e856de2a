"""What others publish: documents about clients over https, and an issuer of anything at all, each in a thread of its own."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from joserfc.jwk import ECKey

from tests.certificates import authority, server
from tests.e2e.grants import signed
from tests.e2e.oauth import CALLBACK

Json = dict[str, Any]


@dataclass(slots=True)
class Site:
    """A web server: what is where, and what was asked for."""

    origin: str
    ca_file: Path | None = None
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, path: str, document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> str:
        """Puts a JSON document at a path; gives its URL."""
        self.pages[path] = status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(document).encode()
        return self.origin + path

    def describe(self, path: str, **changed: Any) -> str:
        """Puts the document of a client at a path, which is right but for what is changed; gives its URL: the client id."""
        usual = {
            "client_id": self.origin + path,
            "client_name": "An agent of tests",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        return self.publish(path, usual | changed)


@contextmanager
def site(directory: Path | None = None) -> Iterator[Site]:
    """A site on loopback: over https by a root of its own where there is a directory to put that into, else over http."""
    made: list[Site] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made[0].asked.append(self.path)
            status, headers, body = made[0].pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: Any) -> None:  # noqa: A002 -- its name there
            """Says nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    listening.daemon_threads = True
    if directory is None:
        made.append(Site(f"http://127.0.0.1:{listening.server_port}"))
    else:
        root = authority()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*server(root).written(directory, "site"))
        (directory / "site-ca.pem").write_text(root.pem)
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        made.append(Site(f"https://localhost:{listening.server_port}", directory / "site-ca.pem"))
    thread = threading.Thread(target=listening.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made[0]
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join(10)


@dataclass(slots=True)
class Issuer:
    """An issuer that signs whatever it is asked to."""

    site: Site
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "first"}))

    def __post_init__(self) -> None:
        """With its metadata and its key published."""
        self.publish_keys()
        self.site.publish("/.well-known/openid-configuration", {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})

    @property
    def url(self) -> str:
        """Its identifier."""
        return self.site.origin

    def publish_keys(self) -> None:
        """The key that it signs with now, and no other."""
        self.site.publish("/jwks", {"keys": [self.key.as_dict(private=False)]})

    def access_token(self, audience: str | list[str], **changed: Any) -> str:
        """An access token (RFC 9068) of its client `agent`."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": audience, "client_id": "agent", "sub": "agent", "scope": "mcp", "iat": now, "exp": now + 300}
        return self._signed(usual | {"jti": token_urlsafe()} | changed, "at+jwt")

    def assertion(self, audience: str, resource: str, **changed: Any) -> str:
        """An identity assertion (ID-JAG) of alice in sales, for the client `courier`."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": audience, "sub": "alice", "groups": ["sales"], "client_id": "courier", "resource": resource}
        return self._signed(usual | {"jti": token_urlsafe(), "iat": now, "exp": now + 120} | changed, "oauth-id-jag+jwt")

    def _signed(self, claims: Json, typ: str) -> str:
        named = {name: value for name, value in claims.items() if value is not None}
        return signed(named, typ, self.key, kid=self.key.kid)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer over http on loopback."""
    with site() as where:
        yield Issuer(where)
