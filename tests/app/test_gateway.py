"""A gateway starts whole or not at all, and ends with nothing left open."""

import asyncio
import json
import shutil
import socket
from collections.abc import Mapping

import pytest

from doorward.app import clocks
from doorward.app.evidence import AnchorError
from doorward.app.gateway import Tally
from doorward.app.state import open_state
from doorward.audit import checkpoint, keys
from doorward.audit.anchor import notes
from doorward.domain.calls import Era
from doorward.domain.decisions import Allow
from doorward.domain.errors import StoreError
from doorward.domain.ids import Generation, UpstreamId
from doorward.domain.receipts import Intent
from doorward.runtime.workbench import ReloadError, read
from doorward.telemetry.meter import Meter
from doorward.testing.house import PERMIT_ALL
from doorward.testing.playbook import Stimulus
from tests import made
from tests.app.running import agent, asked, ground, left_open, running, until
from tests.net.raw import scripted
from tests.upstream.kit import exchange_era, giving, speaking

ECHO = {"content": [{"type": "text", "text": "hi"}], "resultType": "complete"}


def upstream(url: str) -> dict[str, object]:
    return {"url": url, "plain_http": True, "private": True, "trust": "first-use", "era": "exchange"}


@pytest.mark.anyio
async def test_a_gateway_that_ended_leaves_nothing_open() -> None:
    with ground() as on:
        async with running(on):
            pass  # whatever a process opens once and for all
        before = left_open()
        async with running(on) as gateway:
            assert gateway.not_ready() == ()
            assert left_open() != before
        assert left_open() == before
        assert gateway.not_ready() == ("going down",)
        assert on.events[-1] == "gateway_stopped"


BROKEN: list[tuple[str, Mapping[str, object], str, type[BaseException]]] = [
    ("no policies that hold", {}, "permit (principal, action, resource);", ReloadError),
    ("an anchor in no directory", {"audit": {"anchor_file": "none/anchor"}}, PERMIT_ALL, ReloadError),
    ("an agent that cannot be called so", {"identity": {"anonymous": {"agent": "doorward"}}}, PERMIT_ALL, ReloadError),
]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("document", "policies", "error"), [pytest.param(document, policies, error, id=name) for name, document, policies, error in BROKEN]
)
async def test_a_start_that_fails_leaves_nothing_open(document: Mapping[str, object], policies: str, error: type[BaseException]) -> None:
    with ground() as on:
        async with running(on):
            pass
        before = left_open()
        on.write(document, policies)
        with pytest.raises(error):
            await on.gateway().start()
        assert left_open() == before
        on.write({})
        async with running(on) as gateway:
            assert gateway.not_ready() == ()


@pytest.mark.anyio
async def test_a_port_that_is_taken_is_no_start_and_leaves_nothing_open() -> None:
    with ground() as on, socket.create_server(("127.0.0.1", 0)) as taken:
        async with running(on):
            pass
        before = left_open()
        on.write({"listen": {"port": taken.getsockname()[1]}})
        with pytest.raises(OSError, match="address"):
            await on.gateway().start()
        assert left_open() == before


@pytest.mark.anyio
async def test_two_gateways_do_not_share_a_state() -> None:
    with ground() as on:
        async with running(on):
            with pytest.raises(StoreError):
                await on.gateway().start()
        async with running(on) as gateway:
            assert gateway.not_ready() == ()


@pytest.mark.anyio
async def test_a_start_and_an_end_stand_in_the_log_and_a_drain_is_sealed() -> None:
    with ground() as on:
        async with running(on) as gateway:
            leaves = await gateway.house.state.evidence.log.leaves(0, 10)
        assert [json.loads(leaf.leaf)["type"] for leaf in leaves] == ["gateway_started"]
        async with running(on) as gateway:
            log = gateway.house.state.evidence.log
            assert [json.loads(leaf.leaf)["type"] for leaf in await log.leaves(0, 10)] == [
                "gateway_started",
                "gateway_stopped",
                "gateway_started",
            ]


@pytest.mark.anyio
async def test_a_call_goes_all_the_way_and_a_reload_takes_it_elsewhere() -> None:
    async with scripted(speaking(exchange_era(tools__call=giving(ECHO)))) as one:
        with ground({"upstreams": {"git": upstream(one.url)}}) as on:
            async with running(on) as gateway:
                await until(lambda: gateway.not_ready() == ())
                claude = await agent(gateway)
                call = Stimulus("tools/call", {"name": "git__echo", "arguments": {}})
                assert (await asked(gateway, claude, call))["content"] == ECHO["content"]
                on.write({"upstreams": {"hg": upstream(one.url)}, "admission": {"concurrent": 1}})
                await gateway.reload("ann")
                await until(lambda: gateway.not_ready() == () and list(gateway.house.fleet.all()) == ["hg"])
                listed = await asked(gateway, claude, Stimulus("tools/list"))
                assert [tool["name"] for tool in listed["tools"]] == ["hg__echo"]
                assert [line["changes"] for line in on.lines if line["event"] == "config_loaded"]
    assert on.events.count("gateway_stopped") == 1


@pytest.mark.anyio
async def test_a_file_that_changes_is_read_again_and_a_bad_one_is_told_of() -> None:
    with ground() as on:
        async with running(on) as gateway:
            on.write({"admission": {"concurrent": 2}})
            await until(lambda: gateway.house.generations.current.document.admission.concurrent == 2)
            (on.path / "policy.cedar").write_text("permit")
            await until(lambda: "config_rejected" in on.events)
            assert gateway.house.workbench.problems
            assert gateway.not_ready() == ()


