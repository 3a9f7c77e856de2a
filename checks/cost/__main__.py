"""Compares what calls cost with the committed baseline: `python -m checks.cost`; with `--write` the baseline is written anew."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import msgspec

from checks.cost.counting import Cost, cost
from checks.cost.works import WARM, WORKS, bench

BASELINE = Path(__file__).with_name("baseline.json")
RUNS = 15
MOST = 0.01
"""How much more than the baseline is no more than chance: what Python's own caches do."""
CHEAPER = 0.03
"""From here on a gain is worth a new baseline, so that it cannot be lost unnoticed."""

Costs = Mapping[str, Cost]


def measured() -> dict[str, Cost]:
    """What each work costs now."""
    loop = asyncio.new_event_loop()
    found: dict[str, Cost] = {}
    with bench(loop) as runner:
        for work in WORKS:
            run = runner(work)
            for _ in range(WARM):
                run()
            found[work.name] = cost(run, RUNS)
    loop.close()
    return found


def dearer(before: Costs, now: Costs) -> Iterator[str]:
    """What costs more than it may, is not in the baseline, or is no longer counted."""
    for name in before.keys() ^ now.keys():
        yield f"{name}: only in {'the baseline' if name in before else 'what is counted'}"
    for name, what, old, new in _pairs(before, now):
        if new > old * (1 + MOST) + 1:
            yield f"{name}: {new:,.0f} {what} instead of {old:,.0f} ({new / old - 1:+.1%})"


def cheaper(before: Costs, now: Costs) -> Iterator[str]:
    """What has become so much cheaper that its gain should be kept."""
    for name, what, old, new in _pairs(before, now):
        if new < old * (1 - CHEAPER):
            yield f"{name}: {new:,.0f} {what} instead of {old:,.0f} ({new / old - 1:+.1%})"


def _pairs(before: Costs, now: Costs) -> Iterator[tuple[str, str, float, float]]:
    for name in sorted(before.keys() & now.keys()):
        for field in fields(Cost):
            yield name, field.name, getattr(before[name], field.name), getattr(now[name], field.name)


def baselines() -> dict[str, dict[str, Cost]]:
    """What is committed, by the minor version of Python: the same source is other instructions in another one."""
    return msgspec.json.decode(BASELINE.read_bytes(), type=dict[str, dict[str, Cost]]) if BASELINE.exists() else {}


def main(arguments: list[str]) -> int:
    """Counts and compares, or writes; gives the exit code."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets decides which way some loops leave first.
        os.execve(sys.executable, [sys.executable, "-m", "checks.cost", *arguments], {**os.environ, "PYTHONHASHSEED": "0"})  # noqa: S606 -- itself
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    kept, now = baselines(), measured()
    if arguments == ["--write"]:
        text = msgspec.json.format(msgspec.json.encode({**kept, version: now}, order="sorted"), indent=2)
        BASELINE.write_bytes(text + b"\n")
        return 0
    if version not in kept:
        print(f"there is no baseline for Python {version}: python -m checks.cost --write makes it")
        return 0
    wrong = list(dearer(kept[version], now))
    for line in wrong:
        print(line)
    if wrong:
        print("If it is worth that, say why in the commit that has `python -m checks.cost --write` in it.")
        return 1
    for line in cheaper(kept[version], now):
        print(f"{line}: keep the gain with python -m checks.cost --write")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
