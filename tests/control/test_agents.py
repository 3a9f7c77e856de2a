"""Agents and keys over the admin API: what is told to the log, and what goes through when it cannot be."""

from pathlib import Path

import pytest

from doorward.domain.ids import AgentId
from doorward.identity.registry import State
from tests.control.plane import ME, NOW, plane

pytestmark = pytest.mark.anyio

DAY = 86_400.0
PLAIN = {"methods": "access_token agent_key certificate", "identities": ""}


async def test_an_agent_is_made_known_with_a_key_that_is_shown_once(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        status, issued = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "key_days": 2})
        assert status == 200
        assert issued["key"].startswith("dw_")
        assert issued["expires_at"] == NOW + 2 * DAY
        _, shown = await it.ask("GET", "/v1/agents/claude")
        assert shown == {
            "id": "claude",
            "owner": ME,
            "team": "support",
            "kind": "client",
            "purpose": "",
            "state": "active",
            "why": None,
            "methods": ["access_token", "agent_key", "certificate"],
            "identities": [],
            "enrolled_by": f"operator {ME}",
            "created_at": NOW,
            "expires_at": None,
            "seen_at": None,
            "keys": [{"id": issued["key_id"], "created_at": NOW, "expires_at": NOW + 2 * DAY, "revoked_at": None}],
        }
        assert (await it.events())[1:] == [
            ("agent_added", ME, {"agent": "claude", "team": "support", "owner": ME, "kind": "client", **PLAIN}),
            ("key_issued", ME, {"agent": "claude", "key": issued["key_id"], "expires": int(NOW + 2 * DAY)}),
        ]


async def test_names_that_are_taken_or_cannot_be_names_leave_no_leaf(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        before = await it.events()
        for name in ("claude", "Claude", "a/b", "doorward", "a..b"):
            status, answer = await it.ask("POST", "/v1/agents", {"id": name, "team": "t"})
            assert (status, answer["reason"]) == (409, "refused")
        assert await it.events() == before


async def test_nothing_is_widened_while_the_log_cannot_be_written(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        await it.ask("POST", "/v1/agents/claude/suspend")
        it.log.broken = "no space"
        refused = [
            await it.ask("POST", "/v1/agents", {"id": "other", "team": "t"}),
            await it.ask("POST", "/v1/agents/claude/resume"),
        ]
        assert [(status, answer["reason"]) for status, answer in refused] == [(503, "unrecorded")] * 2
        assert [(record.agent.id, record.state) for record in it.registry.agents()] == [("claude", State.SUSPENDED)]


async def test_rights_are_taken_away_even_while_the_log_cannot_be_written_and_the_answer_says_so(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, issued = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        it.log.broken = "no space"
        it.agents.broken = True
        for method, path in (
            ("DELETE", f"/v1/keys/{issued['key_id']}"),
            ("POST", "/v1/agents/claude/suspend"),
            ("POST", "/v1/agents/claude/revoke"),
        ):
            status, answer = await it.ask(method, path)
            assert status == 200
            assert [warning.split(":")[0] for warning in answer["warnings"]] == [
                "it holds now, but would not survive a restart",
                "it holds now, but the log could not be told",
            ]
        record = it.registry.agent(AgentId("claude"))
        assert record is not None
        assert record.state is State.REVOKED
        assert it.registry.keys(AgentId("claude"))[0].revoked_at == NOW


async def test_a_change_that_the_store_did_not_take_is_told_after_the_leaf_that_announced_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.agents.broken = True
        status, answer = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        assert (status, answer["reason"]) == (503, "store")
        assert [(event, fields) for event, _, fields in (await it.events())[1:]] == [
            ("agent_added", {"agent": "claude", "team": "t", "owner": ME, "kind": "client", **PLAIN}),
            ("change_failed", {"event": "agent_added", "why": "the disk is full"}),
        ]
        assert it.registry.agents() == ()


async def test_a_key_that_the_log_could_not_be_told_of_is_revoked_and_not_shown(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.agents.on_put = lambda: setattr(it.log, "broken", "no space")
        status, answer = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        assert (status, answer["reason"], "key" in answer) == (503, "unrecorded", False)
        assert [key.revoked_at for key in it.registry.keys(AgentId("claude"))] == [NOW]


async def test_rotation_ends_the_old_key_after_the_overlap(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, first = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        _, second = await it.ask("POST", "/v1/agents/claude/rotate", {"overlap_hours": 1, "key_days": 7})
        _, shown = await it.ask("GET", "/v1/agents/claude")
        assert {key["id"]: key["expires_at"] for key in shown["keys"]} == {first["key_id"]: NOW + 3600, second["key_id"]: NOW + 7 * DAY}


async def test_what_an_agents_state_does_not_allow_is_refused_without_a_leaf(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        before = await it.events()
        assert (await it.ask("POST", "/v1/agents/claude/resume"))[0] == 409
        assert await it.events() == before
        await it.ask("POST", "/v1/agents/claude/revoke")
        before = await it.events()
        for verb in ("resume", "rotate", "suspend"):
            assert (await it.ask("POST", f"/v1/agents/claude/{verb}"))[0] == 409
        assert await it.events() == before


async def test_unknown_agents_and_keys_are_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        asked = [
            await it.ask("GET", "/v1/agents/nobody"),
            await it.ask("POST", "/v1/agents/nobody/revoke"),
            await it.ask("DELETE", "/v1/keys/nothing"),
        ]
        assert [(status, answer["reason"]) for status, answer in asked] == [
            (404, "unknown_agent"),
            (404, "unknown_agent"),
            (404, "unknown_key"),
        ]
