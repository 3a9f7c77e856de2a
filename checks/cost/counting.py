"""Counts what the interpreter does for some work: bytecode instructions, calls of Python functions, calls into C."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from types import CodeType, FrameType
from typing import Any

_LOOP = ("/asyncio/", "/selectors.py", "/checks/cost/")
"""Whose instructions do not count: those of the loop that stands in for the real one, and of what counts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of some work takes."""

    instructions: float
    calls: float
    c_calls: float


def cost(work: Callable[[], None], runs: int) -> Cost:
    """The cost of one run: the median of so many, for now and then one does something that is due after many.

    The work has been done often enough before for its caches to be full.
    """
    calls = [_calls(work) for _ in range(runs)]
    return Cost(
        instructions=median(_instructions(work) for _ in range(runs)),
        calls=median(python for python, _ in calls),
        c_calls=median(c for _, c in calls),
    )


def _instructions(work: Callable[[], None]) -> int:
    count = 0

    def step(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
        return step

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if not _counts(frame.f_code):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return step

    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


def _calls(work: Callable[[], None]) -> tuple[int, int]:
    calls = c_calls = 0

    def event_of(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls, c_calls
        if event == "call":
            calls += _counts(frame.f_code)
        elif event == "c_call":
            c_calls += _counts(frame.f_code)

    sys.setprofile(event_of)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls, c_calls


def _counts(code: CodeType) -> bool:
    return not any(part in code.co_filename for part in _LOOP)
