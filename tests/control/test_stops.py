"""The stop switch over the admin API."""

from pathlib import Path

import pytest

from doorward.domain.ids import AgentId, KeyId
from doorward.identity.registry import State
from tests.control.plane import DOCUMENT, ME, NOW, READ_FILE, plane

pytestmark = pytest.mark.anyio


async def test_a_stop_stands_is_listed_told_to_the_log_and_lifted(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        assert await it.ask("POST", "/v1/stops", {"matter": "upstream:git", "reason": "an incident"}) == (200, {"warnings": []})
        _, listed = await it.ask("GET", "/v1/stops")
        assert listed == {"stops": [{"matter": "upstream:git", "effect": "stopped", "reason": "an incident", "by": ME, "since": NOW}]}
        assert await it.ask("POST", "/v1/stops/lift", {"matter": "upstream:git"}) == (200, {"warnings": []})
        assert (await it.ask("GET", "/v1/stops"))[1] == {"stops": []}
        assert (await it.events())[1:] == [
            ("stop_set", ME, {"matter": "upstream:git", "reason": "an incident"}),
            ("stop_lifted", ME, {"matter": "upstream:git", "effect": "stopped"}),
        ]


async def test_a_stop_holds_though_neither_store_nor_log_can_be_written(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        it.log.broken = "no space"
        it.stops.broken = True
        status, answer = await it.ask("POST", "/v1/stops", {"matter": "all", "reason": "an incident"})
        assert status == 200
        assert [warning.split(":")[0] for warning in answer["warnings"]] == [
            "it holds now, but would not survive a restart",
            "it holds now, but the log could not be told",
        ]
        assert [stop.matter.kind for stop in it.switch.standing()] == ["all"]


async def test_a_stop_is_not_lifted_while_the_log_cannot_be_written(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/stops", {"matter": "all", "reason": "an incident"})
        it.log.broken = "no space"
        status, answer = await it.ask("POST", "/v1/stops/lift", {"matter": "all"})
        assert (status, answer["reason"]) == (503, "unrecorded")
        assert len(it.switch.standing()) == 1


@pytest.mark.parametrize(
    ("matter", "is_known"),
    [
        ("agent:claude", True),
        ("agent:cluade", False),
        ("key:nothing", False),
        ("upstream:git", True),
        ("upstream:gti", False),
        ("tool:git/read_file", True),
        ("tool:git/raed_file", False),
        ("user:corp:ann", True),
        ("user:crop:ann", False),
        ("client:corp:c1", True),
        ("client:self:c1", False),
        ("issuer:corp", True),
        ("issuer:crop", False),
        ("family:f1", True),
        ("session:s1", True),
        ("certificate:" + "t" * 43, True),
        ("all", True),
    ],
)
async def test_a_stop_of_what_nobody_knows_holds_and_warns(tmp_path: Path, matter: str, is_known: bool) -> None:
    issuers = {"identity": {"issuers": {"corp": {"url": "https://idp.example.com"}}}}
    async with plane(tmp_path, {**DOCUMENT, **issuers}) as it:
        await it.show("git", READ_FILE)
        await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        status, answer = await it.ask("POST", "/v1/stops", {"matter": matter, "reason": "r"})
        assert (status, answer["warnings"] == []) == (200, is_known)


async def test_revoking_an_agent_or_key_revokes_it_in_the_registry_too_and_for_good(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, issued = await it.ask("POST", "/v1/agents", {"id": "claude", "team": "t"})
        await it.ask("POST", "/v1/agents", {"id": "other", "team": "t"})
        await it.ask("POST", "/v1/stops", {"matter": f"key:{issued['key_id']}", "reason": "lost", "effect": "revoked"})
        await it.ask("POST", "/v1/stops", {"matter": "agent:other", "reason": "gone", "effect": "revoked"})
        key, agent = it.registry.key(KeyId(issued["key_id"])), it.registry.agent(AgentId("other"))
        assert (key is not None and key.revoked_at, agent is not None and agent.state) == (NOW, State.REVOKED)
        status, answer = await it.ask("POST", "/v1/stops/lift", {"matter": "agent:other", "effect": "revoked"})
        assert (status, answer["message"]) == (409, "the revocation of agent:other is for good")
        events = [event for event, _, _ in await it.events()]
        assert events[-2:] == ["revoked", "revoked"]


@pytest.mark.parametrize("matter", ["user:corp:ann", "client:corp:c1", "issuer:corp", "tool:git/x"])
async def test_a_revocation_that_is_not_for_good_can_be_lifted(tmp_path: Path, matter: str) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/stops", {"matter": matter, "reason": "r", "effect": "revoked"})
        assert (await it.ask("POST", "/v1/stops/lift", {"matter": matter, "effect": "revoked"}))[0] == 200
        assert it.switch.standing() == ()


@pytest.mark.parametrize("matter", ["family:f1", "session:s1", "certificate:" + "t" * 43])
async def test_a_revocation_for_good_cannot_be_lifted(tmp_path: Path, matter: str) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/stops", {"matter": matter, "reason": "r", "effect": "revoked"})
        assert (await it.ask("POST", "/v1/stops/lift", {"matter": matter, "effect": "revoked"}))[0] == 409
        assert len(it.switch.standing()) == 1


async def test_the_log_names_a_person_by_pseudonym_alone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/stops", {"matter": "user:corp:ann@example.com", "reason": "left"})
        await it.ask("POST", "/v1/stops/lift", {"matter": "user:corp:ann@example.com"})
        named = "user:" + it.recorder.pseudonym("corp:ann@example.com")
        assert [fields["matter"] for _, _, fields in (await it.events())[1:]] == [named, named]


async def test_the_revocation_of_an_upstream_can_be_lifted(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.ask("POST", "/v1/stops", {"matter": "upstream:git", "reason": "r", "effect": "revoked"})
        assert (await it.ask("POST", "/v1/stops/lift", {"matter": "upstream:git", "effect": "revoked"}))[0] == 200
        assert it.switch.standing() == ()


async def test_what_cannot_be_stopped_or_lifted_is_refused_without_a_leaf(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        before = await it.events()
        asked = [
            await it.ask("POST", "/v1/stops", {"matter": "team:x", "reason": "r"}),
            await it.ask("POST", "/v1/stops", {"matter": "all", "reason": "r", "effect": "revoked"}),
            await it.ask("POST", "/v1/stops/lift", {"matter": "all"}),
        ]
        assert [(status, answer["reason"]) for status, answer in asked] == [(400, "invalid_matter"), (409, "refused"), (409, "refused")]
        assert await it.events() == before
