"""From an operator's word to the decision: what is given passes, no longer than it was given for, and nothing else does."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from doorward.domain.actors import Principal, Subject
from doorward.domain.catalog import Kind
from doorward.domain.decisions import Allow, Decision, Deny
from doorward.domain.ids import PolicyId, SubjectId, UpstreamId
from doorward.policy.question import Moment
from tests import made
from tests.control.plane import DOCUMENT, ME, READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

POLICY = """\
@id("no-secrets") @reason("Nobody reads secrets.") @exception("security")
forbid (principal, action == Action::"git/read_file", resource) when { context.input.path like "secret*" };
@id("never") @reason("Never.")
forbid (principal, action == Action::"git/read_file", resource) when { context.input.path like "root*" };
"""
NAMED: dict[str, Any] = {**DOCUMENT, "policies": {"files": ["policy.cedar"], "break_glass": {"operators": [ME]}}}
EXCEPTION = {"agent": "claude", "action": "git/read_file", "reason": "The audit needs it.", "minutes": 5, "lifts": ["no-secrets"]}
GLASS = {"agent": "claude", "minutes": 5, "reason": "everything is down"}
SECRET, ROOT, OTHER = "secrets.txt", "root.txt", "notes.txt"


async def prepared(it: Plane) -> None:
    await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support", "owner": "ada"})
    await it.show("git", READ_FILE)
    (item,) = (await it.ask("GET", "/v1/catalog/diff"))[1]["items"]
    await it.ask("POST", "/v1/catalog/approve", {"items": [{name: item[name] for name in ("upstream", "kind", "name", "digest")}]})


def decided(it: Plane, path: str, by: Principal | None = None) -> Decision:
    """The decision on a call of the tool with what is waived now."""
    snapshot = it.generations.current
    entry = snapshot.index.resolve(UpstreamId("git"), Kind.TOOL, "read_file")
    assert entry is not None
    call = made.call({"path": path}, by=by or made.principal("claude"), to=entry.target)
    return snapshot.policies.decide(call, Moment(it.clock(), UTC), it.kept.besides_own(call.principal))


def passing(it: Plane, by: Principal | None = None) -> dict[str, str | None]:
    """The paths whose calls are allowed, each with the waiver that did it."""
    found = {path: decided(it, path, by) for path in (SECRET, ROOT, OTHER)}
    return {path: decision.waiver for path, decision in found.items() if isinstance(decision, Allow)}


async def test_an_exception_permits_and_lifts_what_it_names_until_its_end(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        assert passing(it) == {}
        await it.ask("POST", "/v1/exceptions", EXCEPTION)
        assert passing(it) == {SECRET: "waiver-1", OTHER: "waiver-1"}
        assert passing(it, made.principal("other")) == {}
        it.clock.at += 300
        assert passing(it) == {}


async def test_an_exception_that_is_ended_lets_nothing_pass_from_the_next_call_on(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await it.ask("POST", "/v1/exceptions", EXCEPTION)
        await it.ask("DELETE", "/v1/exceptions/waiver-1")
        assert passing(it) == {}


async def test_a_forbid_whose_text_has_changed_is_not_lifted_any_more(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await it.ask("POST", "/v1/exceptions", EXCEPTION)
        (tmp_path / "policy.cedar").write_text(POLICY.replace('"secret*"', '"sec*"'))
        assert (await it.ask("POST", "/v1/reload"))[0] == 200
        assert passing(it) == {OTHER: "waiver-1"}


async def test_who_gave_it_gets_nothing_out_of_it(tmp_path: Path) -> None:
    async with plane(tmp_path, policy=POLICY) as it:
        await prepared(it)
        await it.ask("POST", "/v1/exceptions", EXCEPTION)
        for subject, count in ((f"corp:{ME}", 0), ("corp:carl", 2)):
            assert len(passing(it, replace(made.principal("claude"), subject=Subject(SubjectId(subject), frozenset())))) == count


async def test_a_broken_glass_lets_everything_pass_and_says_what_would_have_been_denied(tmp_path: Path) -> None:
    async with plane(tmp_path, NAMED, POLICY) as it:
        await prepared(it)
        await it.ask("POST", "/v1/break-glass", GLASS)
        assert passing(it) == dict.fromkeys((SECRET, ROOT, OTHER), "waiver-1")
        decision = decided(it, ROOT)
        assert isinstance(decision, Allow)
        assert decision.would is not None
        assert decision.would.policies == (PolicyId("never"),)
        await it.ask("DELETE", "/v1/break-glass/waiver-1")
        assert isinstance(decided(it, ROOT), Deny)


async def test_a_glass_that_was_not_recorded_lets_nothing_pass(tmp_path: Path) -> None:
    async with plane(tmp_path, NAMED, POLICY) as it:
        await prepared(it)
        it.log.broken = "no space"
        await it.ask("POST", "/v1/break-glass", GLASS)
        assert passing(it) == {}
