"""The limits in force over the admin API."""

from pathlib import Path

import pytest

from doorward.domain.ids import AgentId
from tests.control.plane import DOCUMENT, plane
from tests.made import call, principal, target

pytestmark = pytest.mark.anyio

LIMITS = {
    "commits": {"of": {"tools": ["git/commit"]}, "per": ["agent", "tool"], "rate": {"calls": 6, "seconds": 30, "burst": 2}},
    "running": {"per": [], "concurrent": 9, "when_unavailable": "allow"},
}


async def test_limits_are_listed_with_the_keys_that_come_nearest_to_them(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, "limits": LIMITS}) as it:
        it.gate.admit(call())
        it.gate.admit(call(by=principal("other"), to=target(name="push")))
        status, listed = await it.ask("GET", "/v1/limits")
        assert status == 200
        agents = [{"key": {"agent": "claude"}, "used": 1}, {"key": {"agent": "other"}, "used": 1}]
        built_in: dict[str, object] = {"of": {}, "bytes": None, "when_unavailable": "deny"}
        pace, concurrent, in_flight, _, _, _, commits, running = listed["limits"]
        for one, most in ((pace, 100), (concurrent, 32)):
            assert sorted(one.pop("busiest"), key=lambda busy: busy["key"]["agent"]) == [{**agent, "left": most - 1} for agent in agents]
        assert pace == {
            "name": "admission.calls_per_minute",
            "per": ["agent"],
            "rate": {"calls": 600, "seconds": 60, "burst": 100},
            "concurrent": None,
            **built_in,
        }
        assert concurrent == {"name": "admission.concurrent", "per": ["agent"], "rate": None, "concurrent": 32, **built_in}
        assert in_flight == {
            "name": "admission.in_flight",
            "per": [],
            "rate": None,
            "concurrent": 1024,
            "busiest": [{"key": {}, "used": 2, "left": 1022}],
            **built_in,
        }
        assert commits == {
            "name": "commits",
            "of": {"tools": ["git/commit"]},
            "per": ["agent", "tool"],
            "rate": {"calls": 6, "seconds": 30, "burst": 2},
            "concurrent": None,
            "bytes": None,
            "when_unavailable": "deny",
            "busiest": [{"key": {"agent": "claude", "tool": "git/commit"}, "used": 1, "left": 1}],
        }
        assert running == {
            "name": "running",
            "of": {},
            "per": [],
            "rate": None,
            "concurrent": 9,
            "bytes": None,
            "when_unavailable": "allow",
            "busiest": [{"key": {}, "used": 2, "left": 7}],
        }


async def test_what_is_in_the_door_is_listed_with_the_agents_for_which_most_bytes_are_kept(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, "admission": {"requests": 5, "bytes_in_flight_per_agent": 2**21}}) as it:
        for agent, count in (("claude", 100), ("other", 2000), ("claude", 300)):
            it.gate.intake.enter().claim(AgentId(agent), count)
        it.gate.intake.enter()
        _, listed = await it.ask("GET", "/v1/limits")
        built_in: dict[str, object] = {"of": {}, "rate": None, "when_unavailable": "deny"}
        assert listed["limits"][3:] == [
            {
                "name": "admission.requests",
                "per": [],
                "concurrent": 5,
                "bytes": None,
                "busiest": [{"key": {}, "used": 4, "left": 1}],
                **built_in,
            },
            {
                "name": "admission.bytes_in_flight",
                "per": [],
                "concurrent": None,
                "bytes": 512 * 2**20,
                "busiest": [{"key": {}, "used": 2400, "left": 512 * 2**20 - 2400}],
                **built_in,
            },
            {
                "name": "admission.bytes_in_flight_per_agent",
                "per": ["agent"],
                "concurrent": None,
                "bytes": 2**21,
                "busiest": [
                    {"key": {"agent": "other"}, "used": 2000, "left": 2**21 - 2000},
                    {"key": {"agent": "claude"}, "used": 400, "left": 2**21 - 400},
                ],
                **built_in,
            },
        ]
