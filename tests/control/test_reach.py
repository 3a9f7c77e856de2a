"""Who may do what: every operation for every role, in its own teams and in others."""

from pathlib import Path
from typing import Any

import pytest

from doorward.control.operators import Operator, Role
from tests.control.plane import READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

MINE, THEIRS = frozenset({"support", "platform"}), frozenset({"elsewhere"})
UID = 61_010
OPERATORS = {
    "viewer": Operator("viewer", Role.VIEWER),
    "auditor": Operator("auditor", Role.AUDITOR),
    "approver of another team": Operator("approver", Role.APPROVER, THEIRS),
    "approver": Operator("approver", Role.APPROVER, MINE),
    "owner of another team": Operator("owner", Role.OWNER, THEIRS, THEIRS),
    "owner here who says yes elsewhere": Operator("owner", Role.OWNER, THEIRS | MINE, THEIRS),
    "owner": Operator("owner", Role.OWNER, MINE, MINE),
    "admin": Operator("admin", Role.ADMIN),
}
EVERYBODY = set(OPERATORS)
AUDITORS = EVERYBODY - {"viewer"}
APPROVERS = AUDITORS - {"auditor"}
APPROVERS_HERE = {"approver", "owner here who says yes elsewhere", "owner", "admin"}
OWNERS = APPROVERS - {"approver of another team", "approver"}
OWNERS_HERE = {"owner", "admin"}
ADMINS = {"admin"}

