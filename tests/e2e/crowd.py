"""Many plain connections to a gateway, slow or silent, and limits of its process that are set while it runs."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.adversary.slow import call_body
from tests.e2e.client import EXCHANGE
from tests.gateway import Running

SPARE_FILES = 300
"""What the test and the gateway need besides their crowd."""


@contextmanager
def files_for(connections: int) -> Iterator[int]:
    """While this process, and those that it starts, may open so many files and some; gives how many connections the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        yield min(connections, most - SPARE_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def few_files(most: int) -> Iterator[None]:
    """While what this process starts may open no more files, unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, most), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def limited(running: Running, kind: int, most: int) -> Iterator[None]:
    """While the gateway's process may have no more of something."""
    before = resource.prlimit(running.process.pid, kind)
    resource.prlimit(running.process.pid, kind, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(running.process.pid, kind, before)


@contextmanager
def crowd(running: Running, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many connections, each of which has said this and reads nothing."""
    with ExitStack() as stack:
        opened = [stack.enter_context(_connected(running.port)) for _ in range(count)]
        for one in opened:
            one.sendall(said)
        yield opened


def request(running: Running, key: str, tool: str, length: int | None = None) -> bytes:
    """An exchange-era call as it is on the wire; with a length, its head and a first byte of a body that never comes."""
    body = call_body(tool, {})
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {EXCHANGE}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    ).encode()
    return head + (body if length is None else b"{")


def _connected(port: int) -> socket.socket:
    opened = socket.socket()
    opened.settimeout(30)
    # The kernel takes little for a client that does not read.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.connect(("127.0.0.1", port))
    return opened