@pytest.mark.anyio
async def test_an_upstream_that_cannot_be_looked_at_is_told_of_and_keeps_nobody_waiting() -> None:
    with ground({"upstreams": {"git": upstream("http://127.0.0.1:1/mcp")}}) as on:
        async with running(on) as gateway:
            await until(lambda: gateway.not_ready() == ())
            assert "upstream_missed" in on.events
            assert gateway.house.discovery.tried == {UpstreamId("git")}


@pytest.mark.anyio
async def test_a_log_that_was_put_back_is_refused_at_each_start() -> None:
    with ground({"audit": {"anchor_file": "anchor"}}) as on:
        async with running(on):
            pass
        state, older = on.path / "state", on.path / "older"
        shutil.copytree(state, older)
        async with running(on):
            pass
        anchored = (on.path / "anchor").read_bytes()
        shutil.rmtree(state)
        older.rename(state)
        for _ in range(2):
            before = left_open()
            with pytest.raises(AnchorError, match="anchor"):
                await on.gateway().start()
            assert left_open() == before
            # Neither the log nor its anchor learns anything from a start that was none.
            assert (on.path / "anchor").read_bytes() == anchored


@pytest.mark.anyio
async def test_a_drain_waits_for_what_runs() -> None:
    released = asyncio.Event()

    async def slow(peer: object, message: object, head: bytes) -> None:
        await released.wait()
        await giving(ECHO)(peer, message, head)  # type: ignore[arg-type]

    async with scripted(speaking(exchange_era(tools__call=slow))) as one:
        with ground({"upstreams": {"git": upstream(one.url)}}) as on:
            gateway = on.gateway()
            await gateway.start()
            await until(lambda: gateway.not_ready() == ())
            claude = await agent(gateway)
            call = asyncio.create_task(asked(gateway, claude, Stimulus("tools/call", {"name": "git__echo", "arguments": {}})))
            await until(lambda: gateway.house.flight.count() == 1)
            stopping = asyncio.create_task(gateway.stop())
            await until(lambda: gateway.is_draining)
            released.set()
            assert (await call)["content"] == ECHO["content"]
            await stopping


def test_answers_are_counted_by_era() -> None:
    meter = Meter()
    tally = Tally(meter)
    tally.answered(200, Era.EXCHANGE)
    tally.answered(401, None)
    page = meter.page().decode()
    assert 'doorward_http_requests_total{era="exchange",status="200"} 1.0' in page
    assert 'doorward_http_requests_total{era="none",status="401"} 1.0' in page


@pytest.mark.anyio
async def test_a_new_key_excuses_no_log_that_was_put_back() -> None:
    with ground({"audit": {"anchor_file": "anchor"}}) as on:
        async with running(on):
            pass
        state, older = on.path / "state", on.path / "older"
        shutil.copytree(state, older)
        async with running(on):
            pass
        shutil.rmtree(state)
        older.rename(state)
        keys.rotate_signing(state, clocks.draw)
        with pytest.raises(AnchorError, match="older copy"):
            await on.gateway().start()


@pytest.mark.anyio
async def test_a_new_key_is_told_to_the_log_and_its_anchor() -> None:
    with ground({"audit": {"anchor_file": "anchor"}}) as on:
        async with running(on):
            pass
        keys.rotate_signing(on.path / "state", clocks.draw)
        async with running(on) as gateway:
            leaves = await gateway.house.state.evidence.log.leaves(0, 10)
            assert [json.loads(leaf.leaf)["type"] for leaf in leaves][2:] == ["log_key_rotated", "gateway_started"]
            vkey = gateway.house.state.evidence.auditor.vkey
            # Also if it is killed now, the next start knows whom the anchor is of.
            (*_, last) = notes((on.path / "anchor").read_bytes())
            assert checkpoint.verify(last, vkey).size == 3
        async with running(on) as gateway:
            assert gateway.not_ready() == ()


@pytest.mark.anyio
async def test_calls_that_a_dead_process_left_open_are_closed_as_unknown_and_told_of() -> None:
    with ground() as on:
        held = read(on.document)
        state = await open_state(held.loaded.document, on.path)
        await state.evidence.recorder.start({"version": "0"})
        intent = Intent(made.call(), Allow(()), (), None, "none", Generation(1), "")
        await state.evidence.recorder.intend(intent)
        # The process dies here.
        await state.close()
        async with running(on) as gateway:
            assert [line["calls"] for line in on.lines if line["event"] == "calls_unknown"] == [1]
            assert await gateway.house.state.evidence.log.open_intents() == ()


@pytest.mark.anyio
async def test_a_gateway_is_not_ready_before_it_has_looked_at_everything() -> None:
    released = asyncio.Event()

    async def slow(peer: object, message: object, head: bytes) -> None:
        await released.wait()
        await giving({"tools": [], "resultType": "complete"})(peer, message, head)  # type: ignore[arg-type]

    async with scripted(speaking(exchange_era(tools__list=slow))) as one:
        with ground({"upstreams": {"git": upstream(one.url)}}) as on:
            async with running(on) as gateway:
                assert gateway.not_ready() == ("not looked at yet: git",)
                released.set()
                await until(lambda: gateway.not_ready() == ())
