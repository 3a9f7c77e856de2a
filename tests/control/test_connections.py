"""People's connected accounts over the admin API."""

from pathlib import Path

import pytest

from doorward.admission.matters import Matter, MatterKind
from doorward.control.agents import Agents
from doorward.control.operators import Operator, Role
from doorward.control.routes import Ask, Nothing
from tests.control.plane import ME, plane

pytestmark = pytest.mark.anyio

UID = 61_011


async def test_connections_are_listed_by_whom_and_where_without_names_of_accounts_or_tokens(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.connections.load()
        _, listed = await it.ask("GET", "/v1/connections")
        rows = [(one["id"], one["upstream"], one["user"], one["agent"], one["status"]) for one in listed["connections"]]
        assert rows == [
            ("c1", "git", "corp:alice", "", "working"),
            ("c2", "git", "corp:alice", "claude", "working"),
            ("c3", "time", "corp:bob", "", "broken"),
            ("c4", "git", "", "", "working"),
        ]
        assert "example.com'" not in str([one | {"issuer": ""} for one in listed["connections"]])
        assert "canary" not in str(listed)
        assert [one["id"] for one in (await it.ask("GET", "/v1/connections?user=corp:alice"))[1]["connections"]] == ["c1", "c2"]
        assert [one["id"] for one in (await it.ask("GET", "/v1/connections?upstream=time"))[1]["connections"]] == ["c3"]


async def test_a_revoked_connection_is_gone_and_the_log_knows_by_whom(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.connections.load()
        assert (await it.ask("DELETE", "/v1/connections/c1"))[0] == 200
        assert "c1" not in str((await it.ask("GET", "/v1/connections"))[1])
        told = [event for event in await it.events() if event[0] == "connection_revoked"]
        assert [(event[1], event[2]["subject"]) for event in told] == [(ME, it.recorder.pseudonym("corp:alice"))]
        status, problem = await it.ask("DELETE", "/v1/connections/c1")
        assert (status, problem["reason"]) == (404, "unknown_connection")


async def test_an_owner_ends_connections_at_its_own_upstreams_alone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.connections.load()
        it.operators[UID] = Operator("owner", Role.OWNER, frozenset({"elsewhere"}), frozenset({"elsewhere"}))
        assert (await it.ask("DELETE", "/v1/connections/c1", uid=UID))[0] == 403
        it.operators[UID] = Operator("owner", Role.OWNER, frozenset({"platform"}), frozenset({"platform"}))
        assert (await it.ask("DELETE", "/v1/connections/c1", uid=UID))[0] == 200


async def test_a_link_for_the_gateways_own_account_is_told_to_the_log_first(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert await it.ask("POST", "/v1/connections/own", {"upstream": "git"}) == (
            200,
            {"url": "https://gateway.example.com/connect/own/token"},
        )
        assert (await it.events())[-1] == ("connection_link_made", ME, {"upstream": "git"})
        assert (await it.ask("POST", "/v1/connections/own", {"upstream": "nowhere"}))[0] == 404


async def test_what_was_given_for_an_agent_alone_ends_with_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        withdrawn: list[tuple[Matter, str]] = []

        async def withdraw(matter: Matter, why: str) -> None:
            withdrawn.append((matter, why))

        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support"})
        rows = Agents(it.registry, it.recorder, it.clock, withdrawn=withdraw).routes()
        [revoke] = [row for row in rows if row.path.endswith("{agent}/revoke")]
        admin = Operator("admin", Role.ADMIN)
        await revoke.carry_out(Ask(admin, {"agent": "claude"}, Nothing(), Nothing(), b""))
        assert withdrawn == [(Matter(MatterKind.AGENT, "claude"), "revoked")]