ITEM = {"upstream": "git", "kind": "tool", "name": "read_file"}
EXCEPTION = {"agent": "claude", "action": "git/read_file"}
FILE = {"path": "p.cedar", "text": ""}
SUPPOSED = {"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "a"}}
TABLE: dict[str, tuple[set[str], str, Any]] = {
    "GET /v1/status": (EVERYBODY, "/v1/status", None),
    "GET /v1/config": (EVERYBODY, "/v1/config", None),
    "POST /v1/reload": (ADMINS, "/v1/reload", None),
    "GET /v1/agents": (EVERYBODY, "/v1/agents", None),
    "POST /v1/agents": (OWNERS_HERE, "/v1/agents", {"id": "new", "team": "support"}),
    "GET /v1/agents/{agent}": (EVERYBODY, "/v1/agents/claude", None),
    "POST /v1/agents/{agent}/edit": (OWNERS_HERE, "/v1/agents/claude/edit", {"purpose": "mails"}),
    "POST /v1/agents/{agent}/bind": (ADMINS, "/v1/agents/claude/bind", {"identity": "dns:a.example.com"}),
    "POST /v1/agents/{agent}/unbind": (OWNERS_HERE, "/v1/agents/claude/unbind", {"identity": "dns:a.example.com"}),
    # Somebody else's; each rotates the keys of their own (tests/adversary/test_straw_men.py).
    "POST /v1/agents/{agent}/rotate": (ADMINS, "/v1/agents/claude/rotate", {}),
    "POST /v1/agents/{agent}/suspend": (OWNERS_HERE, "/v1/agents/claude/suspend", None),
    "POST /v1/agents/{agent}/resume": (OWNERS_HERE, "/v1/agents/claude/resume", None),
    "POST /v1/agents/{agent}/revoke": (OWNERS_HERE, "/v1/agents/claude/revoke", None),
    "POST /v1/owners/left": (ADMINS, "/v1/owners/left", {"owner": "ada"}),
    "DELETE /v1/keys/{key}": (OWNERS_HERE, "/v1/keys/{key}", None),
    "GET /v1/certificates": (EVERYBODY, "/v1/certificates", None),
    "GET /v1/stops": (EVERYBODY, "/v1/stops", None),
    "POST /v1/stops": (OWNERS_HERE, "/v1/stops", {"matter": "upstream:git", "reason": "odd"}),
    "POST /v1/stops/lift": (OWNERS_HERE, "/v1/stops/lift", {"matter": "upstream:git"}),
    "GET /v1/encryption/keys": (EVERYBODY, "/v1/encryption/keys", None),
    "POST /v1/encryption/rotate": (ADMINS, "/v1/encryption/rotate", None),
    "POST /v1/alerts/test": (ADMINS, "/v1/alerts/test", None),
    "GET /v1/catalog": (EVERYBODY, "/v1/catalog", None),
    "GET /v1/catalog/diff": (EVERYBODY, "/v1/catalog/diff", None),
    "POST /v1/catalog/approve": (APPROVERS_HERE, "/v1/catalog/approve", {"items": [{**ITEM, "digest": "0" * 64}]}),
    "POST /v1/catalog/withdraw": (APPROVERS_HERE, "/v1/catalog/withdraw", {"items": [{**ITEM, "name": "gone"}]}),
    "POST /v1/upstreams/{upstream}/refresh": (APPROVERS_HERE, "/v1/upstreams/git/refresh", None),
    "POST /v1/upstreams/drain": (OWNERS_HERE, "/v1/upstreams/drain", {"upstream": "git", "address": "none"}),
    "POST /v1/upstreams/restore": (OWNERS_HERE, "/v1/upstreams/restore", {"upstream": "git", "address": "none"}),
    "GET /v1/approvals": (EVERYBODY, "/v1/approvals", None),
    "GET /v1/approvals/{approval}": (AUDITORS, "/v1/approvals/none", None),
    # For which teams an approver says yes is the desk's to decide: what policy asked for, not who owns the upstream.
    "POST /v1/approvals/{approval}/approve": (APPROVERS, "/v1/approvals/none/approve", {"digest": "0" * 64}),
    "POST /v1/approvals/{approval}/reject": (APPROVERS, "/v1/approvals/none/reject", {"digest": "0" * 64}),
    "GET /v1/exceptions": (EVERYBODY, "/v1/exceptions", None),
    "POST /v1/exceptions": (OWNERS_HERE, "/v1/exceptions", {**EXCEPTION, "reason": "a repair", "minutes": 5}),
    # Who may end which one is in test_exceptions: whoever gave it, the teams that it is about, admins.
    "DELETE /v1/exceptions/{exception}": (APPROVERS, "/v1/exceptions/none", None),
    "GET /v1/break-glass": (EVERYBODY, "/v1/break-glass", None),
    # For those whom the configuration names; here it names nobody.
    "POST /v1/break-glass": (set(), "/v1/break-glass", {"agent": "claude", "minutes": 5, "reason": "everything is down"}),
    "DELETE /v1/break-glass/{glass}": (EVERYBODY, "/v1/break-glass/none", None),
    "GET /v1/policies": (EVERYBODY, "/v1/policies", None),
    "POST /v1/policies/explain": (EVERYBODY, "/v1/policies/explain", SUPPOSED),
    "GET /v1/policies/sets": (EVERYBODY, "/v1/policies/sets", None),
    "GET /v1/policies/sets/{digest}": (EVERYBODY, "/v1/policies/sets/none", None),
    "POST /v1/policies/diff": (EVERYBODY, "/v1/policies/diff", {"candidate": [FILE]}),
    "POST /v1/policies/rollback": (ADMINS, "/v1/policies/rollback", {"digest": "none", "reason": "odd"}),
    "POST /v1/policies/rollback/undo": (ADMINS, "/v1/policies/rollback/undo", None),
    "POST /v1/policies/replay": (AUDITORS, "/v1/policies/replay", {"files": [FILE]}),
    "GET /v1/policies/explain/{call}": (AUDITORS, "/v1/policies/explain/none", None),
    "GET /v1/policies/observed": (EVERYBODY, "/v1/policies/observed", None),
    "GET /v1/log": (EVERYBODY, "/v1/log", None),
    "GET /v1/log/calls/{call}": (EVERYBODY, "/v1/log/calls/none", None),
    "GET /v1/log/calls/{call}/contents": (AUDITORS, "/v1/log/calls/none/contents", None),
    "GET /v1/log/checkpoint": (EVERYBODY, "/v1/log/checkpoint", None),
    "POST /v1/log/checkpoint": (AUDITORS, "/v1/log/checkpoint", None),
    "POST /v1/log/export": (ADMINS, "/v1/log/export", {"directory": "/dev/null/log"}),
    "GET /v1/receipts/{call}": (EVERYBODY, "/v1/receipts/none", None),
    "GET /v1/me": (EVERYBODY, "/v1/me", None),
    "GET /v1/operators": (EVERYBODY, "/v1/operators", None),
    "DELETE /v1/operators/{session}": (ADMINS, "/v1/operators/none", None),
    # Which approver raises which budget is in test_budgets: those of its team; here there is none.
    "GET /v1/budgets": (EVERYBODY, "/v1/budgets", None),
    "GET /v1/budgets/{budget}": (EVERYBODY, "/v1/budgets/none", None),
    "POST /v1/budgets/{budget}/raises": (APPROVERS, "/v1/budgets/none/raises", {"by": "1", "reason": "a fair", "days": 1}),
    "DELETE /v1/budgets/{budget}/raises/{raise}": (APPROVERS, "/v1/budgets/none/raises/none", None),
    # Which owner resets which context is in test_flow: those of its agent's team; here there is none.
    "GET /v1/flow": (EVERYBODY, "/v1/flow", None),
    "GET /v1/flow/{context}": (EVERYBODY, "/v1/flow/1", None),
    "POST /v1/flow/{context}/reset": (OWNERS, "/v1/flow/1/reset", {"reason": "another task"}),
    "GET /v1/limits": (EVERYBODY, "/v1/limits", None),
    "GET /v1/secrets": (EVERYBODY, "/v1/secrets", None),
    "GET /v1/connections": (EVERYBODY, "/v1/connections", None),
    "DELETE /v1/connections/{connection}": (OWNERS_HERE, "/v1/connections/c1", None),
    "POST /v1/connections/own": (ADMINS, "/v1/connections/own", {"upstream": "git"}),
    "GET /v1/sessions": (EVERYBODY, "/v1/sessions", None),
    "DELETE /v1/sessions/{session}": (ADMINS, "/v1/sessions/none", None),
}


async def prepared(it: Plane) -> str:
    """An agent of the team `support`, and its key's id; `git` belongs to `platform`."""
    _, issued = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support"})
    await it.show("git", READ_FILE)
    await it.connections.load()
    return str(issued["key_id"])


@pytest.mark.parametrize("name", OPERATORS)
async def test_each_operation_is_for_those_that_the_table_names(tmp_path: Path, name: str) -> None:
    async with plane(tmp_path) as it:
        key = await prepared(it)
        it.operators[UID] = OPERATORS[name]
        found = {}
        for operation, (_, path, body) in TABLE.items():
            status, answer = await it.ask(operation.partition(" ")[0], path.replace("{key}", key), body, uid=UID)
            assert status != 400, (operation, answer)
            found[operation] = status != 403
    assert found == {operation: name in allowed for operation, (allowed, _, _) in TABLE.items()}


async def test_no_operation_is_left_out_of_the_table(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert {f"{route.method} {route.path}" for route in it.routes} == set(TABLE)
        assert all(route.role in (Role.APPROVER, Role.OWNER) for route in it.routes if route.within is not None)
        assert all(route.within is not None for route in it.routes if route.role is Role.OWNER)


async def test_what_belongs_to_several_teams_needs_all_of_them(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[UID] = Operator("owner", Role.OWNER, frozenset({"support"}), frozenset({"support"}))
        both = {"items": [{**ITEM, "digest": "0" * 64}, {**ITEM, "upstream": "nowhere", "digest": "0" * 64}]}
        assert (await it.ask("POST", "/v1/catalog/approve", both, uid=UID))[0] == 403


@pytest.mark.parametrize(
    "matter",
    ["all", "user:corp:ann", "issuer:corp", "client:corp:app", "agent:nobody", "key:nothing", "upstream:nowhere", "tool:nowhere/x"],
)
async def test_an_owner_stops_nothing_that_is_not_known_to_be_of_its_team(tmp_path: Path, matter: str) -> None:
    async with plane(tmp_path) as it:
        await prepared(it)
        it.operators[UID] = OPERATORS["owner"]
        status, answer = await it.ask("POST", "/v1/stops", {"matter": matter, "reason": "odd"}, uid=UID)
        assert (status, answer["reason"]) == (403, "forbidden")
        assert it.switch.standing() == ()


@pytest.mark.parametrize("matter", ["agent:claude", "key:{key}", "upstream:git", "tool:git/read_file"])
async def test_an_owner_stops_what_is_of_its_team_and_lifts_only_what_it_has_set(tmp_path: Path, matter: str) -> None:
    async with plane(tmp_path) as it:
        key = await prepared(it)
        body = {"matter": matter.replace("{key}", key), "reason": "odd"}
        it.operators[UID] = OPERATORS["owner"]
        assert (await it.ask("POST", "/v1/stops", body, uid=UID))[0] == 200
        assert (await it.ask("POST", "/v1/stops/lift", {"matter": body["matter"]}, uid=UID))[0] == 200
        assert (await it.ask("POST", "/v1/stops", body))[0] == 200
        assert (await it.ask("POST", "/v1/stops/lift", {"matter": body["matter"]}, uid=UID))[0] == 403
        assert len(it.switch.standing()) == 1


async def test_an_agent_named_like_a_key_of_another_team_is_not_taken_for_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        key = await prepared(it)
        it.operators[UID] = OPERATORS["owner"]
        assert (await it.ask("POST", "/v1/stops", {"matter": f"agent:{key}", "reason": "odd"}, uid=UID))[0] in (400, 403)


async def test_an_owner_does_not_disown_an_agent_so_as_to_approve_what_it_asks(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await prepared(it)
        it.operators[UID] = OPERATORS["owner"]
        assert (await it.ask("POST", "/v1/agents/claude/edit", {"owner": "bob"}, uid=UID))[0] == 403


async def test_an_owner_makes_no_software_known_by_an_identity_nor_an_agent_of_another_team(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[UID] = OPERATORS["owner"]
        for body in ({"id": "x", "team": "elsewhere"}, {"id": "x", "team": "support", "identities": ["dns:a.example.com"]}):
            assert (await it.ask("POST", "/v1/agents", body, uid=UID))[0] == 403
        assert it.registry.agents() == ()
