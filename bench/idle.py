"""Streams that wait for changes and are told of none: held open beside calls, and weighed."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bench.speech import FIRST, Era, Target, head, message

PER_AGENT = 25
"""Fewer than the 32 that one agent may hold open."""
_METHOD = "subscriptions/listen"
_WAIT_SECONDS = 20.0


@contextmanager
def streams(port: int, keys: Sequence[str], count: int) -> Iterator[None]:
    """So many streams of agents with these keys, each acknowledged; raises `RuntimeError` where one is not."""
    with ExitStack() as stack:
        for number in range(count):
            stack.enter_context(_listening(port, keys[number % len(keys)]))
        yield


def agents_for(count: int) -> int:
    """How many agents so many streams need."""
    return -(-count // PER_AGENT)


def _listening(port: int, key: str) -> socket.socket:
    body = message(Era.EXCHANGE, _METHOD, {"notifications": {"toolsListChanged": True}}) % FIRST
    connection = socket.create_connection(("127.0.0.1", port), _WAIT_SECONDS)
    connection.sendall(head(Target(port, "/mcp", Era.EXCHANGE, key), _METHOD, "", len(body)) + body)
    heard = b""
    while b"notifications/subscriptions/acknowledged" not in heard:
        piece = connection.recv(65536)
        heard += piece
        if not piece or not heard.startswith(b"HTTP/1.1 200 "):
            connection.close()
            raise RuntimeError(f"a stream was expected, not {heard[:300]!r}")
    return connection
