"""Calls that need input in the middle: what the client holds for us opens for the same call of the same caller alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.call.inbound import Inbound
from doorward.call.rounds import APPROVAL_KEY, LIFE_SECONDS, Heard, Rounds
from doorward.domain.calls import Era
from doorward.domain.ids import GrantId, UpstreamId
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.testing.clocks import Clock, Draws
from doorward.testing.house import Plan
from doorward.testing.playbook import Stimulus, leaves, playbook, tool_call
from doorward.testing.trace import Got, GotRefusal, Leaf, Sent
from doorward.testing.upstream import says, text
from doorward.wire.sealed import Seal
from tests import made
from tests.call.steps import GIT, PLAN

CLOCK = Clock()
ARGUMENTS: Mapping[str, object] = {"amount": 1}


def rounds(clock: Clock = CLOCK, key: bytes = b"k" * 32) -> Rounds:
    return Rounds(Seal((key,)), clock.now, Draws().nonce)


def asked(agent: str = "claude", endpoint: str | None = None, method: str = "tools/call") -> Inbound:
    return Stimulus(method, {}, endpoint=endpoint).inbound(made.principal(agent))


def retried(inbound: Inbound, **params: object) -> Inbound:
    """The request with other params."""
    return replace(inbound, request=replace(inbound.request, params=params))


def opened(sealed: object, by: Inbound | None = None, **other: object) -> dict[str, object] | Reason:
    """The state that opens, or why it does not."""
    target = other.get("target", made.target())
    arguments = other.get("arguments", ARGUMENTS)
    inbound = retried(by or asked(), requestState=sealed)
    try:
        return dict(rounds(*([other["clock"]] if "clock" in other else [])).brought(inbound, target, arguments).extras)  # type: ignore[arg-type]
    except Refused as refused:
        return refused.reason


STATES = st.none() | st.text(max_size=50) | st.dictionaries(st.text(max_size=5), st.integers(), max_size=3)


@given(STATES)
def test_the_upstreams_own_state_comes_back_as_it_was(state: object) -> None:
    sealed = rounds().sealed(asked(), made.target(), ARGUMENTS, state)
    assert opened(sealed) == ({} if state is None else {"requestState": state})


ANSWERS = st.dictionaries(st.sampled_from(["a", "b"]), st.dictionaries(st.just("action"), st.just("accept")))


@given(STATES, st.none() | ANSWERS, st.sampled_from([{APPROVAL_KEY: {"action": "accept"}}, {APPROVAL_KEY: None}, {}, None]))
def test_a_call_that_waited_for_approval_is_the_same_one_when_it_comes_again(
    state: object, answers: object, now: Mapping[str, object] | None
) -> None:
    extras = {name: value for name, value in (("requestState", state), ("inputResponses", answers)) if value is not None}
    waited = made.call(ARGUMENTS, extras=extras)
    sealed = rounds().waiting(asked(), waited, GrantId("q"), 60)
    params = {"requestState": sealed} | ({} if now is None else {"inputResponses": now})
    brought = rounds().brought(retried(asked(), **params), waited.target, ARGUMENTS)
    assert (dict(brought.extras), brought.heard, brought.approval) == (extras, Heard.GOES_ON, "q")


@given(STATES, ANSWERS, ANSWERS)
def test_what_is_answered_now_goes_before_what_was_answered_then(
    state: object, then: Mapping[str, object], now: Mapping[str, object]
) -> None:
    waited = made.call(ARGUMENTS, extras={"inputResponses": then})
    sealed = rounds().waiting(asked(), waited, GrantId("q"), 60)
    brought = rounds().brought(retried(asked(), requestState=sealed, inputResponses=now), waited.target, ARGUMENTS)
    assert brought.extras == {"inputResponses": {**then, **now}}


def test_nothing_of_the_state_can_be_read() -> None:
    assert "hunter2" not in rounds().sealed(asked(), made.target(), ARGUMENTS, "hunter2")


OTHERS: list[tuple[str, dict[str, object]]] = [
    ("another agent", {"by": asked("gpt")}),
    ("another endpoint", {"by": asked(endpoint="git")}),
    ("another method", {"by": asked(method="prompts/get")}),
    ("another tool", {"target": made.target(name="push")}),
    ("another upstream", {"target": made.target("hg")}),
    ("another definition", {"target": made.target(definition="d2")}),
    ("other arguments", {"arguments": {"amount": 1_000_000}}),
    ("no arguments", {"arguments": {}}),
]


@pytest.mark.parametrize("other", [pytest.param(other, id=name) for name, other in OTHERS])
def test_it_opens_for_nothing_else(other: dict[str, object]) -> None:
    sealed = rounds().sealed(asked(), made.target(), ARGUMENTS, "state")
    assert opened(sealed, **other) is Reason.INVALID_PARAMS  # type: ignore[arg-type]


@given(st.data())
def test_it_does_not_open_once_anything_of_it_was_changed(data: st.DataObject) -> None:
    sealed = rounds().sealed(asked(), made.target(), ARGUMENTS, "state")
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.sampled_from("ABCDwxyz0189-_=. ").filter(lambda one: one != sealed[at]))
    assert opened(sealed[:at] + letter + sealed[at + 1 :]) is Reason.INVALID_PARAMS


@pytest.mark.parametrize("sealed", ["", "x", 7, {"a": 1}, "\u00e9" * 60])
def test_what_is_no_sealed_state_is_refused(sealed: object) -> None:
    assert opened(sealed) is Reason.INVALID_PARAMS


def test_a_state_of_another_gateway_is_refused() -> None:
    assert opened(rounds(key=b"x" * 32).sealed(asked(), made.target(), ARGUMENTS, "state")) is Reason.INVALID_PARAMS


def test_it_expires() -> None:
    clock = Clock()
    sealed = rounds(clock).sealed(asked(), made.target(), ARGUMENTS, "state")
    clock.pass_seconds(LIFE_SECONDS)
    assert opened(sealed, clock=clock) == {"requestState": "state"}
    clock.pass_seconds(1)
    assert opened(sealed, clock=clock) is Reason.INVALID_PARAMS


ASKS = {"resultType": "input_required", "inputRequests": {"name": {"method": "elicitation/create"}}, "requestState": "up-1"}
CALL = replace(tool_call("git__commit", {"n": 1}), capabilities={"elicitation": {}})


def retry(of: Stimulus, state: object, **more: object) -> Stimulus:
    answered = {"inputResponses": {"name": {"action": "accept"}}, "requestState": state}
    return replace(of, params={**of.params, **answered, **more})


def state_in(trace: list[object]) -> object:
    (body,) = [step.body for step in trace if isinstance(step, Got)]
    assert isinstance(body, Mapping)
    return body["requestState"]


@pytest.mark.anyio
async def test_a_retry_is_a_call_of_its_own_and_brings_the_upstream_its_state() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(ASKS), text("ok"))
        first = await book.play(CALL)
        sealed = state_in(list(first))
        assert sealed != "up-1"
        second = await book.play(retry(CALL, sealed))
        assert [step.said for step in leaves(first + second)] == ["allow", "input_required", "allow", "delivered"]
        assert [step.params for step in second if isinstance(step, Sent)] == [
            {
                "name": "commit",
                "arguments": {"n": 1},
                "inputResponses": {"name": {"action": "accept"}},
                "requestState": "up-1",
            }
        ]
        commitments = [step.body["arguments"]["commitment"] for step in leaves(first + second) if step.type == "intent"]
        assert len(set(commitments)) == 2


@pytest.mark.anyio
async def test_a_retry_of_a_call_without_state_brings_none() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says({"resultType": "input_required", "inputRequests": {}}), text("ok"))
        sealed = state_in(list(await book.play(CALL)))
        (went,) = [step for step in await book.play(retry(CALL, sealed)) if isinstance(step, Sent)]
        assert "requestState" not in went.params


@pytest.mark.anyio
@pytest.mark.parametrize(
    "changed",
    [
        lambda call, state: retry(replace(call, agent="gpt"), state),
        lambda call, state: retry(tool_call("git__commit", {"n": 2}), state),
        lambda call, state: retry(tool_call("git__push", {"n": 1}), state),
        lambda call, state: retry(replace(call, params={"name": "commit", "arguments": {"n": 1}}, endpoint="git"), state),
        lambda call, state: retry(call, "up-1"),
    ],
)
async def test_somebody_elses_state_is_refused_and_recorded(changed: Callable[[Stimulus, object], Stimulus]) -> None:
    async with playbook(Plan({"git": GIT})) as book:
        book.house.upstream("git").will(says(ASKS))
        sealed = state_in(list(await book.play(CALL)))
        trace = await book.play(changed(CALL, sealed))
        assert leaves(trace) == [Leaf("refusal", "invalid_params")]
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.INVALID_PARAMS)]


@pytest.mark.anyio
async def test_a_client_that_cannot_be_asked_is_told_so_and_the_call_may_have_run() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(says(ASKS))
        trace = await book.play(replace(CALL, era=Era.SESSION))
        assert leaves(trace)[-1] == Leaf("outcome", "failed", ("missing_capability",))
        assert [step for step in trace if isinstance(step, GotRefusal)] == [GotRefusal(Reason.MISSING_CAPABILITY, Ran.MAYBE)]


@pytest.mark.anyio
async def test_what_may_be_asked_of_a_client_is_what_it_offers_and_the_upstream_is_allowed() -> None:
    upstreams = {"git": {"client_input": ["elicitation", "roots"]}}
    offering = replace(CALL, capabilities={"elicitation": {"form": {}}, "sampling": {}, "extensions": {}})
    async with playbook(Plan({"git": GIT}, upstreams=upstreams)) as book:
        await book.play(offering, replace(offering, era=Era.SESSION))
        assert [order.capabilities for order in book.house.upstream("git").orders] == [{"elicitation": {"form": {}}}, {}]


def test_an_endpoint_is_an_upstream_or_all() -> None:
    assert asked(endpoint="git").endpoint == UpstreamId("git")
