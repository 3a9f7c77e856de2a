"""Whoever would approve, or except, what they ask themselves hides behind another name: of the agent, of a key, of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from doorward.control.operators import Operator, Role
from tests.control.plane import plane

pytestmark = pytest.mark.anyio

UID = 61_011
OURS = frozenset({"support", "platform"})
EVE = Operator("corp:00u1x7", Role.OWNER, OURS, OURS, shown="Eve", names=frozenset({"eve@example.com", "00u1x7"}))


async def test_an_owner_registers_no_agent_in_the_name_of_somebody_else_so_as_to_approve_what_it_asks(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.operators[UID] = EVE
        assert (await it.ask("POST", "/v1/agents", {"id": "straw", "team": "support", "owner": "bob"}, uid=UID))[0] == 403
        assert it.registry.agents() == ()
        for name, owner in (("mine", ""), ("also-mine", "eve@example.com"), ("mine-too", "Eve")):
            assert (await it.ask("POST", "/v1/agents", {"id": name, "team": "support", "owner": owner}, uid=UID))[0] == 200


async def test_an_owner_gets_no_key_of_somebody_elses_agent_so_as_to_approve_what_is_asked_with_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        for name, owner in (("bobs", "bob"), ("eves", "eve@example.com")):
            assert (await it.ask("POST", "/v1/agents", {"id": name, "team": "support", "owner": owner}))[0] == 200
        it.operators[UID] = EVE
        assert (await it.ask("POST", "/v1/agents/bobs/rotate", {}, uid=UID))[0] == 403
        assert (await it.ask("POST", "/v1/agents/eves/rotate", {}, uid=UID))[0] == 200


@pytest.mark.parametrize("owner", ["eve@example.com", "eve", "corp:00u1x7", "00u1x7", "EVE"])
async def test_nobody_gives_an_exception_to_an_agent_that_is_theirs_by_any_of_their_names(tmp_path: Path, owner: str) -> None:
    async with plane(tmp_path) as it:
        assert (await it.ask("POST", "/v1/agents", {"id": "agent", "team": "support", "owner": owner}))[0] == 200
        wanted = {"agent": "agent", "action": "git", "reason": "because", "minutes": 5}
        it.operators[UID] = EVE
        status, body = await it.ask("POST", "/v1/exceptions", wanted, uid=UID)
        assert (status, body["reason"]) == (403, "forbidden")
        it.operators[UID] = replace(EVE, name="corp:otto", shown="", names=frozenset())
        assert (await it.ask("POST", "/v1/exceptions", wanted, uid=UID))[0] == 200
