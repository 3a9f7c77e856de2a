"""A recorded call explained: by the policies of its time, and by those of today."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorward.domain.actors import Subject
from doorward.domain.ids import CallId, Generation, SubjectId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Refusal
from tests import made
from tests.control.decided import decided
from tests.control.plane import ME, POLICY, READ_FILE, Plane, plane
from tests.control.test_policy_sets import CLOSED, then
from tests.control.test_replays import READS, accept, ready, rule

pytestmark = pytest.mark.anyio


async def explained(it: Plane, call: str) -> Any:
    status, answer = await it.ask("GET", f"/v1/policies/explain/{call}")
    assert status == 200, answer
    return answer


async def test_a_past_decision_is_explained_by_the_policies_of_its_time_and_compared_with_those_of_today(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        call, _ = await decided(it, {"path": "secret/x"})
        digest = it.generations.current.policies.digest
        await then(it, READS)
        answer = await explained(it, call)
        assert {
            name: answer[name] for name in ("call", "agent", "recorded", "reason", "policy_set", "lost", "agrees", "today", "differs")
        } == {
            "call": call,
            "agent": "claude",
            "recorded": {"effect": "deny", "policies": ["no-secrets"]},
            "reason": "forbidden",
            "policy_set": digest,
            "lost": [],
            "agrees": True,
            "today": {"effect": "allow", "policies": ["reads"]},
            "differs": True,
        }
        told = answer["then"]
        assert (told["effect"], told["policies"], told["at"]) == ("deny", ["no-secrets"], "2026-11-18T12:00:00+00:00")
        assert {one["policy"]: one["match"] for one in told["considered"]} == {
            "reads": "matched",
            "no-secrets": "matched",
            "ask-late": "did not match",
        }
        assert {"name": "context.input.path", "value": "secret/x", "is_there": True} in told["facts"]


async def test_that_somebody_looked_is_told_to_the_log(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        call, _ = await decided(it)
        await explained(it, call)
        assert ("contents_read", ME, {"call": call}) in await it.events()


async def test_a_call_of_the_policies_in_force_is_decided_the_same(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        person = replace(made.principal(), subject=Subject(SubjectId("corp:ann"), frozenset({"corp:staff"})))
        call, _ = await decided(it, by=person)
        answer = await explained(it, call)
        assert (answer["then"]["effect"], answer["agrees"], answer["differs"], answer["reason"]) == ("allow", True, False, "")


async def test_what_cannot_be_restored_is_said(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        call, _ = await decided(it)
        await it.log.sweep(int((it.clock() + 60) * 1e6))
        answer = await explained(it, call)
        assert (answer["then"], answer["agrees"], answer["today"], answer["differs"]) == (None, None, None, None)
        assert answer["lost"] == answer["today_lost"] == ["policies read the arguments, which are not kept (any more)"]


async def test_policies_of_then_that_do_not_fit_any_more_or_are_not_kept_are_said(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        call, _ = await decided(it)
        digest = it.generations.current.policies.digest
        await then(it, READS)
        await accept(it, {**READ_FILE, "inputSchema": {"type": "object", "properties": {"path": {"type": "integer"}}}})
        answer = await explained(it, call)
        assert answer["lost"][0] == "the policies that decided it do not fit the configuration and catalogue of now:"
        assert ":4:" in answer["lost"][1]
        assert (answer["today"]["effect"], answer["differs"]) == ("allow", False)
        (entry,) = [one for one in await it.sets.entries(None, 9) if one.digest == digest]
        await it.sets.drop(entry.number)
        assert (await explained(it, call))["lost"] == ["the set of policies that decided it is not kept any more"]


async def test_a_catalogue_that_decides_otherwise_by_now_shows(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await then(it, POLICY + rule('forbid (principal, action, resource) when { principal.owner == "ann" }', "not-ann"))
        call, _ = await decided(it)
        assert (await it.ask("POST", "/v1/agents/claude/edit", {"owner": "ann"}))[0] == 200
        answer = await explained(it, call)
        assert (answer["recorded"]["effect"], answer["then"]["effect"], answer["agrees"]) == ("allow", "deny", False)


async def test_a_refusal_that_policy_did_not_make_is_explained_as_such(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await then(it, CLOSED)
        early = Refusal(
            CallId("early"),
            made.principal(),
            "tools/call",
            "git",
            "tool",
            "read_file",
            None,
            Reason.STOPPED,
            "halt",
            (),
            (),
            Generation(1),
            "",
        )
        await it.recorder.refuse(early)
        answer = await explained(it, "early")
        assert (answer["recorded"], answer["reason"], answer["detail"], answer["differs"]) == (None, "stopped", "halt", None)
        assert answer["lost"] == ["the log does not say which policies decided it"]
        assert (await it.ask("GET", "/v1/policies/explain/none"))[1]["reason"] == "unknown_call"
