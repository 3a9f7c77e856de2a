"""mcp-defense-bench, an independent benchmark of defences of MCP: what Doorward does about its scenarios, vector by vector."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.defence.adapter import Doorward
from bench.detect.port import Family, Goal

SCENARIOS = Path(__file__).resolve().parents[2] / ".venvs" / "detection"
"""The environment that holds the scenarios of others (peers/versions.toml, `alone`)."""


def scenarios(package: str) -> Any:
    """A package of scenarios."""
    [place] = SCENARIOS.glob("lib/python*/site-packages")
    if str(place) not in sys.path:
        sys.path.append(str(place))
    return import_module(package)


def families() -> Iterator[Family]:
    """The coverage of all vectors, each vector, and how much harmless traffic is touched."""
    run = scenarios("mcp_defense_bench").run
    dev = run(Doorward(), "dev")
    vectors = dev["coverage"]
    whole = round(dev["summary"]["robustCoverage"] * 100)
    note = "hundredths of a vector, each the mean over its scenarios; 29 of 37 is the bound"
    yield Family("defence", "mcp-defense-bench, all vectors", len(vectors) * 100, whole, Goal.AT_LEAST, 29 / 37, note, is_sample=False)
    for name, found in sorted(vectors.items()):
        yield Family("defence", name, 100, round(found["robustCoverage"] * 100), note=found["level"], is_sample=False)
    benign = run(Doorward(), "benign")["summary"]
    yield Family("defence", "harmless traffic", benign["items"], benign["falsePositives"], Goal.AT_MOST, 0.01)
