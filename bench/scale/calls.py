"""The chapter about calls: what one costs with 10, 100 and 1,000 agents, tools and policies, everything on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.measure import server
from bench.scale import crowd, inside
from bench.scale.crowd import Crowd
from bench.scale.figures import Chapter, Series
from bench.scale.inside import Cost

STEPS = (10, 100, 1_000)
COUNT = 1_000
"""Calls of one measurement, and all agents and tools once before."""
MOST_CALLS, MOST_TIME = 1.05, 1.3
"""By how much a call may grow over all steps: counted exactly, and timed on a machine that others may use."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What there is more and more of."""

    name: str
    of: Callable[[int], Crowd]
    is_bound: bool = True


KINDS = (
    Kind("agents", lambda number: Crowd(agents=number)),
    Kind("tools", lambda number: Crowd(tools=number)),
    Kind("policies about other agents and tools", lambda number: Crowd(tools=100, policies=number, aims=1)),
    Kind("agents, tools and policies", lambda number: Crowd(number, number, number)),
    Kind("policies about the tool that is called", lambda number: Crowd(tools=1, policies=number), is_bound=False),
)


def chapter(directory: Path, steps: Sequence[int] = STEPS, count: int = COUNT) -> Chapter:
    """Measures each kind at each step, one gateway after another."""
    directory.mkdir()
    series: list[Series] = []
    with server("bench.scale.upstream") as upstream:
        for place, kind in enumerate(KINDS):
            print(f"calls with more {kind.name}", file=sys.stderr)
            series += _series(kind, [_cost(directory / f"{place}-{number}", kind.of(number), upstream.port, count) for number in steps])
    return Chapter(
        "The cost of a call",
        f"A whole governed call of 200 bytes inside one process, {inside.TOGETHER} at a time, with agent keys, policies, inspection and two"
        f" durable leaves; {STEPS[0]} of whatever does not grow. A third of the policies is about agents, a third about tools, a third reads an"
        " argument. Python calls are those of the loop's thread, µs those of the whole process.",
        (),
        [f"{number:,}" for number in steps],
        series,
    )


def _series(kind: Kind, costs: Sequence[Cost]) -> list[Series]:
    calls, times = [cost.calls for cost in costs], [cost.microseconds for cost in costs]
    counted, timed = (MOST_CALLS, MOST_TIME) if kind.is_bound else (None, None)
    return [Series(f"more {kind.name}", "Python calls", calls, counted), Series("the same", "µs", times, timed)]


def _cost(directory: Path, many: Crowd, port: int, count: int) -> Cost:
    path = crowd.write(directory, many, port)
    numbers = [str(number) for number in (many.agents, many.tools, many.policies, count)]
    said = subprocess.run([sys.executable, "-m", "bench.scale.inside", str(path), *numbers], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(said.stdout, type=Cost)
