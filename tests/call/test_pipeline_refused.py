"""Stages 2 to 4: what a caller may not reach. Nothing goes upstream, and each refusal leaves one leaf."""

from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from doorward.admission import stops
from doorward.admission.stops import Matter
from doorward.domain.ids import AgentId, UpstreamId
from doorward.domain.reasons import Reason
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Counted, GotRefusal, Leaf, Trace
from doorward.testing.upstream import SHOWN, tool
from tests.call.steps import GIT, PERMIT, PLAN, got, policy, sent

CALL = tool_call("git__commit", {"n": 1})
GIT_ID = UpstreamId("git")


def refused(reason: Reason, *because: str, shown: Reason | None = None, upstream: str = "git") -> Trace:
    """A leaf that tells the reason, and a caller that is told it, or less."""
    return [Leaf("refusal", reason, because), GotRefusal(shown or reason), Counted(upstream, reason)]


def answer(trace: Trace) -> GotRefusal:
    (found,) = [step for step in trace if isinstance(step, GotRefusal)]
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["git__nothing", "commit", "nobody__commit", "git__commit ", "GIT__COMMIT"])
async def test_a_name_that_means_nothing_is_unknown(name: str) -> None:
    async with playbook(PLAN) as book:
        # No upstream was found, and a caller's own words are no label of a metric.
        assert await book.play(tool_call(name)) == refused(Reason.UNKNOWN_TARGET, upstream="")


@pytest.mark.anyio
async def test_an_unknown_name_stands_in_the_leaf_as_it_was_given() -> None:
    async with playbook(PLAN) as book:
        (found,) = leaves(await book.play(tool_call("git__nothing")))
        assert (found.body["name"], found.body["upstream"], found.body["kind"]) == ("git__nothing", "", "upstream")


@pytest.mark.anyio
async def test_an_endpoint_without_an_upstream_is_unknown() -> None:
    async with playbook(PLAN) as book:
        asked = replace(CALL, endpoint="nobody")
        assert [step for step in await book.play(asked) if isinstance(step, GotRefusal)] == [GotRefusal(Reason.UNKNOWN_TARGET)]


NO_PUSH = policy('forbid (principal, action == Action::"git/push", resource);', "no-push")


@pytest.mark.anyio
async def test_what_no_arguments_could_make_allowed_looks_like_what_is_not_there() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + NO_PUSH)) as book:
        hidden = await book.play(tool_call("git__push"))
        # No call was made of it yet, so the meter knows no upstream; the log tells the operator what it was.
        assert hidden == refused(Reason.FORBIDDEN, shown=Reason.UNKNOWN_TARGET, upstream="")
        missing = await book.play(tool_call("git__puch"))
        assert answer(hidden).sentence == answer(missing).sentence


@pytest.mark.anyio
async def test_a_definition_that_changed_is_withheld_as_if_it_were_not_there() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").sight = msgspec.structs.replace(GIT, tools=(tool("commit", "Does it and mails it."),))
        await book.house.discovery.look(GIT_ID)
        await book.rest()
        drifted, missing = await book.play(CALL), await book.play(tool_call("git__none"))
        assert drifted == refused(Reason.DRIFTED, shown=Reason.UNKNOWN_TARGET, upstream="")
        assert answer(drifted).sentence == answer(missing).sentence
        # What is not offered any more was accepted once, and is no more there than what drifted.
        assert await book.play(tool_call("git__push")) == refused(Reason.DRIFTED, shown=Reason.UNKNOWN_TARGET, upstream="")


@pytest.mark.anyio
async def test_what_nobody_has_accepted_is_not_there() -> None:
    async with playbook(replace(PLAN, upstreams={"git": {"trust": "review"}})) as book:
        # Policy knows the accepted catalogue alone, so it could allow nothing of the rest.
        assert await book.play(CALL) == refused(Reason.FORBIDDEN, shown=Reason.UNKNOWN_TARGET, upstream="")


