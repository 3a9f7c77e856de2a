"""Gateways that speak TLS, in front of clients with certificates: their files, and the connections to them."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509

from doorward.identity.certificates.reader import thumbprint
from tests.certificates import Authority, Issued, Wanted, authority, pem, server
from tests.e2e.client import Client, Said
from tests.e2e.log import Leaf, leaves, until
from tests.gateway import Running

DOMAIN = "spiffe://example.org"
TURNED_AWAY = (OSError, http.client.HTTPException)
"""What a client sees where the listener does not speak to it."""


def named(agent: str) -> Wanted:
    """What the certificate of an agent says."""
    return Wanted(uris=(f"{DOMAIN}/agents/{agent}",))


@dataclass
class Place:
    """What a listener reads: its own certificate, the root of its clients, and what that root has revoked."""

    directory: Path
    root: Authority = field(default_factory=authority)
    _written: int = 0

    def __post_init__(self) -> None:
        """Everything is there from the start; nothing is revoked."""
        self.directory.mkdir(parents=True, exist_ok=True)
        server(self.root).written(self.directory, "server")
        self.replace("roots.pem", self.root.pem)
        self.publish()

    def listen(self, clients: str = "optional", **more: Any) -> dict[str, Any]:
        """The part of the document."""
        tls = {"certificate": "server.pem", "key": "server.key", "clients": clients, "roots": ["roots.pem"], "crls": ["agents.crl"]}
        return {"port": 0, "tls": tls | more}

    def publish(self, *revoked: x509.Certificate, ends: datetime.datetime | None = None) -> None:
        """A new revocation list."""
        self.replace("agents.crl", pem(self.root.crl(revoked, ends=ends)))

    def replace(self, name: str, text: str) -> None:
        """Puts a file in the place of another, as the documentation says."""
        beside = self.directory / f"{name}.new"
        beside.touch(0o600)
        beside.write_text(text)
        beside.rename(self.directory / name)

    def context(self, shown: Issued | None = None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, trusts: str = "") -> ssl.SSLContext:
        """The TLS of a client that trusts the listener, and perhaps shows a certificate."""
        context = ssl.create_default_context(cadata=trusts or self.root.pem)
        context.maximum_version = newest
        if shown is not None:
            self._written += 1
            context.load_cert_chain(*shown.written(self.directory, f"shown-{self._written}"))
        return context


def url(running: Running, upstream: str = "", host: str = "localhost") -> str:
    """The endpoint of all upstreams, or of one, of a gateway that speaks TLS."""
    return f"https://{host}:{running.port}/mcp" + (f"/{upstream}" if upstream else "")


def client(running: Running, tls: ssl.SSLContext, key: str = "", **more: Any) -> Client:
    """A client of all upstreams."""
    return Client(url(running), key, tls=tls, **more)


def said(running: Running, tls: ssl.SSLContext, key: str = "", **more: Any) -> Said:
    """What one call on a connection of its own got."""
    with client(running, tls, key, **more) as one:
        return one.call("up__echo", {"mark": "said"})


def is_turned_away(running: Running, tls: ssl.SSLContext) -> bool:
    """Whether the handshake itself fails."""
    with suppress(*TURNED_AWAY):
        said(running, tls)
        return False
    return True


def is_over(one: Client) -> None:
    """Returns once the other side has closed a client's kept connection."""
    sock = one._connection.sock
    sock.settimeout(10)
    with suppress(ConnectionError, ssl.SSLEOFError):
        assert sock.recv(1) == b""


@dataclass(frozen=True)
class Visit:
    """One connection: what was said to a call on it, and the session to come back with."""

    said: bytes
    session: ssl.SSLSession | None
    is_resumed: bool


def asks(running: Running, tls: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Visit:
    """One call, perhaps going on with the session of an earlier connection; nothing is said where that is not taken."""
    body = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{}}}'
    head = f"POST /mcp HTTP/1.1\r\nHost: localhost:{running.port}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    head += f"Accept: application/json, text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
    plain = socket.create_connection(("127.0.0.1", running.port), 5)
    with tls.wrap_socket(plain, server_hostname="localhost", session=session) as one:
        heard = b""
        with suppress(OSError):
            one.sendall(head.encode() + body)
            while piece := one.recv(65_536):
                heard += piece
        return Visit(heard, one.session, bool(one.session_reused))


def print_of(issued: Issued) -> str:
    """The thumbprint of a certificate."""
    return thumbprint(issued.der)


def principal(running: Running, got: Said) -> dict[str, Any]:
    """Who made a call, as its first leaf says."""
    found: Leaf = until(lambda: next((leaf for leaf in leaves(running.directory / "state") if leaf.get("call") == got.receipt), None))
    return dict(found["principal"])


def loaded(running: Running, times: int) -> None:
    """Returns once the gateway has taken over changed files so often."""
    until(lambda: len(running.events("certificates_loaded")) >= times)


def rejected(running: Running, times: int = 1) -> Iterable[str]:
    """Why changed files were not taken over, once they were not so often."""
    until(lambda: len(running.events("certificates_rejected")) >= times)
    return [line["why"] for line in running.events("certificates_rejected")]
