"""Broken glasses over the admin API: for the few who are named, short, with a reason, and told before they hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorward.control.operators import Operator, Role
from doorward.domain.ids import AgentId
from doorward.domain.waivers import Waiver
from tests.control.door import ANN, SIGNING_IN, network_door
from tests.control.plane import DOCUMENT, ME, NOW, READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

UID = 61_030
NAMED = {"policies": {"files": ["policy.cedar"], "break_glass": {"operators": [ME, "vic", "corp:ann"], "minutes": 15}}}
BODY: dict[str, Any] = {"agent": "claude", "minutes": 15, "reason": "everything is down"}
WHOLE: dict[str, Any] = {"waiver": "waiver-1", "agent": "claude", "action": "", "reason": "everything is down", "ends": int(NOW + 900)}


async def prepared(it: Plane, owner: str = "ada") -> None:
    await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "owner": owner})
    await it.show("git", READ_FILE)
    (item,) = (await it.ask("GET", "/v1/catalog/diff"))[1]["items"]
    await it.ask("POST", "/v1/catalog/approve", {"items": [{name: item[name] for name in ("upstream", "kind", "name", "digest")}]})


async def test_a_glass_is_broken_told_first_listed_and_restored(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        heard: list[Waiver] = []
        it.kept.on_break(heard.append)
        assert await it.ask("POST", "/v1/break-glass", BODY) == (200, {"id": "waiver-1", "ends": NOW + 900, "warnings": []})
        (listed,) = (await it.ask("GET", "/v1/break-glass"))[1]["broken"]
        assert (listed["agent"], listed["action"], listed["by"], listed["ends"], listed["notes"]) == ("claude", "", ME, NOW + 900, [])
        assert (len(it.kept.loud()), it.kept.broken(), heard) == (1, 1, [*it.kept.of(AgentId("claude"))])
        assert (await it.ask("GET", "/v1/exceptions"))[1] == {"exceptions": []}
        # An exception is not ended under the name of a glass, nor the reverse.
        assert (await it.ask("DELETE", "/v1/exceptions/waiver-1"))[0] == 404
        assert await it.ask("DELETE", "/v1/break-glass/waiver-1") == (200, {"warnings": []})
        assert (it.kept.all(), await it.waivers.load(), it.kept.loud()) == ((), (), ())
        restored = {"waiver": "waiver-1", "agent": "claude", "action": ""}
        assert (await it.events())[-2:] == [("glass_broken", ME, {**WHOLE, "own": False}), ("glass_restored", ME, restored)]


async def test_a_glass_that_the_log_cannot_be_told_of_does_not_break(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        it.log.broken = "no space"
        status, answer = await it.ask("POST", "/v1/break-glass", BODY)
        assert (status, answer["reason"], it.kept.all(), await it.waivers.load()) == (503, "unrecorded", (), ())


async def test_a_glass_is_restored_though_neither_store_nor_log_can_be_written(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        await it.ask("POST", "/v1/break-glass", BODY)
        it.log.broken, it.waivers.broken = "no space", True
        status, answer = await it.ask("DELETE", "/v1/break-glass/waiver-1")
        assert (status, len(answer["warnings"]), it.kept.all()) == (200, 2, ())


async def test_a_glass_is_whole_again_by_itself(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        await it.ask("POST", "/v1/break-glass", BODY)
        it.clock.at += 900
        assert ((await it.ask("GET", "/v1/break-glass"))[1], it.kept.loud()) == ({"broken": []}, ())
        await it.kept.sweep(it.recorder.note)
        assert (await it.events())[-1] == ("glass_expired", "doorward", {"waiver": "waiver-1", "agent": "claude", "action": ""})


@pytest.mark.parametrize(
    ("operator", "status"),
    [
        (Operator("vic", Role.VIEWER), 200),
        (Operator("adam", Role.ADMIN), 403),
        (Operator("Vic", Role.ADMIN), 403),
        (Operator("corp:vic", Role.ADMIN, shown="vic"), 403),
        (Operator("ann", Role.ADMIN), 403),
        (Operator("other:ann", Role.ADMIN), 403),
    ],
    ids=lambda value: value.name if isinstance(value, Operator) else "",
)
async def test_only_who_is_named_breaks_it_letter_by_letter_whatever_the_role(tmp_path: Path, operator: Operator, status: int) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        it.operators[UID] = operator
        before = await it.events()
        assert (await it.ask("POST", "/v1/break-glass", BODY, uid=UID))[0] == status
        assert (bool(it.kept.all()), await it.events() == before) == (status == 200, status != 200)


async def test_where_nobody_is_named_nobody_breaks_it_and_a_reload_names_and_takes_names_back(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await prepared(it)
        found = []
        for document in (DOCUMENT, {**DOCUMENT, **NAMED}, DOCUMENT):
            it.path.write_text(json.dumps(document))
            await it.ask("POST", "/v1/reload")
            found.append((await it.ask("POST", "/v1/break-glass", BODY))[0])
        assert found == [403, 200, 403]


async def test_through_the_network_door_who_is_named_breaks_it_and_an_admin_who_is_not_does_not(tmp_path: Path) -> None:
    async with network_door(tmp_path, {**SIGNING_IN, **NAMED}) as door:
        await prepared(door.it)
        ann, ada = door.browser(), door.browser()
        await ann.sign_in(**ANN)
        await ada.sign_in(**{**ANN, "sub": "ada"})
        assert (await ada.change("POST", "/v1/break-glass", BODY)).reason == "forbidden"
        assert door.it.kept.all() == ()
        assert (await ann.change("POST", "/v1/break-glass", BODY)).status == 200
        (waiver,) = door.it.kept.all()
        assert waiver.by == "corp:ann"
        assert (await ada.change("DELETE", f"/v1/break-glass/{waiver.id}")).status == 200


async def test_nobody_but_who_broke_it_and_admins_restores_it(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        it.operators[UID] = Operator("vic", Role.VIEWER)
        for ending, status in (
            (Operator("olaf", Role.OWNER, frozenset({"support", "platform"}), frozenset({"support", "platform"})), 403),
            (Operator("vic", Role.VIEWER), 200),
            (Operator("adam", Role.ADMIN), 200),
        ):
            it.operators[UID] = Operator("vic", Role.VIEWER)
            _, opened = await it.ask("POST", "/v1/break-glass", BODY, uid=UID)
            it.operators[UID] = ending
            assert (await it.ask("DELETE", f"/v1/break-glass/{opened['id']}", uid=UID))[0] == status


async def test_whose_own_agent_it_is_may_break_it_and_the_log_says_that(tmp_path: Path) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it, owner=ME)
        assert (await it.ask("POST", "/v1/break-glass", {**BODY, "action": "git"}))[0] == 200
        assert (await it.events())[-1] == ("glass_broken", ME, {**WHOLE, "action": "git", "own": True})


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"agent": "cluade"}, 404, "unknown_agent"),
        ({"action": "gti"}, 404, "unknown_upstream"),
        ({"action": "git/raed_file"}, 404, "unknown_action"),
        ({"minutes": 15.1}, 409, "refused"),
        ({"minutes": 0}, 400, "invalid_body"),
        ({"minutes": 241}, 400, "invalid_body"),
        ({"reason": "because"}, 400, "invalid_body"),
        ({"reason": "because" + " " * 20}, 400, "invalid_body"),
    ],
)
async def test_what_is_unknown_too_long_or_without_a_reason_is_refused_without_a_leaf(
    tmp_path: Path, changes: dict[str, Any], status: int, reason: str
) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        before = await it.events()
        found, answer = await it.ask("POST", "/v1/break-glass", {**BODY, **changes})
        assert (found, answer["reason"], it.kept.all(), await it.events()) == (status, reason, (), before)


@pytest.mark.parametrize("verb", ["revoke", "suspend"])
async def test_an_agent_that_is_revoked_gets_none_and_one_that_is_so_afterwards_is_listed_as_such(tmp_path: Path, verb: str) -> None:
    async with plane(tmp_path, {**DOCUMENT, **NAMED}) as it:
        await prepared(it)
        await it.ask("POST", "/v1/break-glass", BODY)
        await it.ask("POST", f"/v1/agents/claude/{verb}")
        (listed,) = (await it.ask("GET", "/v1/break-glass"))[1]["broken"]
        assert listed["notes"] == [f"agent 'claude' is {verb}{'d' if verb == 'revoke' else 'ed'}"]
        status, answer = await it.ask("POST", "/v1/break-glass", BODY)
        assert (status, answer.get("warnings")) == ((409, None) if verb == "revoke" else (200, ["agent 'claude' is suspended"]))