BROKEN: list[tuple[str, str, Mapping[str, object]]] = [
    ("no name", "tools/call", {}),
    ("an empty name", "tools/call", {"name": ""}),
    ("a number as a name", "tools/call", {"name": 7}),
    ("a list as arguments", "tools/call", {"name": "git__commit", "arguments": [1]}),
    ("no uri", "resources/read", {}),
    ("no ref", "completion/complete", {"argument": {}}),
    ("another ref", "completion/complete", {"ref": {"type": "ref/tool", "name": "git__commit"}}),
    ("a ref without a name", "completion/complete", {"ref": {"type": "ref/prompt"}}),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "params"), [pytest.param(method, params, id=name) for name, method, params in BROKEN])
async def test_params_of_another_shape_are_refused_and_recorded(method: str, params: Mapping[str, object]) -> None:
    async with playbook(PLAN) as book:
        assert await book.play(Stimulus(method, params)) == refused(Reason.INVALID_PARAMS, upstream="")


STOPPED = [stops.EVERYTHING, stops.agent(AgentId("claude")), stops.upstream(GIT_ID), stops.tool(GIT_ID, "commit")]


@pytest.mark.anyio
@pytest.mark.parametrize("matter", STOPPED, ids=lambda matter: matter.kind)
async def test_what_is_stopped_is_refused_until_it_is_resumed(matter: Matter) -> None:
    async with playbook(PLAN) as book:
        await book.house.watchmen.switch.stop(matter, "fire", "ann")
        stopped = await book.play(CALL)
        assert stopped == refused(Reason.STOPPED)
        assert "fire" not in answer(stopped).sentence
        assert "ann" not in answer(stopped).sentence
        await book.house.watchmen.switch.resume(matter)
        assert await book.play(CALL) == [
            Leaf("intent", "allow", ("all",)),
            sent(n=1),
            Leaf("outcome", "delivered"),
            got(call="call-2"),
            Counted("git", "delivered"),
        ]


@pytest.mark.anyio
async def test_what_is_revoked_is_refused() -> None:
    async with playbook(PLAN) as book:
        await book.house.watchmen.switch.revoke(stops.agent(AgentId("claude")), "lost", "ann")
        assert await book.play(CALL) == refused(Reason.REVOKED)
        await book.house.watchmen.switch.revoke(stops.upstream(GIT_ID), "sold", "ann")
        assert await book.play(replace(CALL, agent="gpt")) == refused(Reason.STOPPED)


@pytest.mark.anyio
async def test_a_stop_says_nothing_of_what_is_hidden() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + NO_PUSH)) as book:
        await book.house.watchmen.switch.stop(stops.tool(GIT_ID, "push"), "fire", "ann")
        assert answer(await book.play(tool_call("git__push"))) == GotRefusal(Reason.UNKNOWN_TARGET)


@pytest.mark.anyio
async def test_an_agent_over_its_rate_waits_and_others_do_not() -> None:
    plan = replace(PLAN, document={"admission": {"calls_per_minute": 60, "burst": 1}})
    async with playbook(plan) as book:
        await book.play(CALL)
        over = await book.play(CALL)
        assert over == refused(Reason.OVER_RATE)
        # In this minute the log has been told: what follows is counted.
        assert await book.play(CALL) == [GotRefusal(Reason.OVER_RATE), Counted("git", "over_rate")]
        assert isinstance((await book.play(replace(CALL, agent="gpt")))[0], Leaf)
        book.house.clock.pass_seconds(1)
        assert leaves(await book.play(CALL))[0] == Leaf("intent", "allow", ("all",))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"concurrent": 1}, Reason.OVER_CONCURRENCY), ({"concurrent": 5, "in_flight": 1}, Reason.OVERLOADED)],
)
async def test_calls_beyond_what_may_run_at_once_are_refused_until_one_ends(limits: Mapping[str, int], reason: Reason) -> None:
    async with playbook(replace(PLAN, document={"admission": limits})) as book:
        book.house.evidence.log.hold()
        first = await book.begin(CALL)
        second = await book.begin(CALL)
        book.house.evidence.log.release()
        await first
        await second
        trace = await book.rest()
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(reason)]
        assert Leaf("refusal", reason) in trace
        assert leaves(await book.play(CALL))[-1] == Leaf("outcome", "delivered")


