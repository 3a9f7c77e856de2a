"""Calls of a peer: one, to see whether it answers rightly, and as many as it takes, by the same load as in `make bench`."""

from __future__ import annotations

import http.client
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from bench.load import Orders, Seen, open_session
from bench.peers.port import Launch
from bench.speech import ECHO, FIRST, TAILS, Asking, Era, Target, fault_of_call

_ONE_SECONDS = 20.0
"""For one call before anything is measured: a peer may begin its work with the first."""


class SilentError(Exception):
    """The load came to no end."""


def fault(launch: Launch, port: int, era: Era) -> str | None:
    """What is wrong with one call of the tool; None where the answer is right, word for word."""
    target = Target(port, launch.path, era, launch.keys[0] if launch.keys else "", more=tuple(launch.headers.items()))
    try:
        if era is Era.SESSION:
            target = msgspec.structs.replace(target, session=open_session(target, _ONE_SECONDS))
        asking = Asking(target, launch.tool, "one")
        with socket.create_connection(("127.0.0.1", port), _ONE_SECONDS) as connection:
            connection.sendall(asking.request(FIRST))
            answer = http.client.HTTPResponse(connection, method="POST")
            answer.begin()
            body = answer.read()
    except (OSError, http.client.HTTPException, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    if answer.status != http.client.OK:
        return f"status 200 was expected, not {answer.status} {body[:300]!r}"
    return fault_of_call(body, FIRST, asking.marker(FIRST) + TAILS[ECHO])


class Load:
    """A process that measures what it is ordered to, one thing after the other."""

    __slots__ = ("_process",)

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def measure(self, orders: Orders, seconds: float) -> Seen:
        """What came of it; raises `SilentError` where nothing is said within these seconds."""
        given, said = self._process.stdin, self._process.stdout
        assert given is not None
        assert said is not None
        given.write(msgspec.json.encode(orders) + b"\n")
        given.flush()
        ready, _, _ = select.select([said], [], [], seconds)
        line = said.readline() if ready else b""
        if not line:
            raise SilentError("the load said nothing")
        return msgspec.json.decode(line, type=Seen)


@contextmanager
def load() -> Iterator[Load]:
    """A load, ended at the end."""
    process = subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Load(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()
