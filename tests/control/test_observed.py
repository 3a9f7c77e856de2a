"""What observation let pass, counted."""

from pathlib import Path

import pytest

from tests.control.calls import WOULD, told
from tests.control.plane import plane

pytestmark = pytest.mark.anyio


async def test_calls_that_policy_would_deny_are_counted_by_agent_target_and_policies(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1", would=WOULD)
        it.clock.at += 60
        await told(it, "call-2", would=WOULD)
        await told(it, "call-3")
        await told(it, "call-4", agent="other", would=WOULD)
        _, answer = await it.ask("GET", "/v1/policies/observed")
        pair = {
            "upstream": "git",
            "kind": "tool",
            "name": "commit",
            "policies": ["no-secrets"],
            "detail": "Nobody reads secrets.",
        }
        later = "2026-11-18T12:01:00.000000Z"
        assert answer == {
            "passes": [
                {"agent": "claude", **pair, "calls": 2, "first": "2026-11-18T12:00:00.000000Z", "last": later, "example": "call-2"},
                {"agent": "other", **pair, "calls": 1, "first": later, "last": later, "example": "call-4"},
            ],
            "calls": 3,
            "is_whole": True,
        }


async def test_the_count_may_be_narrowed(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await told(it, "call-1", would=WOULD)
        it.clock.at += 3600
        await told(it, "call-2", agent="other", would=WOULD)
        counts = [
            (await it.ask("GET", f"/v1/policies/observed?{question}"))[1]["calls"]
            for question in ("agent=claude", "upstream=time", "since=10m", "until=2026-11-18T12:30:00Z")
        ]
        assert counts == [1, 0, 1, 1]