@pytest.mark.anyio
async def test_a_denial_gives_the_agent_the_public_reason_and_the_log_the_policies() -> None:
    large = policy('forbid (principal, action == Action::"git/commit", resource) when { context.input.n > 10 };', "large")
    plan = Plan({"git": msgspec.structs.replace(SHOWN, tools=(tool("commit", n={"type": "integer"}),))}, policies=PERMIT + large)
    async with playbook(
        replace(plan, policies=plan.policies.replace("context.input.n >", "context.input has n && context.input.n >"))
    ) as book:
        denied = await book.play(tool_call("git__commit", {"n": 11}))
        assert denied == refused(Reason.FORBIDDEN, "large")
        assert answer(denied).sentence == "large says so"
        assert answer(denied).reference == "call-1"
        assert leaves(await book.play(tool_call("git__commit", {"n": 10})))[-1] == Leaf("outcome", "delivered")


@pytest.mark.anyio
async def test_nothing_is_allowed_where_no_policy_says_so() -> None:
    async with playbook(replace(PLAN, policies="")) as book:
        assert await book.play(CALL) == refused(Reason.FORBIDDEN, shown=Reason.UNKNOWN_TARGET, upstream="")


@pytest.mark.anyio
async def test_a_policy_that_fails_denies() -> None:
    failing = policy(
        'permit (principal, action == Action::"git/commit", resource) when { context.input has n && context.input.n + 1 > 0 };', "sum"
    )
    plan = Plan({"git": msgspec.structs.replace(SHOWN, tools=(tool("commit", n={"type": "integer"}),))}, policies=PERMIT + failing)
    async with playbook(plan) as book:
        # The other rule would allow it; a rule that cannot be evaluated is not passed over.
        assert await book.play(tool_call("git__commit", {"n": 2**63 - 1})) == refused(Reason.FORBIDDEN, "sum")


@pytest.mark.anyio
async def test_an_observed_upstream_lets_pass_what_policy_would_deny_and_says_so() -> None:
    plan = replace(PLAN, policies=PERMIT + NO_PUSH, upstreams={"git": {"posture": "observe"}})
    async with playbook(plan) as book:
        assert await book.play(tool_call("git__push")) == [
            Leaf("intent", "observe", ("no-push",)),
            sent("push"),
            Leaf("outcome", "delivered"),
            got(),
            Counted("git", "delivered"),
        ]
        assert leaves(await book.play(CALL))[0] == Leaf("intent", "allow", ("all",))


@pytest.mark.anyio
async def test_an_observed_upstream_asks_nobody_and_still_obeys_stops() -> None:
    asking = policy('forbid (principal, action == Action::"git/push", resource);', "asks", approval="finance")
    async with playbook(replace(PLAN, policies=PERMIT + asking, upstreams={"git": {"posture": "observe"}})) as book:
        assert leaves(await book.play(tool_call("git__push")))[0] == Leaf("intent", "observe", ("asks",))
        assert book.house.watchmen.desk.questions() == ()
        await book.house.watchmen.switch.stop(stops.EVERYTHING, "fire", "ann")
        assert await book.play(tool_call("git__push")) == refused(Reason.STOPPED)


@pytest.mark.anyio
async def test_a_refusal_that_cannot_be_recorded_is_a_refusal_all_the_same() -> None:
    async with playbook(replace(PLAN, policies=PERMIT + NO_PUSH)) as book:
        book.house.evidence.log.fail("disk full")
        assert await book.play(tool_call("git__nothing")) == [GotRefusal(Reason.UNRECORDED), Counted("", "unknown_target")]
        assert book.house.evidence.recorder.failure is not None
