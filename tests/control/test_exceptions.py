"""Exceptions over the admin API: who may give which, to whom, for how long; told to the log first, and gone by themselves."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from doorward.control.operators import Operator, Role
from doorward.domain.ids import AgentId, Digest, PolicyId, WaiverId
from doorward.domain.waivers import Waiver, WaiverKind
from tests.control.door import ANN, LEE, network_door
from tests.control.door import SIGNING_IN as SIGN_IN
from tests.control.plane import DOCUMENT, ME, NOW, READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

NO_SECRETS = """\
@id("no-secrets") @reason("Nobody reads secrets.") @exception("security")
forbid (principal, action == Action::"git/read_file", resource) when { context.input.path like "secret*" };"""
POLICY = f"""\
@id("reads") @reason("Reading is fine.")
permit (principal, action == Action::"git/read_file", resource);
{NO_SECRETS}
@id("no-nights") @reason("Nobody reads at night.") @exception("platform")
forbid (principal, action == Action::"git/read_file", resource) when {{ context.time.hour >= 20 }};
@id("never") @reason("Never.")
forbid (principal, action == Action::"git/read_file", resource) when {{ context.input.path like "root*" }};
@id("trial") @reason("A trial.") @mode("observe") @exception("platform")
forbid (principal, action == Action::"git/read_file", resource);
"""
BODY: dict[str, Any] = {"agent": "claude", "action": "git/read_file", "reason": "The audit needs it.", "days": 7}
UID = 61_020
PLATFORM = frozenset({"platform"})
OWNER = Operator("olaf", Role.OWNER, PLATFORM, PLATFORM)
SPEAKS = Operator("olga", Role.OWNER, PLATFORM | {"security"}, PLATFORM)
DIGEST = hashlib.sha256(NO_SECRETS.encode()).hexdigest()


async def prepared(it: Plane, owner: str = "ada") -> None:
    """An agent of ada's, and the tool that it shall be let at."""
    await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "owner": owner})
    await it.show("git", READ_FILE)
    (item,) = (await it.ask("GET", "/v1/catalog/diff"))[1]["items"]
    await it.ask("POST", "/v1/catalog/approve", {"items": [{name: item[name] for name in ("upstream", "kind", "name", "digest")}]})


async def given(it: Plane, uid: int | None = None, **changes: Any) -> tuple[int, Any]:
    """Status and answer of asking for an exception."""
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
    return await (it.ask("POST", "/v1/exceptions", body) if uid is None else it.ask("POST", "/v1/exceptions", body, uid=uid))


