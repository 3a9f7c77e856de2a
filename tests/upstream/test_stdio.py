"""Upstreams that are processes: eras, faults, restarts and credentials, with real processes."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from doorward.domain.calls import Era, Fault, Notice
from doorward.domain.ids import LeaseId
from doorward.domain.leases import Lease
from doorward.domain.reasons import Ran, Reason, Refused
from doorward.domain.secret import Secret
from doorward.upstream.faults import told
from doorward.upstream.health import Condition
from doorward.upstream.port import unheard
from tests.net.raw import until
from tests.upstream.kit import LEASE, SHORT, Heard, World, order, over_stdio
from tests.upstream.servers import ECHO, EXCHANGE, SESSION, script

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("parts", "era", "version"),
    [
        ((ECHO, SESSION), Era.SESSION, "2025-11-25"),
        ((ECHO, EXCHANGE), Era.EXCHANGE, "2026-07-28"),
        ((ECHO, SESSION.replace("initialized(message)", "initialized(message, '2024-11-05')")), Era.SESSION, "2024-11-05"),
        ((ECHO, SESSION.replace("error(message, -32601)", "os._exit(1)")), Era.SESSION, "2025-11-25"),
    ],
    ids=["session", "exchange", "2024-11-05", "dies of the probe"],
)
async def test_era_of_a_process_is_found(parts: tuple[str, ...], era: Era, version: str) -> None:
    async with over_stdio(script(*parts)) as upstream:
        seen = await upstream.discover(LEASE)
        assert (seen.era, seen.versions, [tool["name"] for tool in seen.tools]) == (era, (version,), ["echo"])
        answered = await upstream.forward(order(wants_progress=True), unheard)
        sent = json.loads(answered.body["content"][0]["text"])  # type: ignore[index]
        assert (sent["name"], type(sent["_meta"]["progressToken"])) == ("echo", int)
        assert ("io.modelcontextprotocol/protocolVersion" in sent["_meta"]) == (era is Era.EXCHANGE)


async def test_declared_era_is_not_probed() -> None:
    world = World()
    command = script("print(sys.stdin.readline(), file=sys.stderr)")
    for era, first in (("session", "initialize"), ("exchange", "server/discover")):
        async with over_stdio(command, world, era=era) as upstream:
            with pytest.raises(Refused):
                await upstream.start(LEASE)
        assert json.loads(world.stderr[-2])["method"] == first


async def test_calls_overlap_and_end_in_any_order() -> None:
    call = """
        held = []
        def call(message):
            held.append(message)
            if len(held) == 3:
                for one in reversed(held):
                    result(one, {"content": [], "n": one["params"]["arguments"]["n"]})
    """
    async with over_stdio(script(call, SESSION)) as upstream:
        orders = [order(params={"name": "echo", "arguments": {"n": n}}) for n in range(3)]
        answers = await asyncio.gather(*(upstream.forward(asked, unheard) for asked in orders))
    assert [answered.body["n"] for answered in answers] == [0, 1, 2]  # type: ignore[index]


async def test_notifications_on_the_way_reach_the_caller() -> None:
    call = """
        def call(message):
            say({"method": "notifications/progress", "params": {"progressToken": message["params"]["_meta"]["progressToken"], "progress": 1}})
            say({"method": "notifications/message", "params": {"level": "warning", "data": "careful"}})
            say({"method": "notifications/tools/list_changed"})
            result(message, {"content": []})
    """
    heard, world = Heard(), World()
    async with over_stdio(script(call, SESSION), world) as upstream:
        await upstream.forward(order(wants_progress=True, log_level="info"), heard)
    assert heard.notices == [
        Notice("notifications/progress", {"progress": 1}),
        Notice("notifications/message", {"level": "warning", "data": "careful"}),
    ]
    assert world.changes == 1


FAULTS = {
    "exits": ("os._exit(7)", Reason.UPSTREAM_BROKEN, True),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", Reason.UPSTREAM_BROKEN, True),
    "closes its output": ("os.close(1); time.sleep(60)", Reason.UPSTREAM_BROKEN, True),
    "says a line above the cap": ("print('x' * 300_000, flush=True); time.sleep(60)", Reason.UPSTREAM_BROKEN, True),
    "says half a line and exits": ("sys.stdout.write('{'); sys.stdout.flush(); os._exit(0)", Reason.UPSTREAM_BROKEN, True),
    "hangs": ("pass", Reason.UPSTREAM_TIMEOUT, False),
    "says what is no json": ("print('hello', flush=True)", Reason.UPSTREAM_TIMEOUT, False),
    "answers another": ("say({'id': 999, 'result': {}})", Reason.UPSTREAM_TIMEOUT, False),
    "answers twice in one object": (
        'print(\'{"jsonrpc":"2.0","id":%(id)d,"id":%(id)d,"result":{}}\' % message, flush=True)',
        Reason.UPSTREAM_BROKEN,
        False,
    ),
    "answers no object": ("say({'id': message['id'], 'result': 3})", Reason.UPSTREAM_BROKEN, False),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_process_that_goes_wrong_is_one_refusal_and_is_there_again(name: str, tmp_path: Path) -> None:
    behaviour, reason, ends = FAULTS[name]
    call = f"""
