"""A gateway with many agents, tools and policies: its document, its policies, and who calls what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import gateway
from bench.scale.upstream import named

SHARE = 250
"""Tools of one upstream."""
_READING = 2
"""The first policy that reads an argument."""
_TEAMS = 50
"""Over which the policies about agents are spread."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many of each there are."""

    agents: int = 10
    tools: int = 10
    policies: int = 10
    aims: int = 1_000_000
    """How many of the tools are called, from the first on; but for one policy, those about tools are then about the others."""

    @property
    def upstreams(self) -> Iterator[range]:
        """The tools of each upstream."""
        for first in range(0, self.tools, SHARE):
            yield range(first, min(first + SHARE, self.tools))

    @property
    def called(self) -> list[str]:
        """The tools that are called, as agents say it."""
        return [f"records-{tools.start}__{named(number)}" for tools in self.upstreams for number in tools if number < self.aims]

    @property
    def pairs(self) -> list[tuple[int, str]]:
        """Who calls what, by the agent's number: each agent and each tool at least once."""
        called = self.called
        return [(number % self.agents, called[number % len(called)]) for number in range(max(self.agents, len(called)))]

    def about(self, number: int) -> int:
        """The tool that a policy is about."""
        if self.aims >= self.tools:
            return number % self.tools
        return 0 if number == _READING else self.aims + number % (self.tools - self.aims)


def document(crowd: Crowd, port: int) -> dict[str, Any]:
    """Everything on, and as many upstreams as it takes."""
    whole = gateway.calls_document(port)
    return {**whole, "upstreams": {f"records-{tools.start}": _upstream(tools, port) for tools in crowd.upstreams}}


def _upstream(tools: range, port: int) -> dict[str, object]:
    return {
        "url": f"http://127.0.0.1:{port}/tools/{tools.start}-{tools.stop}",
        "plain_http": True,
        "private": True,
        "trust": "first-use",
        "team": "shared",
        "tools": {named(number): {"groups": ["read"], "reversibility": "read"} for number in tools},
    }


def policies(crowd: Crowd) -> str:
    """One that permits, and as many others as it takes: in turn about a team, about a tool, and about an argument of a tool."""
    return "\n".join([_PERMIT, *[_forbid(number, crowd) for number in range(crowd.policies - 1)]])


_PERMIT = f'@id("reads")\n@reason("The team may read.")\npermit (principal in Team::"{gateway.TEAM}", action in Action::"read", resource);'


def _forbid(number: int, crowd: Crowd) -> str:
    tool = crowd.about(number)
    action = f'action == Action::"records-{tool // SHARE * SHARE}/{named(tool)}"'
    head = f'@id("rule-{number}")\n@reason("Rule {number}.")\nforbid '
    match number % 3:
        case 0:
            return head + f'(principal in Team::"team-{number % _TEAMS}", action, resource in Team::"finance-{number}");'
        case 1:
            return head + f'(principal in Team::"team-{number % _TEAMS}", {action}, resource);'
        case _:
            return head + f'(principal, {action}, resource) when {{ context.input.text like "*secret-{number}*" }};'


def write(directory: Path, crowd: Crowd, port: int) -> Path:
    """Writes both; gives the document's path."""
    return gateway.write(directory, document(crowd, port), policies(crowd))