async def test_an_exception_holds_is_listed_told_to_the_log_and_ended(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        ends = NOW + 7 * 86_400
        assert await given(it, lifts=["no-secrets"]) == (200, {"id": "waiver-1", "ends": ends, "warnings": []})
        lifts = {PolicyId("no-secrets"): Digest(DIGEST)}
        assert it.kept.of(AgentId("claude")) == (
            Waiver(
                WaiverId("waiver-1"), WaiverKind.EXCEPTION, AgentId("claude"), "git/read_file", lifts, "The audit needs it.", ME, NOW, ends
            ),
        )
        view = {"id": "waiver-1", "agent": "claude", "action": "git/read_file", "lifts": ["no-secrets"], "reason": "The audit needs it."}
        assert (await it.ask("GET", "/v1/exceptions"))[1] == {"exceptions": [{**view, "by": ME, "begins": NOW, "ends": ends, "notes": []}]}
        assert (await it.ask("GET", "/v1/break-glass"))[1] == {"broken": []}
        assert await it.ask("DELETE", "/v1/exceptions/waiver-1") == (200, {"warnings": []})
        assert (it.kept.all(), await it.waivers.load()) == ((), ())
        named = {"waiver": "waiver-1", "agent": "claude", "action": "git/read_file"}
        whole = {**named, "reason": "The audit needs it.", "lifts/no-secrets": DIGEST, "ends": int(ends)}
        assert (await it.events())[-2:] == [("exception_granted", ME, whole), ("exception_ended", ME, named)]
        assert (await it.ask("DELETE", "/v1/exceptions/waiver-1"))[0] == 404


async def test_explain_counts_what_is_waived_and_names_it(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        asked = {"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "secret.txt"}}
        before = (await it.ask("POST", "/v1/policies/explain", asked))[1]
        await given(it, lifts=["no-secrets"])
        after = (await it.ask("POST", "/v1/policies/explain", asked))[1]
        assert [(one["effect"], one["passes"], one["waiver"]) for one in (before, after)] == [
            ("deny", False, None),
            ("allow", True, "waiver-1"),
        ]


async def test_an_exception_holds_only_once_the_log_has_been_told(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        it.log.broken = "no space"
        status, answer = await given(it)
        assert (status, answer["reason"], it.kept.all(), await it.waivers.load()) == (503, "unrecorded", (), ())
        it.log.broken = None
        told: list[str] = []
        it.waivers.on_put = lambda: told.append("put")
        assert (await given(it))[0] == 200
        assert (told, (await it.events())[-1][0]) == (["put"], "exception_granted")


async def test_one_that_could_not_be_kept_does_not_hold_and_the_log_says_so(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        it.waivers.broken = True
        assert ((await given(it))[0], it.kept.all()) == (503, ())
        assert [event for event, _, _ in await it.events()][-2:] == ["exception_granted", "change_failed"]


async def test_an_end_holds_though_neither_store_nor_log_can_be_written(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await given(it)
        it.log.broken, it.waivers.broken = "no space", True
        status, answer = await it.ask("DELETE", "/v1/exceptions/waiver-1")
        assert (status, len(answer["warnings"]), it.kept.all()) == (200, 2, ())


async def test_an_exception_ends_by_itself_and_the_log_says_so(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await given(it, days=None, minutes=5)
        it.clock.at += 300
        assert (await it.ask("GET", "/v1/exceptions"))[1] == {"exceptions": []}
        assert (await it.ask("DELETE", "/v1/exceptions/waiver-1"))[0] == 404
        await it.kept.sweep(it.recorder.note)
        named = {"waiver": "waiver-1", "agent": "claude", "action": "git/read_file"}
        assert (await it.events())[-1] == ("exception_expired", "doorward", named)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"agent": "cluade"}, 404, "unknown_agent"),
        ({"agent": "doorward"}, 404, "unknown_agent"),
        ({"action": "gti/read_file"}, 404, "unknown_upstream"),
        ({"action": "read"}, 404, "unknown_upstream"),
        ({"action": "git/raed_file"}, 404, "unknown_action"),
        ({"action": "git/"}, 404, "unknown_action"),
        ({"lifts": ["no-scerets"]}, 404, "unknown_policy"),
        ({"lifts": ["never"]}, 409, "refused"),
        ({"lifts": ["reads"]}, 409, "refused"),
        ({"lifts": ["trial"]}, 409, "refused"),
        ({"days": None}, 400, "invalid_end"),
        ({"minutes": 5}, 400, "invalid_end"),
        ({"days": None, "until": NOW}, 400, "invalid_end"),
        ({"days": None, "until": NOW + 90 * 86_400 + 1}, 400, "invalid_end"),
        ({"days": 91}, 400, "invalid_body"),
        ({"days": 0}, 400, "invalid_body"),
        ({"reason": " \n"}, 400, "invalid_body"),
        ({"action": ""}, 400, "invalid_body"),
    ],
)
async def test_what_cannot_be_excepted_is_refused_without_a_leaf(tmp_path: Path, changes: dict[str, Any], status: int, reason: str) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        before = await it.events()
        found, answer = await given(it, **changes)
        assert (found, answer["reason"], it.kept.all(), await it.events()) == (status, reason, (), before)


@pytest.mark.parametrize("end", ["never", "Infinity", "NaN", "1e999"])
async def test_there_is_no_exception_without_an_end(tmp_path: Path, end: str) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        body = json.dumps({**BODY, "days": None, "until": "END"}).replace('"END"', f'"{end}"' if end == "never" else end)
        assert ((await it.ask("POST", "/v1/exceptions", body))[0], it.kept.all()) == (400, ())


async def test_an_owner_excepts_for_its_upstreams_and_lifts_only_what_its_teams_may(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        found = {}
        others = frozenset({"support", "security"})
        for name, operator in {"owner": OWNER, "speaks": SPEAKS, "other": Operator("otto", Role.OWNER, others, others)}.items():
            it.operators[UID] = operator
            asked = [[], ["no-nights"], ["no-secrets"], ["no-nights", "no-secrets"]]
            found[name] = [(await given(it, UID, lifts=lifts))[0] for lifts in asked]
        assert found == {"owner": [200, 200, 403, 403], "speaks": [200, 200, 200, 200], "other": [403, 403, 403, 403]}


@pytest.mark.parametrize("owner", [ME, ME.upper(), f"corp:{ME}", f"{ME}@example.com"])
async def test_nobody_gives_an_exception_to_an_agent_of_theirs_not_even_an_admin(tmp_path: Path, owner: str) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it, owner)
        status, answer = await given(it)
        assert (status, answer["reason"], it.kept.all()) == (403, "forbidden", ())


@pytest.mark.parametrize("owner", ["corp:ann", "ann", "Ann", "ann@example.com", "Ann <A.>"])
async def test_nor_through_the_network_door(tmp_path: Path, owner: str) -> None:
    async with network_door(tmp_path, SIGN_IN) as door:
        await prepared(door.it, owner)
        browser = door.browser()
        await browser.sign_in(**ANN)
        got = await browser.change("POST", "/v1/exceptions", BODY)
        assert (got.status, got.reason, door.it.kept.all()) == (403, "forbidden", ())


async def test_over_the_network_an_admin_gives_and_everybody_sees_who_it_was(tmp_path: Path) -> None:
    async with network_door(tmp_path, SIGN_IN) as door:
        await prepared(door.it)
        browser, other = door.browser(), door.browser()
        await browser.sign_in(**ANN)
        await other.sign_in(**LEE)
        assert (await other.change("POST", "/v1/exceptions", BODY)).status == 403
        assert (await browser.change("POST", "/v1/exceptions", BODY)).status == 200
        (waiver,) = door.it.kept.all()
        assert (waiver.by, waiver.names) == ("corp:ann", ("Ann <A.>", "ann"))
        assert json.loads((await other.read("/v1/exceptions")).text)["exceptions"][0]["by"] == "corp:ann"


@pytest.mark.parametrize(
    ("operator", "may"),
    [
        (Operator("olaf", Role.OWNER, PLATFORM, PLATFORM), True),
        (Operator("sue", Role.OWNER, frozenset({"support"}), frozenset({"support"})), True),
        (Operator("seth", Role.APPROVER, frozenset({"security"})), True),
        (Operator(ME, Role.APPROVER), True),
        (Operator("paul", Role.APPROVER, PLATFORM | {"support"}), False),
        (Operator("otto", Role.OWNER, frozenset({"sales"}), frozenset({"sales"})), False),
        (Operator("vic", Role.VIEWER, frozenset({"security"})), False),
    ],
    ids=["owns the upstream", "owns the agent", "speaks for the forbid", "gave it", "approves there", "owns elsewhere", "views"],
)
async def test_an_exception_is_ended_by_those_whom_it_is_about(tmp_path: Path, operator: Operator, may: bool) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await given(it, lifts=["no-secrets"])
        it.operators[UID] = operator
        assert (await it.ask("DELETE", "/v1/exceptions/waiver-1", uid=UID))[0] == (200 if may else 403)
        assert bool(it.kept.all()) is not may


async def test_what_an_exception_names_may_go_and_it_is_listed_as_of_no_use(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await given(it, lifts=["no-secrets", "no-nights"])

        async def notes() -> list[str]:
            found: list[str] = (await it.ask("GET", "/v1/exceptions"))[1]["exceptions"][0]["notes"]
            return found

        await it.ask("POST", "/v1/agents/claude/suspend")
        assert await notes() == ["agent 'claude' is suspended"]
        await it.ask("POST", "/v1/agents/claude/revoke")
        (it.path.parent / "policy.cedar").write_text(POLICY.replace('"secret*"', '"*secret*"').replace("no-nights", "no-evenings"))
        it.path.write_text(json.dumps({**DOCUMENT, "upstreams": {"git": {"url": "https://other.example.com/mcp"}}}))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        assert await notes() == [
            "agent 'claude' is revoked",
            "there is no policy 'no-nights' any more that could be lifted",
            "policy 'no-secrets' has another text than when it was lifted, so it is not lifted any more",
        ]
        (it.path.parent / "policy.cedar").write_text("")
        it.path.write_text(json.dumps({**DOCUMENT, "upstreams": {}}))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        assert (await notes())[1] == "there is no upstream 'git', there are: none"
        assert (await given(it))[1]["reason"] == "refused"
        assert (await it.ask("DELETE", "/v1/exceptions/waiver-1"))[0] == 200


async def test_the_anonymous_agent_can_be_excepted_though_nobody_owns_it(tmp_path: Path) -> None:
    document = {**DOCUMENT, "identity": {"anonymous": {"agent": "local-tools"}}}
    async with plane(tmp_path, document, POLICY) as it:
        await prepared(it)
        assert (await given(it, agent="local-tools"))[0] == 200
        assert (await it.ask("GET", "/v1/exceptions"))[1]["exceptions"][0]["notes"] == []


async def test_one_agent_has_only_so_many_and_the_log_is_not_filled_with_the_rest(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        found = [(await given(it))[0] for _ in range(22)]
        assert found == [200] * 20 + [409] * 2
        assert [event for event, _, _ in await it.events()].count("exception_granted") == 20