def call(message):
    if message["params"]["name"] == "bad":
        with open({str(tmp_path / "calls")!r}, "a") as calls: calls.write("x")
        {behaviour}
        return
    result(message, {{"content": []}})
"""
    world = World()
    async with over_stdio(script(call, SESSION), world, era="session", timeouts=SHORT, result_bytes=200_000) as upstream:
        await upstream.forward(order(), unheard)
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(params={"name": "bad"}), unheard)
        assert (caught.value.reason, caught.value.ran) == (reason, Ran.MAYBE)
        assert caught.value.public.startswith("The upstream `demo` ")
        if ends:
            with pytest.raises(Refused) as resting:
                await upstream.forward(order(), unheard)
            assert (resting.value.reason, resting.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
            await until(lambda: upstream.state().condition is Condition.UP)
        assert (await upstream.forward(order(), unheard)).body == {"content": []}
    assert (tmp_path / "calls").read_text() == "x", "a call that was written is never sent again"
    assert (world.events, world.changes) == ((["the process was restarted"], 1) if ends else ([], 0))


async def test_error_of_the_upstream_is_an_answer() -> None:
    async with over_stdio(script("def call(message): error(message, -32602, 'unknown tool')", SESSION)) as upstream:
        assert (await upstream.forward(order(), unheard)).body == Fault(-32602, "unknown tool")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-program-here",), "a program that can be run was expected"),
        (script("print('cannot open database', file=sys.stderr)", "sys.exit(2)"), "it last said: 'cannot open database'"),
        (script("for message in messages(): 'id' in message and error(message, -32603)"), "initialize was answered with error -32603"),
        (
            script("for message in messages(): 'id' in message and initialized(message, '1999-01-01')"),
            "a version of the session era was expected",
        ),
    ],
)
async def test_process_that_does_not_begin_is_tried_again_and_refuses_calls_meanwhile(command: tuple[str, ...], said: str) -> None:
    async with over_stdio(command) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.start(LEASE)
        assert caught.value.ran is Ran.NO
        assert said in told(caught.value)
        assert upstream.state().condition is Condition.DOWN
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
        assert caught.value.reason is Reason.UPSTREAM_UNREACHABLE
        failures = upstream.state().failures
        await until(lambda: upstream.state().failures > failures)


async def test_process_that_says_nothing_is_given_up_after_the_time_to_start() -> None:
    async with over_stdio(script("time.sleep(60)"), era="session", timeouts={"start": 0.3}) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.start(LEASE)
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)


def holding(value: str) -> Lease:
    return Lease(LeaseId("l"), "static", "", "", environment=(("TOKEN", Secret(value)),))


async def test_process_gets_its_declared_environment_and_nothing_else() -> None:
    call = "def call(message): result(message, {'content': [], 'env': sorted(os.environ.items())})"
    async with over_stdio(script(call, SESSION), env={"TOKEN": "${env:ELSEWHERE}", "MODE": "plain"}) as upstream:
        answered = await upstream.forward(order(lease=holding("t")), unheard)
    found = [tuple(pair) for pair in answered.body["env"] if pair[0] != "LC_CTYPE"]  # type: ignore[index, union-attr]
    assert found == [("MODE", "plain"), ("PATH", os.environ["PATH"]), ("TOKEN", "t")]


async def test_process_is_not_started_without_the_credential_it_needs() -> None:
    async with over_stdio(script(ECHO, SESSION), env={"TOKEN": "${env:ELSEWHERE}"}) as upstream:
        with pytest.raises(Refused) as caught:
            await upstream.start(LEASE)
    assert (caught.value.reason, caught.value.ran) == (Reason.NO_CREDENTIAL, Ran.NO)


async def test_changed_credential_gets_a_new_process_and_a_busy_old_one_is_not_shared() -> None:
    call = """
        def call(message):
            if message["params"]["name"] == "held":
                return
            result(message, {"content": [], "token": os.environ["TOKEN"]})
    """
    async with over_stdio(script(call, SESSION), env={"TOKEN": "${env:ELSEWHERE}"}, era="session") as upstream:
        held = asyncio.create_task(upstream.forward(order(params={"name": "held"}, lease=holding("old")), unheard))
        assert (await upstream.forward(order(lease=holding("old")), unheard)).body["token"] == "old"  # type: ignore[index]
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(lease=holding("new")), unheard)
        assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        assert (await upstream.forward(order(lease=holding("new")), unheard)).body["token"] == "new"  # type: ignore[index]


async def test_server_that_never_answers_what_it_does_not_know_is_met_with_initialize() -> None:
    async with over_stdio(script(ECHO, SESSION.replace("error(message, -32601)", "pass")), timeouts={"start": 4}) as upstream:
        assert (await upstream.discover(LEASE)).era is Era.SESSION


LATE = """
held = None
for message in messages():
    method = message.get("method")
    if method == "server/discover" and held is None:
        held = message
    elif method == "server/discover":
        discovered(message)
    elif method == "initialize":
        {answers}
    elif method == "tools/list":
        result(message, {{"tools": [], "resultType": "complete"}})
