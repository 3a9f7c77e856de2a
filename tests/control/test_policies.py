"""Policy explained to operators: the decision, the rules and the facts, as the data plane would have them."""

from pathlib import Path
from typing import Any

import pytest

from tests.control.plane import DOCUMENT, NOW, POLICY, READ_FILE, Plane, plane, tool

pytestmark = pytest.mark.anyio


async def accept(it: Plane) -> None:
    """`git/read_file` and `time/now` are accepted, `claude` is known."""
    await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support"})
    await it.show("git", READ_FILE)
    await it.show("time", tool("now"))
    _, shown = await it.ask("GET", "/v1/catalog/diff")
    items = [{name: item[name] for name in ("upstream", "kind", "name", "digest")} for item in shown["items"]]
    assert (await it.ask("POST", "/v1/catalog/approve", {"items": items}))[0] == 200


async def explained(it: Plane, **more: Any) -> dict[str, Any]:
    body = {"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "notes"}, **more}
    status, answer = await it.ask("POST", "/v1/policies/explain", body)
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


async def test_an_allowed_call_names_its_policy_and_the_facts_read(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        answer = await explained(it)
        assert (answer["effect"], answer["passes"], answer["policies"], answer["standing"]) == ("allow", True, ["reads"], "approved")
        assert {one["policy"]: one["match"] for one in answer["considered"]} == {
            "reads": "matched",
            "no-secrets": "did not match",
            "ask-late": "did not match",
        }
        facts = {fact["name"]: fact["value"] for fact in answer["facts"]}
        assert (facts["context.input.path"], facts["context.time.hour"]) == ("notes", 12)


async def test_a_denial_by_argument_tells_what_the_agent_would_be_told(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        answer = await explained(it, arguments={"path": "secret/key"})
        assert (answer["effect"], answer["passes"], answer["policies"], answer["sentence"]) == (
            "deny",
            False,
            ["no-secrets"],
            "Nobody reads secrets.",
        )


async def test_another_moment_may_be_asked_about(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        answer = await explained(it, at=NOW + 9 * 3600)
        assert (answer["effect"], answer["passes"], answer["approvers"], answer["at"]) == (
            "ask",
            False,
            ["ops"],
            "2026-11-18T21:00:00+00:00",
        )


async def test_numbers_keep_their_digits_and_what_policy_cannot_hold_is_not_rounded(tmp_path: Path) -> None:
    reading = '@id("all") @reason("r") permit (principal, action, resource) when { context.input has share };'
    async with plane(tmp_path, policy=reading) as it:
        await accept(it)
        text = '{"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "a", "share": 0.30000000000000001665}}'
        status, answer = await it.ask("POST", "/v1/policies/explain", text)
        assert status == 200
        assert [fact["value"] for fact in answer["facts"] if fact["name"] == "context.input.share"] == ["0.30000000000000001665"]


async def test_doubtful_json_is_refused_as_on_the_data_plane(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        text = '{"agent": "claude", "upstream": "git", "name": "read_file", "arguments": {"path": "a", "path": "secret"}}'
        status, answer = await it.ask("POST", "/v1/policies/explain", text)
        assert (status, answer["reason"]) == (400, "invalid_body")


async def test_an_observed_upstream_passes_what_policy_denies(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        answer = await explained(it, upstream="time", name="now", arguments={})
        assert (answer["effect"], answer["passes"], answer["posture"]) == ("deny", True, "observe")


async def test_a_withheld_definition_does_not_pass_whatever_policy_says(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        await it.show("git", {**READ_FILE, "description": "Reads, and more."})
        answer = await explained(it)
        assert (answer["standing"], answer["passes"]) == ("drifted", False)


async def test_a_resource_is_decided_by_its_uri(tmp_path: Path) -> None:
    reading = '@id("all") @reason("r") permit (principal, action, resource) when { context.input has uri && context.input.uri like "file:///srv/*" };'
    async with plane(tmp_path, policy=reading) as it:
        await accept(it)
        effects = [(await explained(it, kind="resource", name=uri))["effect"] for uri in ("file:///srv/a", "file:///etc/a")]
        assert effects == ["allow", "deny"]


async def test_who_calls_without_a_key_can_be_explained_too(tmp_path: Path) -> None:
    document = {**DOCUMENT, "identity": {"anonymous": {"agent": "guest"}}}
    async with plane(tmp_path, document) as it:
        await accept(it)
        assert (await explained(it, agent="guest"))["effect"] == "allow"


async def test_unknown_agents_and_targets_are_not_found(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        body = {"agent": "claude", "upstream": "git", "name": "read_file"}
        asked = [
            await it.ask("POST", "/v1/policies/explain", {**body, "agent": "nobody"}),
            await it.ask("POST", "/v1/policies/explain", {**body, "name": "raed_file"}),
            await it.ask("POST", "/v1/policies/explain", {**body, "upstream": "gti"}),
        ]
        assert [(status, answer["reason"]) for status, answer in asked] == [
            (404, "unknown_agent"),
            (404, "unknown_target"),
            (404, "unknown_target"),
        ]


async def test_the_policies_in_force_are_listed_with_their_places(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        _, answer = await it.ask("GET", "/v1/policies")
        assert answer["digest"] == it.generations.current.policies.digest
        path = str(tmp_path / "policy.cedar")
        assert [(rule["id"], rule["effect"], rule["approver"], rule["path"], rule["line"]) for rule in answer["policies"]] == [
            ("reads", "permit", None, path, 1),
            ("no-secrets", "forbid", None, path, 3),
            ("ask-late", "forbid", "ops", path, 5),
        ]
        assert [(rule["team"], rule["people"], rule["owner_may"], rule["liftable_by"]) for rule in answer["policies"]] == [
            ("", 0, False, None),
            ("", 0, False, None),
            ("", 1, False, None),
        ]


CHAINED = """
@id("claude-reads")
@reason("Claude reads for people.")
permit (principal == Agent::"claude", action == Action::"git/read_file", resource)
when { principal has user && principal.user.issuer == "corp" && context.bound == "dpop" };

@id("planner-asks")
@reason("A person looks at what the planner has read.")
@approval("leads")
forbid (principal == Agent::"planner", action, resource);

@id("planner-reads")
@reason("The planner reads what its people may read.")
permit (principal == Agent::"planner", action, resource)
when { principal in Group::"corp:staff" };
"""


async def test_a_call_for_a_person_by_the_rights_of_others_can_be_explained(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=CHAINED) as it:
        await accept(it)
        await it.ask("POST", "/v1/agents", {"id": "planner", "team": "support"})
        assert (await explained(it))["effect"] == "deny"
        token = {"user": "corp:ann", "issuer": "self", "bound": "dpop", "scopes": ["mcp:git:read"]}
        alone = await explained(it, **token)
        assert (alone["effect"], alone["passes"], alone["scope"]) == ("allow", False, "mcp:git")
        assert (await explained(it, **{**token, "scopes": ["mcp:git"]}))["passes"] is True
        assert (await explained(it, **token, actors=["planner"]))["reason"].startswith("agent planner, which it acts for, may not")
        whole = await explained(it, **token, actors=["planner"], groups=["corp:staff"])
        assert (whole["effect"], whole["approvers"]) == ("ask", ["leads"])
        assert [(one["policy"], one["actor"]) for one in whole["considered"]] == [
            ("claude-reads", ""),
            ("planner-asks", "planner"),
            ("planner-reads", "planner"),
        ]
        facts = {fact["name"]: fact["value"] for fact in whole["facts"]}
        assert (facts["principal.user.issuer"], facts["context.bound"]) == ("corp", "dpop")


async def test_nobody_acts_by_the_rights_of_an_agent_that_is_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        body = {"agent": "claude", "upstream": "git", "name": "read_file", "actors": ["nobody"]}
        status, answer = await it.ask("POST", "/v1/policies/explain", body)
        assert (status, answer["reason"]) == (404, "unknown_agent")


async def test_a_decision_is_told_with_the_smallest_changes_that_flip_it(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await accept(it)
        denied = await explained(it, arguments={"path": "secret/key"})
        assert denied["flips"][0] == {
            "sentence": 'path not like `secret*` (say, "/key") instead of "secret/key" → allow by reads',
            "changes": ['path not like `secret*` (say, "/key") instead of "secret/key"'],
            "realm": "arguments",
            "effect": "allow",
            "policies": ["reads"],
        }
        assert (denied["agent"], denied["tried"] > 1, denied["tried_all"]) == ("claude", True, True)
        asked = await explained(it, at=NOW + 9 * 3600)
        assert [(one["realm"], one["effect"]) for one in asked["flips"]][:2] == [("context", "allow"), ("approval", "allow")]


async def test_a_context_may_be_supposed_and_is_the_agents_own_otherwise(tmp_path: Path) -> None:
    led = '@id("led") @reason("r") forbid (principal, action, resource) when { context.session.tainted_arguments.contains("path") };'
    async with plane(tmp_path, policy=POLICY + led) as it:
        await accept(it)
        session = {"integrity": "untrusted", "tainted": {"/path": "mail"}}
        there, without = await explained(it, session=session), await explained(it)
        assert (there["effect"], there["policies"], without["effect"]) == ("deny", ["led"], "allow")
        assert {fact["name"]: fact["value"] for fact in there["facts"]}["context.session.tainted_arguments"] == ["path"]
        body = {"agent": "claude", "upstream": "git", "name": "read_file", "session": {"tainted": {"path": "mail"}}}
        assert (await it.ask("POST", "/v1/policies/explain", body))[0] == 400
