"""The adapter: one function for each sort of scenario that a gateway meets; the others are left unknown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.defence import delegated, door, operated, traffic
from bench.defence.verdict import Fixture, Verdict

ASSESS: Mapping[str, Callable[[Fixture], Awaitable[Verdict]]] = {
    "benign-tool-definition": traffic.tool_definition,
    "malicious-tool-definition": traffic.tool_definition,
    "multi-server-registry": traffic.registry,
    "list-result": traffic.tool_list,
    "definition-change": traffic.change,
    "cache-invalidation": traffic.stale,
    "tool-call": traffic.call,
    "benign-tool-result": traffic.result,
    "malicious-tool-result": traffic.result,
    "tool-call-sequence": traffic.sequence,
    "input-required-result": traffic.asks,
    "ui-resource": traffic.page,
    "http-request": door.request,
    "http-request-sequence": door.requests,
    "scenario": door.scenario,
    "mrtr-retry": door.retry,
    "delegated-request": delegated.request,
    "config-snapshot-diff": operated.reload,
    "server-identity": operated.moved,
    "registry-resolution": operated.resolved,
}


class Doorward:
    """Doorward with what it does by default, and the one preset that asks about destinations."""

    meta: Mapping[str, Any] = {"tool": "doorward", "class": "gateway", "reproducible": True, "fixtureTypes": list(ASSESS)}

    async def assess(self, fixture: Fixture, case: Mapping[str, Any]) -> dict[str, Any]:
        """What Doorward does about one scenario."""
        return (await ASSESS[fixture["type"]](fixture)).asdict()
