"""Contexts over the admin API: what has flowed into them, and who may let which begin anew."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.control.operators import Operator, Role
from doorward.domain.ids import AgentId, CallId
from tests.control.plane import NOW, Plane, plane
from tests.made import call, principal, target

pytestmark = pytest.mark.anyio

UID, OTHER = 61_040, 61_041
SUPPORT = frozenset({"support"})
HOLDS = {
    "context": 1,
    "agent": "claude",
    "instance": "key:key1",
    "integrity": "untrusted",
    "confidentiality": "internal",
    "categories": [],
    "findings": [],
    "calls": 1,
    "writes": 1,
    "externals": 0,
    "began": NOW,
    "last_call": NOW,
    "ends": NOW + 8 * 3600,
    "remembers": 0,
}


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Plane]:
    """A plane with an agent of support's that has called, and one that has not been added here."""
    async with plane(tmp_path) as made:
        await made.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "owner": "ada"})
        made.operators[UID] = Operator("sam", Role.OWNER, SUPPORT, SUPPORT)
        made.operators[OTHER] = Operator("olga", Role.OWNER, frozenset({"other"}), frozenset({"other"}))
        made.contexts.rise(call(to=target("git")))
        made.contexts.rise(replace(call(by=principal("robin", key="key2"), to=target("git")), id=CallId("c2")))
        yield made


async def test_contexts_are_listed_and_shown(it: Plane) -> None:
    status, answer = await it.ask("GET", "/v1/flow", uid=UID)
    assert (status, answer["total"], [one["agent"] for one in answer["contexts"]]) == (200, 2, ["claude", "robin"])
    assert await it.ask("GET", "/v1/flow?agent=claude", uid=UID) == (200, {"contexts": [HOLDS], "total": 1})
    assert await it.ask("GET", "/v1/flow/1", uid=OTHER) == (200, HOLDS)


@pytest.mark.parametrize("number", ["7", "x", "-1", "1" * 40])
async def test_a_context_that_is_not_there_is_said_to_be_none(it: Plane, number: str) -> None:
    for method, path in (("GET", f"/v1/flow/{number}"), ("POST", f"/v1/flow/{number}/reset")):
        status, answer = await it.ask(method, path, {"reason": "another task"} if method == "POST" else None)
        assert (status, answer["reason"]) == (404, "unknown_context")


async def test_an_owner_of_the_agents_team_lets_it_begin_anew_and_the_log_says_who(it: Plane) -> None:
    assert (await it.ask("POST", "/v1/flow/1/reset", {"reason": "Another task."}, uid=UID))[0] == 200
    assert (await it.ask("GET", "/v1/flow/1"))[0] == 404
    assert it.contexts.flow(call(to=target("git"))).calls == 0
    told = {"agent": "claude", "context": 1, "integrity": "untrusted", "confidentiality": "internal", "categories": ""}
    assert (await it.events())[-1] == ("flow_reset", "sam", {**told, "reason": "Another task."})


async def test_owners_of_other_teams_and_whoever_gives_no_reason_reset_nothing(it: Plane) -> None:
    assert (await it.ask("POST", "/v1/flow/1/reset", {"reason": "mine"}, uid=OTHER))[0] == 403
    assert (await it.ask("POST", "/v1/flow/1/reset", {"reason": " "}, uid=UID))[0] == 400
    assert it.contexts.flow(call(to=target("git"))).calls == 1


async def test_a_context_of_nobody_that_is_registered_here_is_reset_by_admins_alone(it: Plane) -> None:
    assert it.registry.agent(AgentId("robin")) is None
    assert (await it.ask("POST", "/v1/flow/2/reset", {"reason": "mine"}, uid=UID))[0] == 403
    assert (await it.ask("POST", "/v1/flow/2/reset", {"reason": "mine"}))[0] == 200


async def test_while_the_log_cannot_be_written_nothing_is_reset(it: Plane) -> None:
    it.log.broken = "the disk is full"
    assert (await it.ask("POST", "/v1/flow/1/reset", {"reason": "now"}, uid=UID))[0] == 503
    assert it.contexts.flow(call(to=target("git"))).calls == 1
