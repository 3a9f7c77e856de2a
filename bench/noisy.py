"""How long quiet agents wait alone, and beside some that ask as fast as they can over many connections. `python -m bench.noisy`."""

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
from bench.lines import Judge, Line, Load
from bench.load import Orders
from bench.measure import server
from bench.speech import ECHO, TAILS, Asking, Era, Target, fault_of_call

QUIET = 8
"""Quiet agents, who take turns: together they ask `PER_SECOND` times, each far below its pace."""
LINES = 4
"""Connections of each: enough for an answer to be a while under way when its agent asks again."""
PER_SECOND = 40
TOOL = f"{PLAIN}__{ECHO}"


@dataclass(frozen=True, slots=True)
class Setting:
    """Who is noisy, and what keeps them from it."""

    name: str
    admission: Mapping[str, int]
    agents: int = 1
    connections: int = 64
    """Of all of them together."""


_NO_PACE = {"calls_per_minute": 1_000_000, "burst": 1_000_000}
SETTINGS = (
    Setting("one, limits as they are by default", {}),
    Setting("one, no pace, 32 calls at once", _NO_PACE),
    Setting("eight, no pace, 16 calls of each at once", _NO_PACE, agents=8, connections=128),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and how long each time, alone and beside."""

    repeats: int
    seconds: float
    begin_seconds: float = 2.0
    """How long the noisy ones are at it before anything counts."""
    settings: int = 3
    """How many of the settings."""


ALONE = Pace(3, 5.0)
"""Where nothing else is measured."""
AMONG = Pace(1, 2.0)
"""Within `make bench`: all settings in half a minute."""
BRIEF = Pace(1, 0.5, 0.2, 1)
"""Long enough to see that it works."""


@dataclass(frozen=True, slots=True)
class Waits:
    """What the quiet agents saw, in milliseconds."""

    p50: float
    p99: float


def main() -> None:
    """Prints a row for each setting."""
    with server("bench.upstream") as upstream:
        print(" | ".join(HEAD))
        for row in rows(upstream.port, AMONG if "--quick" in sys.argv else ALONE):
            print(" | ".join(row), flush=True)


HEAD = ("noisy agents", "alone, p50 ms", "alone, p99 ms", "beside, p50 ms", "beside, p99 ms", "factor of p99")


def rows(port: int, pace: Pace) -> Iterator[tuple[str, ...]]:
    """A row for each setting, in front of an upstream at a port; this process stays on the core of the load from here on."""
    pin(LOAD_CORE)
    with tempfile.TemporaryDirectory(prefix="doorward-noisy-") as name:
        for number, setting in enumerate(SETTINGS[: pace.settings]):
            document = {**calls_document(port), "admission": setting.admission}
            with running(write(Path(name) / str(number), document, POLICIES, READING_POLICY)) as gateway:
                alone, beside = measured(gateway, setting, pace)
            told = [f"{milliseconds:.2f}" for waits in (alone, beside) for milliseconds in (waits.p50, waits.p99)]
            yield (setting.name, *told, f"{beside.p99 / alone.p99:.2f}")


def measured(gateway: Gateway, setting: Setting, pace: Pace) -> tuple[Waits, Waits]:
    """The medians of the quiet agents' waits, alone and beside the noisy ones, in turn."""
    keys = [_key(gateway, f"quiet-{number}") for number in range(QUIET)]
    noisy = tuple(_key(gateway, f"noisy-{number}") for number in range(setting.agents))
    alone: list[Waits] = []
    beside: list[Waits] = []
    for _ in range(pace.repeats):
        alone.append(uvloop.run(quiet(gateway.port, keys, pace.seconds)))
        with noise(gateway.port, noisy, setting.connections):
            time.sleep(pace.begin_seconds)
            beside.append(uvloop.run(quiet(gateway.port, keys, pace.seconds)))
    return _middle(alone), _middle(beside)


async def quiet(port: int, keys: Sequence[str], seconds: float) -> Waits:
    """The waits of agents who ask in turn; raises `RuntimeError` where one was answered wrongly."""
    load = Load()
    load.is_asking, load.first = False, 0.0
    lines = [await _line(load, port, key, f"quiet-{number}") for number, key in enumerate((*keys,) * LINES)]
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(int(PER_SECOND * seconds)):
        await asyncio.sleep(max(start + number / PER_SECOND - loop.time(), 0))
        lines[number % len(lines)].ask()
    await load.answered()
    if load.wrong:
        raise RuntimeError(f"{load.wrong} quiet calls were answered wrongly: {'; '.join(load.told)}")
    ordered = sorted(load.latencies)
    return Waits(percentile(ordered, 0.5) * 1000, percentile(ordered, 0.99) * 1000)


@contextmanager
def noise(port: int, keys: tuple[str, ...], connections: int) -> Iterator[None]:
    """While some agents ask as fast as they can. Their process steps back for the others of its core: it is not what is measured."""
    orders = Orders(port, "/mcp", Era.EXCHANGE, TOOL, ECHO, connections=connections, seconds=600.0, keys=keys)
    command = ["nice", "-n", "10", sys.executable, "-m", "bench.load"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin is not None
    try:
        process.stdin.write(msgspec.json.encode(orders))
        process.stdin.close()
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
