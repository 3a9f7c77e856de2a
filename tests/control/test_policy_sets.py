"""Sets of policies that were in force: listed, compared, and gone back to."""

from pathlib import Path
from typing import Any

import pytest

from tests.control.plane import ANN, ME, POLICY, READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

OPEN = POLICY.replace('@id("no-secrets")', '@id("no-drafts")')
CLOSED = '@id("nothing") @reason("Nothing.") forbid (principal, action, resource);\n'


async def then(it: Plane, policy: str) -> str:
    """The digest of the set that is in force once the file says this."""
    (it.path.parent / "policy.cedar").write_text(policy)
    assert (await it.ask("POST", "/v1/reload"))[0] == 200
    return it.generations.current.policies.digest


async def listed(it: Plane, query: str = "") -> list[tuple[Any, ...]]:
    _, answer = await it.ask("GET", f"/v1/policies/sets{query}", uid=ANN)
    return [(one["digest"], one["why"], one["by"], one["is_in_force"], one["is_rolled_back"]) for one in answer["entries"]]


async def test_history_says_what_was_in_force_and_who_put_it_there(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        one = it.generations.current.policies.digest
        it.clock.at += 60
        two = await then(it, OPEN)
        assert await listed(it) == [(two, "reload", ME, True, False), (one, "start", "doorward", False, False)]
        _, answer = await it.ask("GET", "/v1/policies/sets?limit=1")
        (entry,) = answer["entries"]
        assert entry == {
            "number": 2,
            "digest": two,
            "at": "2026-11-18T12:01:00Z",
            "by": ME,
            "why": "reload",
            "generation": 2,
            "policies": 3,
            "files": 1,
            "reason": "",
            "is_rolled_back": False,
            "is_in_force": True,
        }
        assert await listed(it, f"?before={answer['next']}") == [(one, "start", "doorward", False, False)]


async def test_the_files_of_a_set_are_shown_by_the_beginning_of_its_digest(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        one = it.generations.current.policies.digest
        await then(it, OPEN)
        _, answer = await it.ask("GET", f"/v1/policies/sets/{one[:12]}")
        assert answer == {"digest": one, "files": [{"path": str(tmp_path / "policy.cedar"), "text": POLICY, "team": ""}]}
        for said in (one[:5], "0" * 12, "none"):
            status, answer = await it.ask("GET", f"/v1/policies/sets/{said}")
            assert (status, answer["reason"]) == (404, "unknown_set")


async def test_the_set_in_force_is_compared_with_the_one_before_unless_others_are_named(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        one = it.generations.current.policies.digest
        assert (await it.ask("POST", "/v1/policies/diff", {}))[1]["reason"] == "no_other"
        two = await then(it, OPEN)
        three = await then(it, CLOSED)
        for body, pair, changed in (
            ({}, (two, three), (["nothing"], ["ask-late", "no-drafts", "reads"], [])),
            ({"before": one[:9]}, (one, three), (["nothing"], ["ask-late", "no-secrets", "reads"], [])),
            ({"before": one, "after": two}, (one, two), (["no-drafts"], ["no-secrets"], [])),
        ):
            _, answer = await it.ask("POST", "/v1/policies/diff", body, uid=ANN)
            assert (answer["before"], answer["after"]) == pair
            assert (answer["added"], answer["removed"], answer["changed"]) == changed
            assert len(answer["files"]) == 1


async def test_a_candidate_is_compared_with_what_is_in_force(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        candidate = [{"path": "/home/ann/policy.cedar", "text": POLICY.replace("Nobody", "No one") + "permit (nobody);"}]
        _, answer = await it.ask("POST", "/v1/policies/diff", {"candidate": candidate})
        assert (answer["after"], answer["changed"], answer["added"]) == ("candidate", ["no-secrets"], [])
        assert answer["problems"][0].startswith("/home/ann/policy.cedar:7:")
        status, answer = await it.ask("POST", "/v1/policies/diff", {"candidate": candidate, "before": "0" * 12})
        assert (status, answer["reason"]) == (400, "invalid_body")


async def test_policies_are_rolled_back_and_that_is_said_until_it_is_undone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        one = it.generations.current.policies.digest
        two = await then(it, OPEN)
        status, answer = await it.ask("POST", "/v1/policies/rollback", {"digest": one[:12], "reason": "drafts leak"})
        assert (status, answer["digest"], answer["generation"]) == (200, one, 3)
        assert any("the files on disk are not in force" in warning for warning in answer["warnings"])
        assert any("the files on disk are not in force" in one for one in (await it.ask("GET", "/v1/status"))[1]["warnings"])
        assert (await listed(it))[0] == (one, "rollback", ME, True, True)
        told = [(kind, by, fields["reason"]) for kind, by, fields in await it.events() if kind == "policies_rolled_back"]
        assert told == [("policies_rolled_back", ME, "drafts leak")]
        status, answer = await it.ask("POST", "/v1/policies/rollback/undo")
        assert (status, answer["digest"], it.generations.current.policies.digest) == (200, two, two)
        assert (await listed(it))[0] == (two, "undo", ME, True, False)
        assert [sentence.partition(";")[0] for sentence in it.loud] == [
            f"policies are rolled back to {one[:12]}",
            "policies are those of the files on disk again",
        ]
        assert (await it.ask("POST", "/v1/policies/rollback/undo"))[1]["problems"] == ["no rollback is in force: the policy files are"]


async def test_a_set_that_does_not_fit_is_refused_with_its_problems_and_nothing_changes(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await it.show("git", READ_FILE)
        for entry in it.generations.current.index.everything():
            body = {"items": [{"upstream": "git", "kind": "tool", "name": entry.target.name, "digest": entry.definition.digest}]}
            assert (await it.ask("POST", "/v1/catalog/approve", body))[0] == 200
        one = await then(it, POLICY + CLOSED)
        two = await then(it, CLOSED)
        withdrawn = {"items": [{"upstream": "git", "kind": "tool", "name": "read_file"}]}
        assert (await it.ask("POST", "/v1/catalog/withdraw", withdrawn))[0] == 200
        await it.show("git", {**READ_FILE, "inputSchema": {"type": "object", "properties": {"path": {"type": "integer"}}}})
        for entry in it.generations.current.index.everything():
            body = {"items": [{"upstream": "git", "kind": "tool", "name": entry.target.name, "digest": entry.definition.digest}]}
            assert (await it.ask("POST", "/v1/catalog/approve", body))[0] == 200
        status, answer = await it.ask("POST", "/v1/policies/rollback", {"digest": one, "reason": "back"})
        assert (status, answer["reason"]) == (409, "not_rolled_back")
        assert "policy.cedar:4:" in answer["problems"][0]
        assert it.generations.current.policies.digest == two
        assert [kind for kind, _, _ in await it.events() if kind == "policies_rolled_back"] == []
