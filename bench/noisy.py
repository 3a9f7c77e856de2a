"""How long quiet agents wait alone, and beside one that asks as fast as it can over 64 connections. `python -m bench.noisy`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import uvloop

from bench.cores import LOAD_CORE, pin
from bench.figures import percentile
from bench.gateway import PLAIN, POLICIES, READING_POLICY, TEAM, Gateway, calls_document, running, write
from bench.load import ANSWER_SECONDS, Judge, Line, Load, Orders
from bench.run import SETTLE_SECONDS, server
from bench.speech import ECHO, TAILS, Asking, Era, Target, fault_of_call

QUIET = 8
"""Quiet agents, who take turns: together they ask `PER_SECOND` times, each far below its pace."""
LINES = 4
"""Connections of each: enough for an answer to be a while under way when its agent asks again."""
PER_SECOND = 40
NOISY = 64
"""Connections of the noisy agent."""
REPEATS = 3
SECONDS = 5.0
TOOL = f"{PLAIN}__{ECHO}"

SETTINGS: Mapping[str, Mapping[str, int]] = {
    "limits as they are by default": {},
    "no pace, and 32 calls at once": {"calls_per_minute": 1_000_000, "burst": 1_000_000},
    "no pace, and 4 calls at once": {"calls_per_minute": 1_000_000, "burst": 1_000_000, "concurrent": 4},
}


@dataclass(frozen=True, slots=True)
class Waits:
    """What the quiet agents saw, in milliseconds."""

    p50: float
    p99: float


def main() -> None:
    """Prints a row for each setting."""
    pin(LOAD_CORE)
    print("setting | alone p50, p99 ms | beside p50, p99 ms | factor of p99")
    with tempfile.TemporaryDirectory(prefix="doorward-noisy-") as name, server("bench.upstream") as upstream:
        for number, (setting, admission) in enumerate(SETTINGS.items()):
            document = {**calls_document(upstream.port), "admission": admission}
            with running(write(Path(name) / str(number), document, POLICIES, READING_POLICY)) as gateway:
                alone, beside = measured(gateway)
            told = [f"{waits.p50:.2f}, {waits.p99:.2f}" for waits in (alone, beside)]
            print(f"{setting} | {' | '.join(told)} | {beside.p99 / alone.p99:.2f}", flush=True)


def measured(gateway: Gateway) -> tuple[Waits, Waits]:
    """The medians of the quiet agents' waits, alone and beside the noisy one, in turn."""
    keys, noisy = [_key(gateway, f"quiet-{number}") for number in range(QUIET)], _key(gateway, "noisy")
    alone: list[Waits] = []
    beside: list[Waits] = []
    for _ in range(REPEATS):
        alone.append(uvloop.run(quiet(gateway.port, keys)))
        with noise(gateway.port, noisy):
            beside.append(uvloop.run(quiet(gateway.port, keys)))
    return _middle(alone), _middle(beside)


async def quiet(port: int, keys: Sequence[str]) -> Waits:
    """The waits of agents who ask in turn; raises `RuntimeError` where one was answered wrongly."""
    load = Load()
    load.is_asking, load.is_counting = False, True
    lines = [await _line(load, port, key, f"quiet-{number}") for number, key in enumerate((*keys,) * LINES)]
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(int(PER_SECOND * SECONDS)):
        await asyncio.sleep(max(start + number / PER_SECOND - loop.time(), 0))
        lines[number % len(lines)].ask()
    load.ended.clear()
    if load.open:
        await asyncio.wait_for(load.ended.wait(), ANSWER_SECONDS)
    if load.wrong:
        raise RuntimeError(f"{load.wrong} quiet calls were answered wrongly: {'; '.join(load.told)}")
    ordered = sorted(load.latencies)
    return Waits(percentile(ordered, 0.5) * 1000, percentile(ordered, 0.99) * 1000)


@contextmanager
def noise(port: int, key: str) -> Iterator[None]:
    """While one agent asks as fast as it can. Its process steps back for the others of its core: it is not what is measured."""
    orders = Orders(port, "/mcp", Era.EXCHANGE, TOOL, ECHO, connections=NOISY, seconds=600.0, keys=(key,))
    command = ["nice", "-n", "10", sys.executable, "-m", "bench.load"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(orders))
        process.stdin.close()
        time.sleep(SETTLE_SECONDS)
        yield
    finally:
        process.terminate()
        process.wait(10)


async def _line(load: Load, port: int, key: str, salt: str) -> Line:
    asking = Asking(Target(port, "/mcp", Era.EXCHANGE, key), TOOL, salt)
    line = Line(load, asking, _judge(asking))
    await asyncio.get_running_loop().create_connection(lambda: line, "127.0.0.1", port)
    return line


def _judge(asking: Asking) -> Judge:
    return lambda body, number: fault_of_call(body, number, asking.marker(number) + TAILS[ECHO])


def _key(gateway: Gateway, name: str) -> str:
    return str(gateway.admin.post("/v1/agents", {"id": name, "team": TEAM, "owner": "bench"})["key"])


def _middle(seen: Sequence[Waits]) -> Waits:
    return Waits(median(one.p50 for one in seen), median(one.p99 for one in seen))


if __name__ == "__main__":
    main()
