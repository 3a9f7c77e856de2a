"""What a decision costs under 10 and under 1,000 policies that read arguments and time, and what it costs to make them ready.

`python -m bench.policies` prints it, for one core.
"""

from __future__ import annotations

import gc
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from statistics import median, quantiles

from bench.cores import GATEWAY_CORE, pin
from doorward.domain.actors import Agent, AuthnMethod, Principal
from doorward.domain.calls import Call
from doorward.domain.catalog import Kind, Reversibility, Target
from doorward.domain.decisions import Allow
from doorward.domain.ids import AgentId, CallId, Digest, InstanceId, TeamId, UpstreamId
from doorward.policy.engine import Policies
from doorward.policy.engine import compile as compile_policies
from doorward.policy.question import Moment
from doorward.policy.rules import Source
from doorward.policy.schema import SchemaEntry

COUNTS = (10, 1_000)
DECISIONS = 20_000
TOOLS = 400
"""Approved, whether policies name them or not."""
FEW = 4
"""Tools that all policies are about, where it is the principals that differ."""
TEAMS = 250
OWN = 10
"""Tools that one agent calls."""
_NOON = 1_795_003_200
_READ = (
    'context.input has path && context.input.path like "/srv/reports/*" && context.input.amount <= 500 && '
    "context.time.hour >= 8 && context.time.hour < 18"
)
_SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "amount": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["path", "amount"],
}


@dataclass(frozen=True, slots=True)
class Spread:
    """How the policies of one measurement are spread: over tools, over principals, by what they say in their conditions."""

    name: str
    scope: Callable[[int], str]
    """Of the policy of this number."""
    condition: Callable[[int], str]
    tools: int
    """Called, of the approved."""


def _by_tool(number: int) -> str:
    return f'principal, action == Action::"up/tool{number % TOOLS}", resource'


def _by_team(number: int) -> str:
    return f'principal in Team::"team{number % TEAMS}", action == Action::"up/tool{number // TEAMS % FEW}", resource'


def _by_nothing(number: int) -> str:
    return "principal, action, resource"


SPREADS = (
    Spread("over 400 tools", _by_tool, lambda _: _READ, TOOLS),
    Spread("on 4 tools, over 250 teams", _by_team, lambda _: _READ, FEW),
    Spread("on everything, told apart by condition", _by_nothing, lambda number: f'principal.name == "agent{number}" && {_READ}', FEW),
)


def text_of(spread: Spread, count: int) -> str:
    """So many policies: one that permits small things to everybody, permits, and every tenth a `forbid` of what is huge."""
    texts = ['@id("small") @reason("Small things.") permit (principal, action, resource) when { context.input has amount };']
    for number in range(count - 1):
        effect, more = ("forbid", " && context.input.amount > 900000") if number % 10 == 9 else ("permit", "")
        condition = f"{spread.condition(number)}{more}"
        texts.append(f'@id("p{number}") @reason("Because.") {effect} ({spread.scope(number)}) when {{ {condition} }};')
    return "\n".join(texts)


def compiled(text: str) -> Policies:
    """Policies over the approved tools."""
    entries = [SchemaEntry(target(number), _SCHEMA) for number in range(TOOLS)]
    made = compile_policies([Source("bench.cedar", text)], entries, [UpstreamId("up")])
    if not isinstance(made, Policies):
        raise TypeError(str(made.items[0]))
    return made


def target(number: int) -> Target:
    """One tool."""
    groups = frozenset({"write"})
    return Target(UpstreamId("up"), Kind.TOOL, f"tool{number}", Digest("0" * 64), TeamId("ops"), groups, Reversibility.REVERSIBLE)


def questions(spread: Spread) -> Iterator[Call]:
    """Calls of 500 agents in 250 teams, of ten tools by each, every time with other arguments."""
    dice = random.Random(7)
    for _ in range(DECISIONS):
        number = dice.randrange(2 * TEAMS)
        who = Agent(AgentId(f"agent{number}"), "bob", TeamId(f"team{number % TEAMS}"), "desktop")
        principal = Principal(who, None, (), AuthnMethod.AGENT_KEY, InstanceId("i"), "key", "10.1.2.3")
        arguments = {"path": f"/srv/reports/{dice.randrange(10**6)}", "amount": dice.randrange(1_000), "note": "x" * 100}
        what = target((7 * number + dice.randrange(OWN)) % spread.tools)
        yield Call(CallId("0" * 26), principal, what, "tools/call", arguments, {}, b"", Digest("1" * 64))


@dataclass(frozen=True, slots=True)
class Figures:
    """Microseconds of processor time of a decision, seconds until the policies are ready, and the MiB that they take then."""

    half: float
    most: float
    first: float
    """Of an agent's first call of a tool."""
    compiling: float
    megabytes: float

    def __str__(self) -> str:
        return (
            f"p50 {self.half:6.1f} µs   p99 {self.most:6.1f} µs   of a first call {self.first:7.1f} µs   "
            f"ready in {self.compiling:5.2f} s   {self.megabytes:5.1f} MiB"
        )


def measure(spread: Spread, count: int) -> Figures:
    """The figures of one set: every decision by itself, after one look at each pair of agent and tool."""
    text, before = text_of(spread, count), _resident()
    began = time.thread_time()
    subject = compiled(text)
    compiling, taken = time.thread_time() - began, _resident() - before
    asked = tuple(questions(spread))
    pairs = {(call.principal.agent.id, call.target.name): call for call in asked}
    firsts = _timed(subject, tuple(pairs.values()))
    gc.collect()
    found = _timed(subject, asked)
    cuts = quantiles(found, n=100)
    return Figures(cuts[49], cuts[98], median(firsts), compiling, taken)


def _timed(subject: Policies, asked: Sequence[Call]) -> list[float]:
    """Microseconds of each decision."""
    found = []
    for number, call in enumerate(asked):
        at = Moment(_NOON + number, UTC)
        began = time.thread_time_ns()
        decision = subject.decide(call, at)
        found.append((time.thread_time_ns() - began) / 1_000)
        if not isinstance(decision, Allow):
            raise TypeError(decision.reason)
    return found


def _resident() -> float:
    """MiB of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main(words: Sequence[str]) -> None:
    """Prints a line for each spread and count, each measured in a process of its own; or the line of the two numbers given."""
    if words:
        pin(GATEWAY_CORE)
        compiled(text_of(SPREADS[0], 1))  # what is loaded once is no policy's
        spread, count = SPREADS[int(words[0])], int(words[1])
        print(f"{count:5} policies {spread.name:40} {measure(spread, count)}")
        return
    for number in range(len(SPREADS)):
        for count in COUNTS:
            subprocess.run([sys.executable, "-m", "bench.policies", str(number), str(count)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
