"""What observation let pass, counted."""

from pathlib import Path

import pytest

from tests.control.calls import WOULD, told
from tests.control.decided import decided
from tests.control.plane import POLICY, plane
from tests.control.test_replays import ready

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
            "changes": [],
            "changed": 0,
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


WATCHED = (
    POLICY
    + '@id("no-keys") @reason("Keys are nobody\'s business.") @mode("observe")\n'
    + 'forbid (principal, action == Action::"git/read_file", resource) when { context.input.path like "keys*" };\n'
    + '@id("secrets-too") @reason("Perhaps.") @mode("observe") permit (principal, action, resource);\n'
)


async def test_decisions_that_watched_policies_would_change_are_counted_by_policy(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=WATCHED) as it:
        await ready(it)
        calls = [(await decided(it, {"path": path}))[0] for path in ("keys/a", "keys/b", "a", "secret/x")]
        _, answer = await it.ask("GET", "/v1/policies/observed")
        now = "2026-11-18T12:00:00.000000Z"
        assert (answer["passes"], answer["calls"], answer["changed"], answer["is_whole"]) == ([], 0, 2, True)
        assert answer["changes"] == [
            {
                "agent": "claude",
                "upstream": "git",
                "kind": "tool",
                "name": "read_file",
                "before": {"effect": "allow", "policies": ["reads"]},
                "after": {"effect": "deny", "policies": ["no-keys", "secrets-too"]},
                "calls": 2,
                "first": now,
                "last": now,
                "example": calls[1],
            }
        ]


async def test_a_watched_permit_would_allow_what_was_denied_for_want_of_one(tmp_path: Path) -> None:
    wide = '@id("wide") @reason("Perhaps.") @mode("observe") permit (principal, action, resource);\n'
    async with plane(tmp_path, policy=wide) as it:
        await ready(it)
        await decided(it)
        _, answer = await it.ask("GET", "/v1/policies/observed")
        (change,) = answer["changes"]
        assert (change["before"], change["after"]) == (
            {"effect": "deny", "policies": []},
            {"effect": "allow", "policies": ["wide"]},
        )
