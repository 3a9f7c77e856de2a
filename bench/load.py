"""The load: a process that calls over N connections and believes no answer that it has not checked.

It reads orders from standard input and says on standard output what it saw, each a line of JSON. In a closed loop each connection calls
again as soon as it was answered, and what was answered within the measured time counts. In an open loop (`rate`) calls arrive by a
schedule; each that arrives within the measured time counts, from the moment at which it was due, so that waiting for others is not left out.
An answer counts only if it came with HTTP status 200, the id and the text of its own request, and no error.
"""

from __future__ import annotations

import asyncio
import gc
import http.client
import os
import secrets
import sys
import time
from collections.abc import Mapping

import msgspec
import uvloop

from bench.cores import LOAD_CORE, Reading, between, memory_mib, pin, reading
from bench.figures import percentile
from bench.lines import ANSWER_SECONDS, Judge, Line, Load
from bench.schedule import announce, arrivals
from bench.speech import INITIALIZED, TAILS, Asking, Era, Target, fault_of_call, fault_of_list, fault_of_stream, head, initialize

LOAD = "load"
"""What this process is called among those whose time is taken."""
_SWITCH_SECONDS = 0.0002
"""How long the loop may keep the thread waiting that announces arrivals."""
_SEED = 1
"""Arrivals come alike in each run."""
_SALT, _SALT_LENGTH = "qwxz", 16
"""Texts that nobody else sends; no two of these letters begin an account number (ISO 13616), which inspection would withhold."""


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
    """Agent keys or access tokens, which the connections share out."""
    watched: Mapping[str, int] = {}
    """Processes whose time is taken, by name."""
    rate: float = 0.0
    """Calls a second in an open loop; 0: closed."""
    progress: str = ""
    """The token under which each call asks for progress, and has to be told of it once."""
    headers: Mapping[str, str] = {}
    """What each request shows besides."""
    answer_seconds: float = ANSWER_SECONDS
    """How long an answer may take to come once nothing more is asked."""


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
    memory: Mapping[str, float] = {}
    """MiB of the watched processes at the end of the measured time."""
    mean: float = 0.0
    late: float = 0.0
    """In an open loop: the p99 of how late this process itself heard of arrivals."""


async def run(orders: Orders) -> Seen:
    """Does one measurement."""
    salt = "".join(secrets.choice(_SALT) for _ in range(_SALT_LENGTH))
    load = Load()
    lines = [await _line(load, orders, number, salt) for number in range(orders.connections)]
    watched = {**orders.watched, LOAD: os.getpid()}
    begin = time.perf_counter() + orders.warm_seconds
    if orders.rate:
        load.opened(lines)
        load.first, load.last = begin, begin + orders.seconds
        announced = announce(arrivals(orders.rate, orders.warm_seconds + orders.seconds, _SEED), begin - orders.warm_seconds, load.arrive)
    else:
        announced = None
        for line in lines:
            line.ask()
    await asyncio.sleep(orders.warm_seconds)
    before, start = reading(watched), time.perf_counter()
    load.first = min(load.first, start)
    await asyncio.sleep(orders.seconds)
    load.last = min(load.last, time.perf_counter())
    seconds, after, memory = time.perf_counter() - start, reading(watched), {name: memory_mib(process) for name, process in watched.items()}
    load.is_asking = False
    if announced is not None:
        await asyncio.to_thread(announced.join)
        await asyncio.sleep(0)
    await load.answered(orders.answer_seconds)
    for line in lines:
        line.close()
    ordered = sorted(load.latencies)
    return Seen(
        calls=len(ordered),
        seconds=orders.seconds if orders.rate else seconds,
        p50=percentile(ordered, 0.5),
        p90=percentile(ordered, 0.9),
        p99=percentile(ordered, 0.99),
        longest=percentile(ordered, 1),
        wrong=load.wrong,
        told=tuple(load.told),
        spent=between(before, after),
        memory=memory,
        mean=sum(ordered) / len(ordered) if ordered else 0.0,
        late=percentile(sorted(load.late), 0.99),
    )


async def _line(load: Load, orders: Orders, number: int, salt: str) -> Line:
    key = orders.keys[number % len(orders.keys)] if orders.keys else ""
    target = Target(orders.port, orders.path, orders.era, key, progress=orders.progress, more=tuple(orders.headers.items()))
    if orders.era is Era.SESSION:
        target = msgspec.structs.replace(target, session=await asyncio.to_thread(open_session, target, orders.answer_seconds))
    asking = Asking(target, orders.tool, f"{salt}-{number}")
    line = Line(load, asking, _judge(orders, asking))
    await asyncio.get_running_loop().create_connection(lambda: line, "127.0.0.1", orders.port)
    return line


def _judge(orders: Orders, asking: Asking) -> Judge:
    if not orders.tool:
        return lambda body, number: fault_of_list(body, number, orders.tools)
    tail = TAILS[orders.says]
    if orders.progress:
        return lambda body, number: fault_of_stream(body, number, asking.marker(number) + tail, orders.progress)
    return lambda body, number: fault_of_call(body, number, asking.marker(number) + tail)


def open_session(target: Target, answer_seconds: float = ANSWER_SECONDS) -> str:
    """The id of a new session, empty where the server gives it none; raises `RuntimeError` where none is opened."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=answer_seconds)
    try:
        answer = _post(connection, target, "initialize", initialize())
        session = answer.getheader("mcp-session-id") or ""
        if answer.status != 200:
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
    """Measures once for each line of orders."""
    pin(LOAD_CORE)
    gc.disable()
    sys.setswitchinterval(_SWITCH_SECONDS)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(msgspec.json.decode(line, type=Orders)))) + b"\n")
        sys.stdout.buffer.flush()
        gc.collect()


if __name__ == "__main__":
    main()
