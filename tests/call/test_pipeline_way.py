"""The way of a call that nothing stops, and how it ends by what its upstream says, each as a whole trace."""

import asyncio
from dataclasses import replace
from unittest.mock import ANY

import msgspec
import pytest

from doorward.domain.calls import Fault, Notice
from doorward.domain.ids import UpstreamId
from doorward.domain.reasons import Ran, Reason
from doorward.telemetry.stages import Stopwatch
from doorward.testing.playbook import leaves, playbook, tool_call
from doorward.testing.trace import Counted, Got, GotNotice, GotRefusal, Leaf, Sent, Step
from doorward.testing.upstream import Act, breaks, fails, faults, says, tells, text, tool, waits
from tests.call.steps import GIT, PLAN, got, sent

CALL = tool_call("git__commit", {"n": 1})
INTENT = Leaf("intent", "allow", ("all",))


@pytest.mark.anyio
async def test_a_call_is_recorded_before_it_goes_upstream_and_told_after() -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(text("ok"))
        assert await book.play(CALL) == [
            INTENT,
            Sent("git", "tools/call", {"name": "commit", "arguments": {"n": 1}}),
            Leaf("outcome", "delivered"),
            got({"content": [{"type": "text", "text": "ok"}]}),
            Counted("git", "delivered"),
        ]


@pytest.mark.anyio
async def test_under_a_stage_clock_a_call_goes_the_same_way_and_each_stage_is_timed_once() -> None:
    watch = Stopwatch(lambda: 0.0)
    async with playbook(replace(PLAN, stages=watch)) as book:
        before = {stage: sum(times.counts) for stage, times in watch.times.items()}
        book.house.upstream("git").will(text("ok"))
        assert await book.play(CALL) == [
            INTENT,
            Sent("git", "tools/call", {"name": "commit", "arguments": {"n": 1}}),
            Leaf("outcome", "delivered"),
            got({"content": [{"type": "text", "text": "ok"}]}),
            Counted("git", "delivered"),
        ]
    after = {stage: sum(times.counts) for stage, times in watch.times.items()}
    assert {stage: count - before[stage] for stage, count in after.items() if stage != "identify"} == dict.fromkeys(STAGES, 1)


STAGES = (
    *("resolve", "admit", "authorize", "inspect_request", "approve"),
    *("intend", "credential", "forward", "inspect_response", "conclude", "render"),
)

ENDS: list[tuple[str, Act, list[Step]]] = [
    (
        "a tool's own error is delivered",
        says({"content": [], "isError": True}),
        [Leaf("outcome", "tool_error"), got({"content": [], "isError": True}), Counted("git", "tool_error")],
    ),
    (
        "a JSON-RPC error is passed on",
        faults(-32602, "no such branch", {"branch": "x"}),
        [
            Leaf("outcome", "upstream_error"),
            Got(Fault(-32602, "no such branch", {"branch": "x"})),
            Counted("git", "upstream_error"),
        ],
    ),
    (
        "an upstream that was not reached did not run it",
        breaks(Reason.UPSTREAM_UNREACHABLE, Ran.NO),
        [
            Leaf("outcome", "not_forwarded", ("upstream_unreachable",)),
            GotRefusal(Reason.UPSTREAM_UNREACHABLE, Ran.NO),
            Counted("git", "upstream_unreachable"),
        ],
    ),
    (
        "an upstream that went away may have run it",
        breaks(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE),
        [
            Leaf("outcome", "failed", ("upstream_timeout",)),
            GotRefusal(Reason.UPSTREAM_TIMEOUT, Ran.MAYBE),
            Counted("git", "upstream_timeout"),
        ],
    ),
    (
        "an answer that cannot be read is of a call that ran",
        breaks(Reason.UPSTREAM_BROKEN, Ran.YES),
        [
            Leaf("outcome", "withheld", ("upstream_broken",)),
            GotRefusal(Reason.UPSTREAM_BROKEN, Ran.YES),
            Counted("git", "upstream_broken"),
        ],
    ),
    (
        "a driver that fails is our failure, and the call may have run",
        fails(ZeroDivisionError("in the driver")),
        [Leaf("outcome", "failed", ("internal",)), GotRefusal(Reason.INTERNAL, Ran.MAYBE), Counted("git", "internal")],
    ),
    (
        "what is asked of a person in the middle is an end of its own",
        says({"resultType": "input_required", "inputRequests": {}}),
        [
            Leaf("outcome", "input_required"),
            Got(
                {
                    "resultType": "input_required",
                    "inputRequests": {},
                    "requestState": ANY,
                    "_meta": got().body["_meta"],  # type: ignore[index]
                }
            ),
            Counted("git", "input_required"),
        ],
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("act", "end"), [pytest.param(act, end, id=name) for name, act, end in ENDS])
async def test_what_the_upstream_says_is_how_the_call_ends(act: Act, end: list[Step]) -> None:
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(act)
        assert await book.play(CALL) == [INTENT, sent(n=1), *end]
        # Whatever became of it, the next call finds everything as it was.
        assert (book.house.flight.count(), book.house.watchmen.gate.inside) == (0, 0)
        assert await book.play(CALL) == [INTENT, sent(n=1), Leaf("outcome", "delivered"), got(call="call-2"), Counted("git", "delivered")]


@pytest.mark.anyio
async def test_notifications_reach_the_caller_before_the_result_under_its_own_token_and_level() -> None:
    notices = (
        Notice("notifications/progress", {"progress": 1}),
        Notice("notifications/message", {"level": "debug", "data": "detail"}),
        Notice("notifications/message", {"level": "error", "data": "smoke"}),
        Notice("notifications/tools/list_changed", {}),
    )
    async with playbook(PLAN) as book:
        book.house.upstream("git").will(tells(*notices, then=text("ok")), tells(*notices, then=text("ok")))
        wanting = replace(CALL, progress_token="mine", log_level="warning")
        done = [Leaf("outcome", "delivered"), got({"content": [{"type": "text", "text": "ok"}]}), Counted("git", "delivered")]
        assert await book.play(wanting) == [
            INTENT,
            sent(n=1),
            GotNotice("notifications/progress", {"progress": 1, "progressToken": "mine"}),
            GotNotice("notifications/message", {"level": "error", "data": "smoke"}),
            *done,
        ]
        asked = [step for step in await book.play(CALL) if isinstance(step, GotNotice)]
        assert asked == []


@pytest.mark.anyio
async def test_a_call_keeps_the_generation_it_began_with() -> None:
    async with playbook(PLAN) as book:
        released = asyncio.Event()
        book.house.upstream("git").will(waits(released, text("ok")))
        running = await book.begin(CALL)
        before = book.house.generations.current.generation
        book.house.upstream("git").sight = msgspec.structs.replace(GIT, tools=(tool("commit", "Does something else."),))
        await book.house.discovery.look(UpstreamId("git"))
        assert book.house.generations.current.generation == before + 1
        released.set()
        await running
        intents = [
            step.body["decision"]["generation"] for step in leaves(await book.rest()) if step.call == "call-1" and step.type == "intent"
        ]
        assert intents == [before]
        # The same name means something else now, which nobody has accepted.
        assert [step for step in await book.play(CALL) if isinstance(step, GotRefusal)] == [GotRefusal(Reason.UNKNOWN_TARGET)]