"""


@pytest.mark.parametrize(
    ("answers", "era"),
    [
        ("discovered(held); error(message, -32601)", Era.EXCHANGE),
        ("error(message, -32022)", Era.EXCHANGE),
        ("discovered(held); initialized(message)", Era.SESSION),
    ],
    ids=["answers the probe late", "names the exchange era when asked to initialize", "speaks both"],
)
async def test_server_that_is_slow_to_start_is_still_met_in_its_era(answers: str, era: Era) -> None:
    async with over_stdio(script(LATE.format(answers=answers)), timeouts={"start": 2}) as upstream:
        assert (await upstream.discover(LEASE)).era is era


async def test_calls_under_way_end_when_the_upstream_is_closed() -> None:
    async with over_stdio(script("def call(message): pass", SESSION)) as upstream:
        await upstream.start(LEASE)
        call = asyncio.create_task(upstream.forward(order(), unheard))
        await asyncio.sleep(0.01)
        await upstream.close()
        with pytest.raises(Refused) as caught:
            await call
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_BROKEN, Ran.MAYBE)


async def test_closed_upstream_refuses_and_stays_closed() -> None:
    async with over_stdio(script(ECHO, SESSION)) as upstream:
        await upstream.start(LEASE)
        await upstream.close()
        with pytest.raises(Refused) as caught:
            await upstream.forward(order(), unheard)
    assert (caught.value.reason, caught.value.ran) == (Reason.UPSTREAM_UNREACHABLE, Ran.NO)
