"""The load: a process that calls over N connections, each as soon as it was answered, and believes no answer that it has not checked.

It reads its orders from standard input and says on standard output what it saw, both as one JSON object. An answer counts only if it
came within the measured time with HTTP status 200, the id and the text of its own request, and no error.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import os
import secrets
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from itertools import count

import httptools
import msgspec
import uvloop

from bench.cores import LOAD_CORE, Reading, between, pin, reading
from bench.figures import percentile
from bench.speech import FIRST, INITIALIZED, TAILS, Asking, Era, Target, fault_of_call, fault_of_list, head, initialize

ANSWER_SECONDS = 5.0
"""How long an answer may take to come once nothing more is asked."""
LOAD = "load"
"""What this process is called among those whose time is taken."""
_TOLD = 5
"""Wrong answers that are told in full; the others are counted."""


class Orders(msgspec.Struct, frozen=True):
    """One measurement."""

    port: int
    path: str
    era: Era
    tool: str
    """Under the name that it has at this address; empty asks for the list of tools."""
    says: str = ""
    """Which tail the tool says; empty for the list."""
    tools: int = 0
    """How many the list has to show."""
    connections: int = 1
    warm_seconds: float = 0.5
    seconds: float = 3.0
    keys: tuple[str, ...] = ()
    """Agent keys, which the connections share out."""
    watched: Mapping[str, int] = {}
    """Processes whose time is taken, by name."""


class Seen(msgspec.Struct, frozen=True):
    """What came of one measurement; times in seconds."""

    calls: int
    seconds: float
    p50: float
    p90: float
    p99: float
    longest: float
    wrong: int
    told: tuple[str, ...]
    """The first wrong answers."""
    spent: Reading


class Load:
    """What all connections share."""

    __slots__ = ("ended", "is_asking", "is_counting", "latencies", "numbers", "open", "told", "wrong")

    def __init__(self) -> None:
        self.is_asking = True
        self.is_counting = False
        self.latencies = array("d")
        self.numbers = count(FIRST)
        self.wrong = 0
        self.told: list[str] = []
        self.open = 0
        """Requests without an answer."""
        self.ended = asyncio.Event()

    def refuse(self, why: str) -> None:
        """Notes a wrong answer."""
        self.wrong += 1
        if len(self.told) < _TOLD:
            self.told.append(why)

    def closed(self) -> None:
        """One request less is open."""
        self.open -= 1
        if not self.open:
            self.ended.set()


Judge = Callable[[bytes, int], str | None]
"""What is wrong with the body of an answer to the request of this number."""


class Line(asyncio.Protocol):
    """One connection: asks, checks the answer, asks again."""

    __slots__ = ("_asking", "_is_busy", "_judge", "_load", "_number", "_parser", "_pieces", "_sent", "_transport")

    def __init__(self, load: Load, asking: Asking, judge: Judge) -> None:
        self._load = load
        self._asking = asking
        self._judge = judge
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._is_busy = False
        self._number = 0
        self._sent = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Connected; nothing is asked yet."""
        self._transport = transport

    def ask(self) -> None:
        """Sends the next request."""
        assert self._transport is not None
        if not self._is_busy:
            self._is_busy = True
            self._load.open += 1
        self._number = next(self._load.numbers)
        self._sent = time.perf_counter()
        self._transport.write(self._asking.request(self._number))

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._end(f"an answer was expected, not {data[:300]!r} ({error})")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody else ends a connection while a request is open."""
        if self._is_busy:
            self._end("the connection was lost")

    def on_body(self, piece: bytes) -> None:
        """Some of a body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        took = time.perf_counter() - self._sent
        body = b"".join(self._pieces)
        self._pieces.clear()
        load, status = self._load, self._parser.get_status_code()
        fault = self._judge(body, self._number) if status == 200 else f"status 200 was expected, not {status} {body[:300]!r}"
        if not self._is_busy:
            fault = f"no answer was expected, {body[:300]!r} came"
        if fault is not None:
            load.refuse(fault)
        elif load.is_counting:
            load.latencies.append(took)
        if load.is_asking and self._is_busy:
            self.ask()
        else:
            self._idle()

    def _end(self, why: str) -> None:
        self._load.refuse(why)
        self._idle()
        if self._transport is not None:
            self._transport.abort()

    def _idle(self) -> None:
        if self._is_busy:
            self._is_busy = False
            self._load.closed()


async def run(orders: Orders) -> Seen:
    """Does one measurement."""
    salt = secrets.token_hex(4)
    load = Load()
    lines = [await _line(load, orders, number, salt) for number in range(orders.connections)]
    for line in lines:
        line.ask()
    await asyncio.sleep(orders.warm_seconds)
    watched = {**orders.watched, LOAD: os.getpid()}
    before, start = reading(watched), time.perf_counter()
    load.is_counting = True
    await asyncio.sleep(orders.seconds)
    load.is_counting = False
    seconds, after = time.perf_counter() - start, reading(watched)
    load.is_asking = False
    await _answered(load)
    ordered = sorted(load.latencies)
    return Seen(
        calls=len(ordered),
        seconds=seconds,
        p50=percentile(ordered, 0.5),
        p90=percentile(ordered, 0.9),
        p99=percentile(ordered, 0.99),
        longest=percentile(ordered, 1),
        wrong=load.wrong,
        told=tuple(load.told),
        spent=between(before, after),
    )


async def _answered(load: Load) -> None:
    """Waits until every request was answered; those that are not are wrong."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await (load.ended.wait() if load.open else asyncio.sleep(0))
    except TimeoutError:
        for _ in range(load.open):
            load.refuse("no answer came")


async def _line(load: Load, orders: Orders, number: int, salt: str) -> Line:
    key = orders.keys[number % len(orders.keys)] if orders.keys else ""
    target = Target(orders.port, orders.path, orders.era, key)
    if orders.era is Era.SESSION:
        target = msgspec.structs.replace(target, session=await asyncio.to_thread(open_session, target))
    asking = Asking(target, orders.tool, f"{salt}-{number}")
    line = Line(load, asking, _judge(orders, asking))
    await asyncio.get_running_loop().create_connection(lambda: line, "127.0.0.1", orders.port)
    return line


def _judge(orders: Orders, asking: Asking) -> Judge:
    if not orders.tool:
        return lambda body, number: fault_of_list(body, number, orders.tools)
    tail = TAILS[orders.says]
    return lambda body, number: fault_of_call(body, number, asking.marker(number) + tail)


def open_session(target: Target) -> str:
    """The id of a new session; raises `RuntimeError` where none is opened."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=ANSWER_SECONDS)
    try:
        answer = _post(connection, target, "initialize", initialize())
        session = answer.getheader("mcp-session-id") or ""
        if answer.status != 200 or not session:
            raise RuntimeError(f"a session was expected, not status {answer.status}")
        _post(connection, msgspec.structs.replace(target, session=session), "notifications/initialized", INITIALIZED)
        return session
    finally:
        connection.close()


def _post(connection: http.client.HTTPConnection, target: Target, method: str, body: bytes) -> http.client.HTTPResponse:
    lines = head(target, method, "", len(body)).decode("ascii").split("\r\n")[1:-2]
    connection.request("POST", target.path, body, dict(line.split(": ", 1) for line in lines))
    answer = connection.getresponse()
    answer.read()
    return answer


def main() -> None:
    """Measures once."""
    pin(LOAD_CORE)
    gc.disable()
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(orders))))


if __name__ == "__main__":
    main()
