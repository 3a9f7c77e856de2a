"""Processes that not everybody shares: nobody's call reaches anybody else's, and there are never too many."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.config.model import Upstream
from doorward.domain.calls import Era
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.upstream.circuit import Blame
from doorward.upstream.health import Condition
from doorward.upstream.port import unheard
from doorward.upstream.processes import Processes
from tests.loops import JumpingLoop
from tests.upstream.hall import SIGHT, Hall, hall, lease, settled
from tests.upstream.kit import PATIENT, World, alone, order
from tests.upstream.servers import SESSION, script

pytestmark = pytest.mark.anyio


async def test_each_account_has_a_process_of_its_own_that_is_used_again() -> None:
    async with hall() as made:
        answers = await asyncio.gather(*(made.call(lease(account)) for account in ("ada", "bob", "ada", "bob")))
        assert [one["token"] for one in answers] == ["ada-1", "bob-1", "ada-1", "bob-1"]
        assert (len(made.opened), made.front.processes) == (2, 2)


async def test_the_one_that_was_idle_longest_makes_room_and_ends_before_another_starts() -> None:
    async with hall(most=2) as made:
        for account in ("ada", "bob", "ada", "cleo"):
            await made.call(lease(account))
        assert [(one.holder, one.is_closed) for one in made.opened] == [("ada", False), ("bob", True), ("cleo", False)]


async def test_where_each_is_busy_a_call_is_refused_and_did_not_run() -> None:
    async with hall(most=2) as made:
        under_way = [made.begin(lease("ada")), made.begin(lease("bob"))]
        await settled()
        refused = await made.refusal(lease("cleo"))
        assert (refused.reason, refused.ran) == (Reason.OVERLOADED, Ran.NO)
        assert (await made.call(lease("ada")))["token"] == "ada-1"
        made.let_go()
        await under_way[0]
        assert (await made.call(lease("cleo")))["token"] == "cleo-1"
        made.let_go()
        await under_way[1]


async def test_callers_that_hang_up_while_they_wait_for_room_are_not_more_processes() -> None:
    async with hall(most=1) as made:
        await made.call(lease("ada"))
        waiting = [asyncio.get_running_loop().create_task(made.call(lease(f"user{number}"))) for number in range(20)]
        await asyncio.sleep(0)
        for one in waiting:
            one.cancel()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(end) for end in ends} <= {asyncio.CancelledError, Refused}
        await settled()
        assert (await made.call(lease("bob")))["token"] == "bob-1"


async def test_a_renewed_token_is_in_the_process_of_the_next_call_and_the_old_one_ends_with_its_calls() -> None:
    async with hall() as made:
        under_way = made.begin(lease("ada", "old"))
        await settled()
        assert (await made.call(lease("ada", "new")))["token"] == "new"
        await settled()
        assert [one.is_closed for one in made.opened] == [False, False]
        made.let_go()
        assert (await under_way)["token"] == "old"
        await settled()
        assert [one.is_closed for one in made.opened] == [True, False]
        assert (await made.call(lease("ada", "newest")))["token"] == "newest"
        assert len(made.opened) == 2


async def test_a_call_that_comes_late_with_an_older_token_does_not_join_calls_with_the_newer_one() -> None:
    async with hall() as made:
        await made.call(lease("ada", "old"))
        under_way = made.begin(lease("ada", "new"))
        await settled()
        assert (await made.call(lease("ada", "old")))["token"] == "old"
        made.let_go()
        assert (await under_way)["token"] == "new"


async def test_a_withdrawn_account_loses_its_process_at_once_and_nobody_else_does() -> None:
    async with hall() as made:
        under_way = made.begin(lease("ada"))
        await settled()
        await made.call(lease("bob"))
        made.front.drop("ada")
        await settled()
        assert [(one.holder, one.is_closed) for one in made.opened] == [("ada", True), ("bob", False)]
        made.let_go()
        with pytest.raises(Refused):
            await under_way
        assert (await made.call(lease("ada", "another")))["token"] == "another"


async def test_what_nobody_uses_ends_after_a_while_and_at_once_with_its_credential() -> None:
    async with hall(idle_seconds=60.0) as made:
        await made.call(lease("ada"))
        await made.call(lease("bob", expires_at=30.0))
        busy = made.begin(lease("cleo"))
        await settled()
        for at, open_ones in ((29.0, ["ada", "bob", "cleo"]), (30.0, ["ada", "cleo"]), (60.0, ["cleo"])):
            made.clock.at = at
            made.front.sweep()
            await settled()
            assert [one.holder for one in made.opened if not one.is_closed] == open_ones
        made.let_go()
        await busy


async def test_the_gateways_own_process_ends_after_its_look_and_its_news_are_not_heard() -> None:
    async with hall() as made:
        news: list[str] = []
        made.front.on_change = lambda: news.append("changed")
        assert await made.front.discover(lease("own")) == SIGHT
        made.opened[0].on_change()
        await settled()
        assert (made.opened[0].is_closed, made.front.era, news) == (True, Era.SESSION, [])
        await made.call(lease("ada"))
        made.opened[1].on_change()
        assert news == ["changed"]


async def test_a_look_that_fails_is_told_and_keeps_nobody_from_their_own() -> None:
    async with hall(is_broken=True) as made:
        for _ in range(10):
            with pytest.raises(Refused):
                await made.front.discover(lease("own"))
        assert made.front.state().condition is Condition.DOWN
        assert made.front.vitals.circuit.is_closed
        made.opened[-1].vitals.failed("of one alone", Blame.ADDRESS)
        assert (await made.call(lease("ada")))["token"] == "ada-1"


async def test_nothing_is_started_once_it_is_closed() -> None:
    made = Hall()
    await made.front.close()
    assert (await made.refusal(lease("ada"))).reason is Reason.UPSTREAM_UNREACHABLE


def test_idle_processes_end_by_themselves() -> None:
    async def one_is_used_once_and_another_again() -> list[tuple[str | None, bool]]:
        loop = asyncio.get_running_loop()
        async with hall(idle_seconds=20.0, clock=loop.time) as made:
            await made.call(lease("ada"))
            await made.call(lease("bob"))
            await asyncio.sleep(15)
            await made.call(lease("bob"))
            await asyncio.sleep(10)
            return [(one.holder, one.is_closed) for one in made.opened]

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        assert runner.run(one_is_used_once_and_another_again()) == [("ada", True), ("bob", False)]


ACCOUNTS = ("ada", "bob", "cleo", "dan", "eve")
STEPS = st.one_of(
    st.tuples(st.just("call"), st.sampled_from(ACCOUNTS), st.integers(1, 3)),
    st.tuples(st.just("hold"), st.sampled_from(ACCOUNTS), st.integers(1, 3)),
    st.tuples(st.just("let go"), st.integers(0, 9), st.integers(0, 0)),
    st.tuples(st.just("cancel"), st.integers(0, 9), st.integers(0, 0)),
    st.tuples(st.just("drop"), st.sampled_from(ACCOUNTS), st.integers(0, 0)),
    st.tuples(st.just("pass"), st.integers(1, 100), st.integers(0, 0)),
    st.tuples(st.just("settle"), st.integers(0, 0), st.integers(0, 5)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=40), st.integers(1, 4))
def test_no_call_ever_reaches_the_process_or_token_of_another(steps: list[tuple[str, Any, int]], most: int) -> None:
    asyncio.run(_played(steps, most))


Call = tuple["asyncio.Task[Any]", str, str]
"""A call, whose it is and with which token."""


async def _played(steps: list[tuple[str, Any, int]], most: int) -> None:
    """LAW: whatever the order of calls, renewals, ends, withdrawals and evictions (what a fake asserts is of it)."""
    calls: list[Call] = []
    async with hall(most=most) as made:
        for step in steps:
            await _stepped(made, calls, *step)
            made.held = [one for one in made.held if not one.done()]
            assert made.running <= most
        while not all(task.done() for task, _, _ in calls):
            for one in made.held:
                if not one.done():
                    one.set_result(None)
            await asyncio.sleep(0)
        made.held.clear()
        for call in calls:
            _check(*call)


async def _stepped(made: Hall, calls: list[Call], what: str, whom: Any, number: int) -> None:
    match what:
        case "call" | "hold":
            token, method = f"{whom}-{number}", "held" if what == "hold" else "tools/call"
            calls.append((asyncio.get_running_loop().create_task(made.call(lease(whom, token), method)), whom, token))
        case "let go" if made.held:
            made.let_go(whom % len(made.held))
        case "cancel" if calls:
            calls[whom % len(calls)][0].cancel()
        case "drop":
            made.front.drop(whom)
        case "pass":
            made.clock.at += whom
            made.front.sweep()
        case _:
            for _ in range(number + 1):
                await asyncio.sleep(0)


def _check(task: "asyncio.Task[Any]", whom: str, token: str) -> None:
    if task.cancelled():
        return
    if task.exception() is None:
        assert task.result() == {"holder": whom, "token": token}
    else:
        assert isinstance(task.exception(), Refused)


# Real processes.

TELLS = """
def call(message):
    kind = message["params"]["arguments"].get("text")
    if kind == "die":
        os._exit(1)
    result(message, {"content": [], "pid": os.getpid(), "token": os.environ.get("TOKEN"), "variables": sorted(os.environ)})
