"""Agents and keys over the admin API: what is told to the log, and what goes through when it cannot be."""

from pathlib import Path

import pytest

from doorward.control.agent_shapes import BoundIdentity
from doorward.control.agents import Agents
from doorward.control.operators import Operator, Role
from doorward.control.routes import Ask, Nothing
from doorward.domain.actors import AuthnMethod
from doorward.domain.ids import AgentId
from doorward.identity.registry import State
from tests.control.plane import ME, NOW, plane

pytestmark = pytest.mark.anyio

DAY = 86_400.0
BOT = "client:corp:bot"
SPIFFE = "spiffe://example.org/builder"
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


async def test_an_agent_that_may_not_prove_itself_by_keys_is_known_without_one(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        wanted = {"id": "builder", "team": "ci", "methods": ["certificate"], "identities": [SPIFFE], "purpose": "Builds."}
        assert await it.ask("POST", "/v1/agents", wanted) == (
            200,
            {"agent": "builder", "key": None, "key_id": None, "expires_at": None, "warnings": []},
        )
        _, shown = await it.ask("GET", "/v1/agents/builder")
        assert (shown["methods"], shown["identities"], shown["purpose"], shown["keys"]) == (
            ["certificate"],
            [f"spiffe:{SPIFFE}"],
            "Builds.",
            [],
        )
        added = {
            "agent": "builder",
            "team": "ci",
            "owner": ME,
            "kind": "client",
            "methods": "certificate",
            "identities": f"spiffe:{SPIFFE}",
        }
        assert (await it.events())[1:] == [("agent_added", ME, added)]
        assert (await it.ask("POST", "/v1/agents/builder/rotate", {}))[0] == 409


async def test_binding_and_unbinding_leave_their_leaves(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t", "methods": ["access_token"]})
        for verb in ("bind", "unbind"):
            assert await it.ask("POST", f"/v1/agents/claude/{verb}", {"identity": BOT}) == (200, {"warnings": []})
        assert [(event, fields) for event, _, fields in (await it.events())[2:]] == [
            ("identity_bound", {"agent": "claude", "identity": BOT}),
            ("identity_unbound", {"agent": "claude", "identity": BOT}),
        ]


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("/v1/agents", {"id": "new", "team": "t", "identities": [BOT]}, 409, "refused"),
        ("/v1/agents", {"id": "new", "team": "t", "identities": ["bot"]}, 400, "invalid_identity"),
        ("/v1/agents", {"id": "new", "team": "t", "methods": []}, 400, "invalid_body"),
        ("/v1/agents", {"id": "new", "team": "t", "methods": ["own"]}, 400, "invalid_body"),
        ("/v1/agents/two/bind", {"identity": BOT}, 409, "refused"),
        ("/v1/agents/two/bind", {"identity": "dns:*.example.org"}, 400, "invalid_identity"),
        ("/v1/agents/nobody/bind", {"identity": BOT}, 404, "unknown_agent"),
        ("/v1/agents/two/unbind", {"identity": BOT}, 409, "refused"),
        ("/v1/agents/two/edit", {}, 400, "invalid_edit"),
        ("/v1/agents/two/edit", {"expires_days": 0}, 400, "invalid_edit"),
        ("/v1/agents/two/edit", {"expires_days": 4000}, 400, "invalid_edit"),
        ("/v1/agents/two/edit", {"owner": " "}, 409, "refused"),
        ("/v1/agents/nobody/edit", {"owner": "ben"}, 404, "unknown_agent"),
        ("/v1/owners/left", {"owner": "nobody"}, 404, "unknown_owner"),
    ],
)
async def test_what_cannot_be_said_of_an_agent_is_refused_without_a_leaf(
    tmp_path: Path, path: str, body: dict[str, object], status: int, reason: str
) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "one", "team": "t", "identities": [BOT]})
        await it.ask("POST", "/v1/agents", {"id": "two", "team": "t"})
        before, agents = await it.events(), it.registry.agents()
        code, answer = await it.ask("POST", path, body)
        assert (code, answer["reason"]) == (status, reason)
        assert (await it.events(), it.registry.agents()) == (before, agents)


