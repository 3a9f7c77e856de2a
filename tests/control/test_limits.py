"""The limits in force over the admin API."""

from pathlib import Path

import pytest

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
        built_in = {"of": {}, "when_unavailable": "deny"}
        pace, concurrent, in_flight, commits, running = listed["limits"]
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
            "when_unavailable": "deny",
            "busiest": [{"key": {"agent": "claude", "tool": "git/commit"}, "used": 1, "left": 1}],
        }
        assert running == {
            "name": "running",
            "of": {},
            "per": [],
            "rate": None,
            "concurrent": 9,
            "when_unavailable": "allow",
            "busiest": [{"key": {}, "used": 2, "left": 7}],
        }
