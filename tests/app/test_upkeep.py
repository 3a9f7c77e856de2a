"""What a gateway does by the clock, and what it says when that fails. Its time jumps."""

import asyncio
import socket

import pytest

from doorward.audit import keys
from doorward.audit.keys import KeyFileError
from doorward.call.sessions import SessionRow
from doorward.domain.ids import SessionId
from doorward.domain.reasons import Reason, Refused
from tests.app.running import agent, ground, left_open, running
from tests.loops import JumpingLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": JumpingLoop}


@pytest.mark.anyio
async def test_a_log_that_is_lost_makes_a_gateway_unready_and_is_told_of_everywhere() -> None:
    with ground() as on:
        gateway = on.gateway()
        await gateway.start()
        row = SessionRow(SessionId("s"), "claude", "", "2025-11-25", {}, {}, 0, 0)
        await gateway.house.sessions.open(row)
        who = await agent(gateway)
        gateway.house.state.evidence.log.close()
        gateway.house.dispatch.turned_down(who, Refused(Reason.HEADER_MISMATCH, "why"))
        await asyncio.sleep(61)
        assert [reason for reason in gateway.not_ready() if reason.startswith("the log cannot be written")]
        assert "upkeep_failed" in on.events
        on.write({"admission": {"concurrent": 2}})
        await gateway.reload("ann")
        assert gateway.house.generations.current.generation == 1
        await gateway.stop()
        assert [event for event in on.events if event in ("config_rejected", "log_not_sealed", "gateway_stopped")][-3:] == [
            "config_rejected",
            "log_not_sealed",
            "gateway_stopped",
        ]


@pytest.mark.anyio
async def test_each_checkpoint_is_sent_to_its_syslog_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        with ground({"audit": {"anchor_syslog": {"host": "127.0.0.1", "port": server.getsockname()[1]}}}) as on:
            async with running(on):
                pass
            assert b"doorward-checkpoint" in server.recv(65_536)


@pytest.mark.anyio
@pytest.mark.parametrize("lost", ["audit.key", "log.key"])
async def test_a_key_that_is_lost_is_no_start_and_leaves_nothing_open(lost: str) -> None:
    with ground() as on:
        async with running(on):
            pass
        before = left_open()
        held = (on.path / "state" / lost).read_bytes()
        (on.path / "state" / lost).unlink()
        with pytest.raises(KeyFileError):
            await on.gateway().start()
        assert left_open() == before
        keys.kept(on.path / "state" / lost, lambda count: bytes.fromhex(held.decode()))
        async with running(on) as gateway:
            assert gateway.not_ready() == ()


@pytest.mark.anyio
async def test_a_seal_that_is_damaged_is_no_start_and_leaves_nothing_open() -> None:
    with ground() as on:
        async with running(on):
            pass
        before = left_open()
        (on.path / "state" / "seal.key").write_text("short")
        with pytest.raises(KeyFileError):
            await on.gateway().start()
        assert left_open() == before


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_gateway_listens_where_it_is_told(host: str) -> None:
    with ground({"listen": {"port": 0, "host": host}}) as on:
        async with running(on) as gateway:
            assert gateway.address[1] > 0


@pytest.mark.anyio
async def test_upkeep_that_fails_keeps_no_other_from_being_done() -> None:
    with ground() as on:
        gateway = on.gateway()
        await gateway.start()
        gateway.house.state.evidence.log.close()
        await asyncio.sleep(3601)
        await gateway.stop()
        failed = {line["work"] for line in on.lines if line["event"] == "upkeep_failed"}
    assert {"retain", "forget"} <= failed
