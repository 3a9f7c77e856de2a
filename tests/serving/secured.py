"""TLS listeners and clients on loopback."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from doorward.net.tls import Clients, Served
from doorward.serving.bounds import Limits
from doorward.serving.listener import Bind, Listener
from doorward.serving.port import CONNECTION, App, Receive, Scope, Send
from tests.certificates import Authority, Issued, authority, server
from tests.serving.sockets import CLOSING, GET


async def whoami(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the names of the client's certificate."""
    certificate = scope[CONNECTION].certificate
    body = b"nobody" if certificate is None else " ".join((*certificate.uris, *certificate.dns, certificate.subject)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@dataclass(frozen=True)
class Place:
    """A directory with the certificate of a listener and the root of its clients."""

    directory: Path
    root: Authority

    def served(self, *, clients: Clients = Clients.OPTIONAL, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, roots: str = "") -> Served:
        chain, key = server(self.root).written(self.directory, "server")
        return Served(chain, key, minimum, clients, roots or self.root.pem)

    def trusting(self, shown: Issued | None = None, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """The context of a client that trusts the listener, and perhaps shows a certificate of its own."""
        context = ssl.create_default_context(cadata=self.root.pem)
        context.maximum_version = newest
        if shown is not None:
            context.load_cert_chain(*shown.written(self.directory, f"client-{shown.certificate.serial_number:x}"))
        return context


def place(directory: Path) -> Place:
    return Place(directory, authority())


@asynccontextmanager
async def secured(context: ssl.SSLContext, app: App = whoami, **limits: float) -> AsyncIterator[tuple[Listener, int]]:
    connections = int(limits.pop("connections", 1000))
    listener = Listener(app, Bind(port=0, connections=connections, limits=Limits(**limits), tls=context))  # type: ignore[arg-type]
    _, port = await listener.open()
    try:
        yield listener, port
    finally:
        await listener.drain(0)


async def told(port: int, context: ssl.SSLContext) -> bytes:
    """The body of the answer to one request on a connection of its own; nothing where the listener does not speak to us."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        try:
            writer.write(CLOSING)
            answer = await asyncio.wait_for(reader.read(), 5)
            return answer.partition(b"\r\n\r\n")[2]
        finally:
            writer.transport.abort()
    return b""


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """The body of the answer on a connection that is kept."""
    writer.write(GET)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


@dataclass(frozen=True)
class Visit:
    """What came of one blocking connection: what the listener said, and the session to come back with."""

    said: bytes
    session: ssl.SSLSession | None
    is_resumed: bool


def visit(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Visit:
    """One request from a thread: asyncio has no way to come back with a session."""
    plain = socket.create_connection(("127.0.0.1", port), 5)
    with context.wrap_socket(plain, server_hostname="localhost", session=session) as one:
        said = b""
        with contextlib.suppress(OSError):
            one.sendall(CLOSING)
            while piece := one.recv(65_536):
                said += piece
        return Visit(said.partition(b"\r\n\r\n")[2], one.session, bool(one.session_reused))