"""


@asynccontextmanager
async def real(**rules: Any) -> AsyncIterator[Processes]:
    stdio = {"command": script(TELLS, SESSION), "env": {"TOKEN": "${credential}"}, "per": "principal", **rules}
    config = Upstream.model_validate({"stdio": stdio, "era": "session", "timeouts": PATIENT})
    upstream = alone(config, World().seams())
    assert isinstance(upstream, Processes)
    try:
        yield upstream
    finally:
        await upstream.close()


async def told(upstream: Processes, of: Lease, text: str = "hi") -> dict[str, Any]:
    asked = order(params={"name": "echo", "arguments": {"text": text}}, lease=of)
    answered = await upstream.forward(asked, unheard)
    return json.loads(json.dumps(answered.body))


async def test_real_processes_hold_each_their_own_token_through_concurrency_crashes_and_eviction() -> None:
    async with real(most=2) as upstream:
        answers = await asyncio.gather(*(told(upstream, lease(account)) for account in ("ada", "bob") * 5))
        assert [one["token"] for one in answers] == ["ada-1", "bob-1"] * 5
        pids = {one["token"]: one["pid"] for one in answers}
        assert len(set(pids.values())) == upstream.processes == 2
        assert answers[0]["variables"] == ["PATH", "TOKEN"] or set(answers[0]["variables"]) <= {"PATH", "TOKEN", "LC_CTYPE"}
        with pytest.raises(Refused) as caught:
            await told(upstream, lease("ada"), "die")
        assert caught.value.ran is Ran.MAYBE
        assert (await told(upstream, lease("bob")))["pid"] == pids["bob-1"]
        cleo = await told(upstream, lease("cleo"))
        assert (cleo["token"], cleo["pid"] in pids.values()) == ("cleo-1", False)
        renewed = await told(upstream, lease("bob", "bob-2"))
        assert (renewed["token"], renewed["pid"] in pids.values()) == ("bob-2", False)
        upstream.drop("bob")
        assert (await told(upstream, lease("bob", "bob-3")))["token"] == "bob-3"
        await upstream.discover(lease("own", "nobody"))
