"""What is recorded of rules that are only watched, of the set that decided, and of what exceptions and broken glasses let pass."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest

from doorward.audit.query import Query
from doorward.domain.ids import AgentId, Digest, PolicyId, UpstreamId, WaiverId
from doorward.domain.reasons import Reason
from doorward.domain.waivers import Waiver, WaiverKind
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Leaf, Sent, Trace
from doorward.testing.upstream import SHOWN, tool
from tests.call.steps import PERMIT, PLAN, policy, sent

WATCHED = policy('forbid (principal, action == Action::"git/push", resource);', "watched", mode="observe")
NO_PUSH = policy('forbid (principal, action == Action::"git/push", resource);', "no-push")
PUSH = tool_call("git__push", {"n": 1})
QUERY = Query()
CLAUDE = AgentId("claude")


def decision(trace: Trace) -> dict[str, object]:
    """What the first leaf says of the decision, but for the number of the generation."""
    said = dict(leaves(trace)[0].body["decision"])
    del said["generation"]
    return said


def waiver(kind: WaiverKind = WaiverKind.BREAK_GLASS, action: str = "", **lifts: str) -> Waiver:
    held = {PolicyId(policy): Digest(digest) for policy, digest in lifts.items()}
    return Waiver(WaiverId(f"{kind}-1"), kind, CLAUDE, action, held, "an outage", "ann", 0, 1e12)


class Given:
    """What is waived: a test may change it at any time."""

    def __init__(self, *waivers: Waiver) -> None:
        self.waivers = waivers

    def __call__(self, agent: AgentId) -> Sequence[Waiver]:
        return [one for one in self.waivers if one.agent == agent]


@pytest.mark.anyio
async def test_every_leaf_of_a_call_names_the_set_of_policies_that_decided() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + NO_PUSH)) as book:
        digest = book.house.generations.current.policies.digest
        assert decision(await book.play(tool_call("git__commit"))) == {"effect": "allow", "policies": ["all"], "set": digest}
        # It can never be allowed, so that nobody has to decide on it.
        assert decision(await book.play(PUSH)) == {"effect": "deny", "policies": [], "reason": "forbidden", "set": digest}
        assert leaves(await book.play(Stimulus("tools/list")))[0].body["decision"]["set"] == digest


@pytest.mark.anyio
async def test_what_watched_rules_would_have_done_is_recorded_of_the_calls_that_they_match_and_of_no_other() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + WATCHED)) as book:
        trace = await book.play(PUSH)
        assert sent("push", n=1) in trace
        assert decision(trace)["observed"] == {"effect": "deny", "policies": ["watched"]}
        assert "observed" not in decision(await book.play(tool_call("git__commit")))
        asked = await book.house.evidence.auditor.find(msgspec.structs.replace(QUERY, observed="watched"))
        assert [located.leaf.count(b'"watched"') for located in asked.leaves] == [1]


@pytest.mark.anyio
async def test_what_watched_rules_would_have_done_is_recorded_of_a_call_that_is_denied() -> None:
    denying = policy('forbid (principal, action == Action::"git/push", resource) when { context.input has n };', "denies")
    plan = Plan({"git": msgspec.structs.replace(SHOWN, tools=(tool("push", n={"type": "integer"}),))}, policies=PERMIT + WATCHED + denying)
    async with playbook(plan) as book:
        trace = await book.play(PUSH)
        assert trace[:2] == [Leaf("refusal", "forbidden", ("denies",)), GotRefusal(Reason.FORBIDDEN)]
        assert decision(trace)["observed"] == {"effect": "deny", "policies": ["watched"]}


@pytest.mark.anyio
async def test_a_broken_glass_lets_pass_what_policy_denies_and_the_leaf_says_both() -> None:
    given = Given()
    async with playbook(replace(PLAN, policies=PERMIT + NO_PUSH, waivers=given)) as book:
        assert [step for step in await book.play(PUSH) if isinstance(step, Sent)] == []
        given.waivers = (waiver(),)
        trace = await book.play(PUSH)
        assert sent("push", n=1) in trace
        assert decision(trace) == {
            "effect": "allow",
            "policies": [],
            "set": book.house.generations.current.policies.digest,
            "would": {"effect": "deny", "policies": ["no-push"], "detail": "no-push says so"},
            "waiver": "break_glass-1",
        }
        found = await book.house.evidence.auditor.find(msgspec.structs.replace(QUERY, waiver="break_glass-1"))
        assert len(found.leaves) == 1
        # By posture nothing was let pass.
        assert (await book.house.evidence.auditor.find(msgspec.structs.replace(QUERY, effect="observe"))).leaves == ()
        given.waivers = ()
        assert [step for step in await book.play(PUSH) if isinstance(step, Sent)] == []


@pytest.mark.anyio
async def test_an_exception_lifts_what_it_names_while_it_stands() -> None:
    lifted = policy('forbid (principal, action == Action::"git/push", resource);', "liftable", exception="security")
    given = Given()
    async with playbook(replace(PLAN, policies=PERMIT + lifted, waivers=given)) as book:
        assert [step for step in await book.play(PUSH) if isinstance(step, Sent)] == []
        rule = book.house.generations.current.policies.liftable(PolicyId("liftable"))
        assert rule is not None
        given.waivers = (waiver(WaiverKind.EXCEPTION, "git/push", liftable=rule.text_digest),)
        trace = await book.play(PUSH)
        assert sent("push", n=1) in trace
        assert decision(trace)["waiver"] == "exception-1"
        given.waivers = (waiver(WaiverKind.EXCEPTION, "git/push", liftable=sha256(b"another text").hexdigest()),)
        assert [step for step in await book.play(PUSH) if isinstance(step, Sent)] == []


@pytest.mark.anyio
async def test_lists_and_upstreams_show_what_is_waived_while_it_is_and_no_longer() -> None:
    given = Given()
    async with playbook(replace(PLAN, policies="", waivers=given)) as book:
        principal = await book.principal()

        async def shown() -> tuple[list[object], bool]:
            (step,) = [step for step in await book.play(Stimulus("tools/list")) if isinstance(step, Got)]
            assert isinstance(step.body, dict)
            return [tool["name"] for tool in step.body["tools"]], book.house.dispatch.sees(principal, UpstreamId("git"))

        nothing: list[object] = []
        assert await shown() == (nothing, False)
        given.waivers = (waiver(WaiverKind.EXCEPTION, "git/push"),)
        assert await shown() == (["git__push"], True)
        given.waivers = ()
        assert await shown() == (nothing, False)


@pytest.mark.anyio
async def test_inspection_and_stops_hold_whatever_is_waived() -> None:
    async with playbook(replace(PLAN, policies="", waivers=Given(waiver()))) as book:
        assert leaves(await book.play(PUSH))[0] == Leaf("intent", "observe", ())
        hidden = tool_call("git__push", {"text": "a\N{ZERO WIDTH SPACE}\N{TAG LATIN SMALL LETTER A}b"})
        assert GotRefusal(Reason.UNSAFE_REQUEST) in await book.play(hidden)