async def test_an_edit_that_only_takes_away_goes_through_while_the_log_cannot_be_written_and_any_other_does_not(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        it.log.broken = "no space"
        status, answer = await it.ask("POST", "/v1/agents/claude/edit", {"methods": ["agent_key"], "expires_days": 1})
        assert (status, len(answer["warnings"])) == (200, 1)
        for body in ({"methods": ["agent_key", "certificate"]}, {"owner": "ben"}, {"expires_days": "never"}):
            assert (await it.ask("POST", "/v1/agents/claude/edit", body))[0] == 503
        record = it.registry.agent(AgentId("claude"))
        assert record is not None
        assert (record.methods, record.expires_at, record.agent.owner) == (frozenset({AuthnMethod.AGENT_KEY}), NOW + DAY, ME)


async def test_an_edit_says_what_it_changed(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        for body in (
            {"owner": "ben", "purpose": "", "methods": ["certificate", "agent_key"], "expires_days": 2},
            {"expires_days": "never"},
        ):
            assert await it.ask("POST", "/v1/agents/claude/edit", body) == (200, {"warnings": []})
        assert [fields for event, _, fields in await it.events() if event == "agent_edited"] == [
            {"agent": "claude", "owner": "ben", "purpose": "", "methods": "agent_key certificate", "expires": int(NOW + 2 * DAY)},
            {"agent": "claude", "expires": "never"},
        ]


async def test_when_an_owner_leaves_all_their_agents_stay_out_until_somebody_else_answers_for_them(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for name, owner in (("one", "ada"), ("two", "ada"), ("three", "ben")):
            await it.ask("POST", "/v1/agents", {"id": name, "team": "t", "owner": owner})
        before = len(await it.events())
        assert await it.ask("POST", "/v1/owners/left", {"owner": "ada"}) == (200, {"agents": ["one", "two"], "warnings": []})
        assert [(event, fields) for event, _, fields in (await it.events())[before:]] == [
            ("owner_left", {"owner": "ada", "agents": 2}),
            ("agent_suspended", {"agent": "one", "why": "owner_left"}),
            ("agent_suspended", {"agent": "two", "why": "owner_left"}),
        ]
        _, listed = await it.ask("GET", "/v1/agents")
        assert [(agent["id"], agent["state"], agent["why"]) for agent in listed["agents"]] == [
            ("one", "suspended", "owner_left"),
            ("three", "active", None),
            ("two", "suspended", "owner_left"),
        ]
        assert (await it.ask("POST", "/v1/agents/one/resume"))[0] == 409
        await it.ask("POST", "/v1/agents/one/edit", {"owner": "ben"})
        assert (await it.ask("POST", "/v1/agents/one/resume"))[0] == 200


async def test_an_owner_leaves_even_while_nothing_can_be_written_and_the_answer_says_so_once(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for name in ("one", "two"):
            await it.ask("POST", "/v1/agents", {"id": name, "team": "t", "owner": "ada"})
        it.log.broken = "no space"
        it.agents.broken = True
        status, answer = await it.ask("POST", "/v1/owners/left", {"owner": "ada"})
        assert (status, len(answer["warnings"])) == (200, 2)
        assert {record.state for record in it.registry.agents()} == {State.SUSPENDED}


async def test_unbinding_what_a_rule_would_bring_back_says_so(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t", "identities": [BOT]})
        room = Agents(it.registry, it.recorder, it.clock, lambda identity: f"rule for {identity}")
        asked = Ask(Operator("ada", Role.ADMIN), {"agent": "claude"}, Nothing(), BoundIdentity(identity=BOT), b"")
        assert (await room.unbind(asked)).warnings == (
            f"the rule 'rule for {BOT}' enrols it again when it next calls; change the rule, or revoke the client",
        )
