"""The chapters about what is held: memory of idle sessions and open streams, and what a call costs beside them."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import gateway
from bench.cores import cpu_seconds, memory_mib
from bench.idle import agents_for, streams
from bench.measure import server
from bench.scale.figures import AtMost, Chapter, Figure, Series
from bench.speech import ECHO, FIRST, INITIALIZED, TAILS, Asking, Era, Target, fault_of_call, head, initialize

SESSIONS, STREAMS = 4_000, 1_000
CALLS = 1_000
"""Calls of one measurement."""
SESSION_KIB, STREAM_KIB, MOST_TIME = 4.0, 40.0, 1.3
"""The bounds."""
_WARM = 300
_SESSION = re.compile(rb"mcp-session-id: ([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Amount:
    """How many there are."""

    sessions: int = SESSIONS
    streams: int = STREAMS
    calls: int = CALLS
    settling: float = 2.0
    """Seconds after which what is swept at times is swept."""


class Caller:
    """One kept connection of one agent."""

    def __init__(self, running: gateway.Gateway, key: str) -> None:
        self.running, self.key = running, key
        self._connection = socket.create_connection(("127.0.0.1", running.port), 30.0)
        self._number = FIRST

    def session(self) -> None:
        """Opens another session, which says nothing more."""
        target = Target(self.running.port, "/mcp", Era.SESSION, self.key)
        body = initialize()
        answer = self._asked(head(target, "initialize", "", len(body)) + body)
        found = _SESSION.search(answer)
        assert found is not None, answer[:300]
        target = Target(self.running.port, "/mcp", Era.SESSION, self.key, found[1].decode())
        self._asked(head(target, "notifications/initialized", "", len(INITIALIZED)) + INITIALIZED)

    def calls(self, count: int) -> None:
        """So many calls, each checked."""
        asking = Asking(Target(self.running.port, "/mcp", Era.EXCHANGE, self.key), f"{gateway.PLAIN}__{ECHO}", "held")
        for _ in range(count):
            self._number += 1
            answer = self._asked(asking.request(self._number))
            body = answer.partition(b"\r\n\r\n")[2]
            fault = fault_of_call(body, self._number, asking.marker(self._number) + TAILS[ECHO])
            assert fault is None, fault

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def _asked(self, request: bytes) -> bytes:
        self._connection.sendall(request)
        answer = b""
        while (missing := _missing(answer)) != 0:
            piece = self._connection.recv(65536)
            assert piece, f"an answer was expected, not an end after {missing}"
            answer += piece
        return answer


def _missing(answer: bytes) -> int | None:
    """How many bytes of an answer are not there yet; None where one cannot tell."""
    top, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    found = _LENGTH.search(top)
    return int(found[1]) - len(body) if found else 0


def of_sessions(directory: Path, amount: Amount = Amount()) -> Chapter:
    """The chapter about sessions."""
    directory.mkdir()
    with server("bench.upstream") as upstream:
        weight, opened = _sessions(directory / "sessions", upstream.port, amount)
    return Chapter(
        "Idle sessions",
        f"Growth of the resident memory of the whole process by {amount.sessions:,} sessions that say nothing more. The exchange era has"
        " none: nothing of a client is held between its requests.",
        [Figure("idle session", weight, "KiB", AtMost(SESSION_KIB))],
        ["the first tenth", "the last tenth"],
        [Series("opening a session", "µs of processor time", opened)],
    )


def of_streams(directory: Path, amount: Amount = Amount()) -> Chapter:
    """The chapter about streams."""
    directory.mkdir()
    with server("bench.upstream") as upstream:
        weight, costs = _streams(directory / "streams", upstream.port, amount)
    return Chapter(
        "Open streams",
        f"Growth of the resident memory of the whole process by {amount.streams:,} subscriptions to changes of lists, each on a connection"
        " of its own; and what a call at one other connection costs beside them.",
        [Figure("open stream", weight, "KiB", AtMost(STREAM_KIB))],
        ["no streams", f"{amount.streams:,} streams"],
        [Series("a call", "µs of processor time", costs, MOST_TIME)],
    )


def _sessions(directory: Path, port: int, amount: Amount) -> tuple[float, list[float]]:
    """KiB of each idle session; and what it took to open one while there were few, and many."""
    print(f"{amount.sessions} sessions", file=sys.stderr)
    with _ready(directory, port) as (running, (key, *_)):
        caller = Caller(running, key)
        for _ in range(_WARM):
            caller.session()
        caller.calls(_WARM)
        before = _settled(running, amount)
        tenth = amount.sessions // 10
        times = []
        for _ in range(10):
            start = cpu_seconds(running.process.pid)
            for _ in range(tenth):
                caller.session()
            times.append(1e6 * (cpu_seconds(running.process.pid) - start) / tenth)
        grown = _settled(running, amount) - before
        held = len(running.admin.get("/v1/sessions")["sessions"])
        assert held == _WARM + 10 * tenth, held
        caller.close()
    return 1024 * grown / (10 * tenth), [times[0], times[-1]]


def _streams(directory: Path, port: int, amount: Amount) -> tuple[float, list[float]]:
    """KiB of each open stream; and what a call costs without and beside them."""
    print(f"{amount.streams} streams", file=sys.stderr)
    with _ready(directory, port, agents_for(amount.streams)) as (running, keys):
        caller = Caller(running, keys[0])
        caller.calls(amount.calls)
        alone = _cost(caller, amount.calls)
        with streams(running.port, keys, len(keys)):
            # Each agent's first stream finds out what it may see; that is kept for the agent, however many streams it has.
            pass
        before = _settled(running, amount)
        with streams(running.port, keys, amount.streams):
            grown = _settled(running, amount) - before
            beside = _cost(caller, amount.calls)
        caller.close()
    return 1024 * grown / amount.streams, [alone, beside]


def _cost(caller: Caller, count: int) -> float:
    """µs of the gateway's processor time a call: the least of three."""
    pid, costs = caller.running.process.pid, []
    for _ in range(3):
        start = cpu_seconds(pid)
        caller.calls(count)
        costs.append(1e6 * (cpu_seconds(pid) - start) / count)
    return min(costs)


def _settled(running: gateway.Gateway, amount: Amount) -> float:
    """The resident memory in MiB."""
    time.sleep(amount.settling)
    return memory_mib(running.process.pid)


@contextmanager
def _ready(directory: Path, port: int, agents: int = 1) -> Iterator[tuple[gateway.Gateway, Sequence[str]]]:
    document = gateway.calls_document(port)
    document["sessions"] = {"per_principal": 100_000, "overall": 100_000}
    path = gateway.write(directory, document, gateway.POLICIES, gateway.READING_POLICY)
    with gateway.running(path) as running:
        yield running, running.keys(agents)
