"""Recorded calls under other policies: what would change, what nobody can say, and who may ask."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from doorward.domain.actors import Actor, AuthnMethod, Principal, Subject
from doorward.domain.catalog import Kind
from doorward.domain.ids import CallId, Generation, SubjectId, UpstreamId
from doorward.domain.reasons import Reason
from doorward.domain.receipts import Refusal
from doorward.wire.naming import advertise
from tests import made
from tests.control.decided import decided
from tests.control.plane import DOCUMENT, ME, POLICY, READ_FILE, Plane, plane

pytestmark = pytest.mark.anyio

READS = '@id("reads") @reason("Reading is fine.")\npermit (principal, action == Action::"git/read_file", resource);\n'
STRICT = f"""{READS}
@id("no-ab") @reason("Neither a nor b.")
forbid (principal, action == Action::"git/read_file", resource) when {{ ["a", "b"].contains(context.input.path) }};
"""
PREFIXED = advertise(UpstreamId("git"), "read_file")
BARE = "permit (principal, action, resource)"


def rule(text: str, name: str = "p") -> str:
    return f'@id("{name}") @reason("So.")\n{text};\n'


async def replayed(it: Plane, *texts: str, **span: str) -> Any:
    """The answer for a candidate of these policies."""
    body = {"files": [{"path": "candidate.cedar", "text": "".join(texts)}], **span}
    status, answer = await it.ask("POST", "/v1/policies/replay", body)
    assert status == 200, answer
    return answer


def totals(answer: Any) -> tuple[int, int, int, int, int]:
    assert answer["calls"] == answer["same"] + answer["changed"] + answer["unknown"] + answer["undecided"]
    return answer["calls"], answer["same"], answer["changed"], answer["unknown"], answer["undecided"]


async def ready(it: Plane) -> None:
    """`claude` is registered, and `read_file` accepted."""
    await it.ask("POST", "/v1/agents", {"id": "claude", "team": "support"})
    await accept(it, READ_FILE)


async def accept(it: Plane, body: dict[str, Any]) -> None:
    """A tool of `git` as it is shown now, accepted."""
    await it.show("git", body)
    entry = it.generations.current.index.resolve(UpstreamId("git"), Kind.TOOL, str(body["name"]))
    assert entry is not None
    item = {"upstream": "git", "kind": "tool", "name": body["name"], "digest": entry.definition.digest}
    assert (await it.ask("POST", "/v1/catalog/approve", {"items": [item]}))[0] == 200


def person(name: str, *groups: str) -> Principal:
    """`claude`, acting for somebody."""
    return replace(made.principal(), subject=Subject(SubjectId(name), frozenset(groups)))


async def test_the_policies_in_force_change_nothing(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        for path in ("a", "b", "secret/x"):
            await decided(it, {"path": path})
        it.clock.at += 9 * 3600
        await decided(it, {"path": "a"})
        answer = await replayed(it, POLICY)
        assert (totals(answer), answer["changes"], answer["unknowns"]) == ((4, 4, 0, 0, 0), [], [])
        assert answer["candidate"] != it.generations.current.policies.digest  # another path


async def test_what_would_change_is_told_by_agent_and_tool_with_an_example(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it, {"path": "a"})
        it.clock.at += 60
        newest, _ = await decided(it, {"path": "b"})
        secret, _ = await decided(it, {"path": "secret/x"})
        await decided(it, {"path": "c"})
        answer = await replayed(it, STRICT)
        thing = {"agent": "claude", "upstream": "git", "kind": "tool", "name": "read_file"}
        begun, later = "2026-11-18T12:00:00.000000Z", "2026-11-18T12:01:00.000000Z"
        assert totals(answer) == (4, 1, 3, 0, 0)
        assert answer["changes"] == [
            {
                **thing,
                "before": {"effect": "allow", "policies": ["reads"]},
                "after": {"effect": "deny", "policies": ["no-ab"]},
                "calls": 2,
                "first": begun,
                "last": later,
                "example": newest,
            },
            {
                **thing,
                "before": {"effect": "deny", "policies": ["no-secrets"]},
                "after": {"effect": "allow", "policies": ["reads"]},
                "calls": 1,
                "first": later,
                "last": later,
                "example": secret,
            },
        ]
        assert answer["is_whole"]


async def test_what_policy_only_watched_and_what_waits_is_compared_by_what_policy_said(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        it.clock.at += 9 * 3600
        await decided(it, {"path": "late"})
        answer = await replayed(it, READS)
        (change,) = answer["changes"]
        assert (change["before"], change["after"]["effect"]) == ({"effect": "ask", "policies": ["ask-late"]}, "allow")
        assert totals(await replayed(it, POLICY)) == (1, 1, 0, 0, 0)


async def test_a_team_layer_is_replaced_alone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        for team, changed in (("platform", 1), ("elsewhere", 0)):
            layer = [{"path": "t.cedar", "text": rule("forbid (principal, action, resource)"), "team": team}]
            status, answer = await it.ask("POST", "/v1/policies/replay", {"files": layer})
            assert (status, totals(answer)[2]) == (200, changed)


async def test_persons_and_groups_are_told_apart_without_their_names(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        for who in (person("corp:ann", "corp:staff"), person("corp:bob", "corp:board", "corp:staff"), person("eve"), made.principal()):
            await decided(it, by=who)
        named = READS + rule('forbid (principal in User::"corp:ann", action, resource)', "not-ann")
        assert totals(await replayed(it, named)) == (4, 3, 1, 0, 0)
        grouped = READS + rule('forbid (principal, action, resource) when { principal in Group::"corp:board" }', "no-board")
        assert totals(await replayed(it, grouped)) == (4, 3, 1, 0, 0)
        vouched = READS + rule(
            'forbid (principal, action, resource) when { principal has user && principal.user.issuer == "corp" }', "no-corp"
        )
        assert totals(await replayed(it, vouched)) == (4, 2, 2, 0, 0)
        assert "ann" not in str([leaf async for leaf in _texts(it)])


async def test_everybody_of_a_chain_is_asked_about(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await it.ask("POST", "/v1/agents", {"id": "planner", "team": "research"})
        await decided(it, by=replace(made.principal(), actors=(Actor("p", "corp", made.principal("planner").agent),)))
        assert totals(await replayed(it, READS + rule('forbid (principal == Agent::"planner", action, resource)', "not-planner")))[2] == 1
        assert totals(await replayed(it, READS + rule('forbid (principal in Team::"research", action, resource)', "no-research")))[1] == 1


async def _texts(it: Plane) -> Any:
    for located in await it.log.leaves(0, 10_000):
        yield located.leaf.decode()


async def unknown(it: Plane, *texts: str) -> str:
    """Why the one call of the log cannot be decided."""
    answer = await replayed(it, *texts)
    assert totals(answer) == (1, 0, 0, 1, 0)
    (found,) = answer["unknowns"]
    return str(found["cause"])


NETWORK = READS + rule("forbid (principal, action, resource) when { context has network && context.network.isLoopback() }", "not-here")
OWNED = READS + rule('forbid (principal, action, resource) when { principal.owner == "nobody" }', "owned")


async def test_the_network_is_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        assert await unknown(it, NETWORK) == "network"


async def test_arguments_that_are_not_kept_any_more_are_not_known_unless_no_argument_could_help(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        await it.log.sweep(int((it.clock() + 60) * 1e6))
        assert await unknown(it, STRICT) == "arguments_gone"
        assert totals(await replayed(it, READS)) == (1, 1, 0, 0, 0)
        assert totals(await replayed(it, STRICT.replace("permit (principal, action", 'permit (principal == Agent::"x", action'))) == (
            1,
            0,
            1,
            0,
            0,
        )


async def test_arguments_of_which_the_beginning_alone_was_kept_are_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it, {"path": "x" * 70_000})
        assert await unknown(it, STRICT) == "arguments_cut"


async def test_arguments_that_were_altered_are_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        await decided(it)
        boxes = it.log._boxes
        one, other = sorted(boxes)[-2:]
        boxes[one], boxes[other] = msgspec.structs.replace(boxes[one], sealed=b"x" * 40), boxes[one]
        answer = await replayed(it, STRICT)
        assert [(found["cause"], found["calls"]) for found in answer["unknowns"]] == [("arguments_altered", 2)]


async def test_an_agent_that_nobody_knows_is_not_known_where_its_owner_is_read(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it, by=made.principal("stranger"))
        assert await unknown(it, OWNED) == "agent_unknown"
        assert totals(await replayed(it, READS)) == (1, 1, 0, 0, 0)


async def test_groups_beyond_what_a_leaf_holds_are_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it, by=person("corp:ann", *(f"corp:g{number}" for number in range(70))))
        assert await unknown(it, READS + rule('forbid (principal in Group::"corp:other", action, resource)', "no-other")) == "groups"
        assert totals(await replayed(it, READS + rule('forbid (principal in User::"corp:eve", action, resource)', "no-eve"))) == (
            1,
            1,
            0,
            0,
            0,
        )


async def test_a_definition_that_has_changed_or_gone_is_not_known(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        await accept(it, {**READ_FILE, "description": "Reads, otherwise."})
        assert await unknown(it, STRICT) == "definition_changed"
        assert totals(await replayed(it, READS)) == (1, 1, 0, 0, 0)
        items = {"items": [{"upstream": "git", "kind": "tool", "name": "read_file"}]}
        assert (await it.ask("POST", "/v1/catalog/withdraw", items))[0] == 200
        assert await unknown(it, rule(BARE)) == "definition_gone"


async def test_what_policy_did_not_decide_is_counted_apart_and_the_gateways_own_calls_not_at_all(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        await refused(it, Reason.STOPPED)
        await refused(it, Reason.UNKNOWN_TARGET)
        own = replace(made.principal(), method=AuthnMethod.OWN)
        await refused(it, Reason.UPSTREAM_UNREACHABLE, own)
        answer = await replayed(it, READS)
        assert totals(answer) == (3, 1, 0, 0, 2)
        assert answer["not_decided_by_policy"] == [{"reason": "stopped", "calls": 1}, {"reason": "unknown_target", "calls": 1}]


async def test_what_was_hidden_is_known_by_a_name_among_all_upstreams_alone(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await refused(it, Reason.FORBIDDEN, name="read_file")
        assert await unknown(it, READS) == "target"
        it.clock.at += 60
        await refused(it, Reason.FORBIDDEN, name=PREFIXED)
        closed = await replayed(it, READS.replace("permit (principal", 'permit (principal == Agent::"x"'), since="10s")
        assert totals(closed) == (1, 1, 0, 0, 0)
        assert totals(await replayed(it, READS, since="10s")) == (1, 0, 1, 0, 0)
        assert (await replayed(it, STRICT, since="10s"))["unknowns"][0]["cause"] == "arguments_gone"
        await it.show("git", READ_FILE, {**READ_FILE, "name": PREFIXED})
        assert (await replayed(it, READS, since="10s"))["unknowns"][0]["cause"] == "target"


async def refused(it: Plane, reason: Reason, by: Principal | None = None, name: str = "x") -> None:
    """A refusal before there was a call."""
    who = by or made.principal()
    refusal = Refusal(CallId("early"), who, "tools/call", "", "upstream", name, None, reason, "", (), (), Generation(1), "")
    await it.recorder.refuse(refusal)


async def test_the_span_the_agent_and_the_upstream_narrow_it_down(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        await decided(it)
        it.clock.at += 3600
        await decided(it, by=made.principal("other"))
        counts = [
            (await replayed(it, READS, **span))["calls"]
            for span in ({"since": "10m"}, {"until": "2026-11-18T12:30:00Z"}, {"agent": "claude"}, {"upstream": "time"}, {})
        ]
        assert counts == [1, 1, 1, 0, 2]


async def test_a_candidate_that_does_not_hold_is_refused_with_its_lines(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        body = {"files": [{"path": "c.cedar", "text": READS + 'permit (principal, action == Action::"git/no", resource);'}]}
        status, answer = await it.ask("POST", "/v1/policies/replay", body)
        assert (status, answer["reason"]) == (409, "not_valid")
        assert answer["problems"][0].startswith("c.cedar:3:")
        assert [kind for kind, _, _ in await it.events() if kind == "policies_replayed"] == []


async def test_one_runs_at_a_time(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        body = {"files": [{"path": "c.cedar", "text": READS}]}
        # Who comes first, nobody says: who they are is looked up beside the loop.
        answers = await asyncio.gather(*[it.ask("POST", "/v1/policies/replay", body) for _ in range(8)])
        assert {(status, answer.get("reason")) for status, answer in answers} == {(200, None), (409, "busy")}
        assert (await it.ask("POST", "/v1/policies/replay", body))[0] == 200


async def test_that_it_ran_is_told_to_the_log_before_it_reads(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        answer = await replayed(it, READS, agent="claude")
        (told,) = [(by, fields) for kind, by, fields in await it.events() if kind == "policies_replayed"]
        assert told == (ME, {"candidate": answer["candidate"], "since": "2026-11-11T12:00:00.000000Z", "agent": "claude"})
        it.log.broken = "no space"
        body = {"files": [{"path": "c.cedar", "text": READS}]}
        assert (await it.ask("POST", "/v1/policies/replay", body))[0] == 503


async def test_a_candidate_of_more_than_four_mebibytes_is_not_taken(tmp_path: Path) -> None:
    async with plane(tmp_path) as it:
        await ready(it)
        comment = "// " + "x" * 1_000_000 + "\n"
        assert (await it.ask("POST", "/v1/policies/replay", {"files": [{"path": "c", "text": comment * 3 + READS}]}))[0] == 200
        assert (await it.ask("POST", "/v1/policies/replay", {"files": [{"path": "c", "text": comment * 5 + READS}]}))[0] == 413


async def test_derived_facts_are_derived_again_of_the_arguments_that_are_kept(tmp_path: Path) -> None:
    rule_of_tool = {"facts": {"path_length": {"of": "/path", "kind": "length"}}}
    git = {"url": "https://git.example.com/mcp", "trust": "first-use", "tools": {"read_file": rule_of_tool}}
    document = {**DOCUMENT, "upstreams": {"git": git}}
    long = 'forbid (principal, action == Action::"git/read_file", resource) when { context.derived.path_length > 3 }'
    async with plane(tmp_path, document) as it:
        await ready(it)
        await decided(it, {"path": "abc"})
        await decided(it, {"path": "abcd"})
        assert totals(await replayed(it, READS, rule(long, "long"))) == (2, 1, 1, 0, 0)
        await it.log.sweep(int((it.clock() + 60) * 1e6))
        assert totals(await replayed(it, READS, rule(long, "long"))) == (2, 0, 0, 2, 0)
