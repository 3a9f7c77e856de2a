"""`doorward stdio` as a process: pipes in and out, signals, keys, and what it refuses."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp
import pytest
from click.testing import CliRunner
from mcp import StdioServerParameters

from doorward.call.inbound import Inbound, Notices
from doorward.cli.stdio import command
from doorward.config.model import Listen
from doorward.domain.calls import Era, Notice
from tests.serving.asgi import ANSWER, EXCHANGE, FakeSpine, House
from tests.serving.sockets import listening

pytestmark = pytest.mark.anyio

META = {"io.modelcontextprotocol/protocolVersion": EXCHANGE, "io.modelcontextprotocol/clientCapabilities": {}}
CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "_meta": META}}).encode() + b"\n"
OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": OPENING}).encode() + b"\n"
MAIN = "from doorward.cli.main import main; main()"


@asynccontextmanager
async def started(port: int, *options: str, key: str = "key-of-ada") -> AsyncIterator[Process]:
    environment = {**os.environ, "DOORWARD_KEY": key}
    arguments = ("stdio", "--url", f"http://127.0.0.1:{port}/mcp", *options)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def house(answer: Any = None) -> House:
    return House(FakeSpine(answer), Listen(allowed_hosts=("127.0.0.1",)))


async def test_lines_go_in_answers_come_out_and_nothing_else_does() -> None:
    async with listening(house().door) as (_, port), started(port) as process:
        out, err = await process.communicate(CALL + b"\n\n" + CALL.replace(b'"id": 1', b'"id": 2').rstrip())
        answers = sorted((json.loads(line) for line in out.splitlines()), key=lambda answer: int(answer["id"]))
        assert [answer["result"] for answer in answers] == [ANSWER, ANSWER]
        assert (process.returncode, err) == (0, b"")


async def test_session_ends_with_standard_input() -> None:
    behind = house()
    async with listening(behind.door) as (_, port), started(port) as process:
        await process.communicate(INITIALIZE)
        assert (behind.spine.opened, behind.spine.sessions, process.returncode) == (1, {}, 0)


async def test_signal_ends_the_session_and_what_is_running() -> None:
    entered = asyncio.Event()

    async def answer(inbound: Inbound, notices: Notices) -> Any:
        entered.set()
        await asyncio.Event().wait()

    behind = house(answer)
    async with listening(behind.door) as (_, port), started(port) as process:
        assert process.stdin is not None
        process.stdin.write(INITIALIZE + CALL)
        await entered.wait()
        process.send_signal(signal.SIGTERM)
        _, err = await process.communicate()
        assert (process.returncode, err, behind.spine.sessions) == (0, b"", {})


async def test_key_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-of-eve\n", "utf-8")
    behind = house()
    async with listening(behind.door) as (_, port), started(port, "--key-file", str(file)) as process:
        await process.communicate(CALL)
    assert behind.spine.handled[0].principal.id == "eve"


async def test_key_is_read_from_the_environment_variable_that_is_named() -> None:
    behind = house()
    async with listening(behind.door) as (_, port), started(port, "--key-env", "NO_SUCH_KEY") as process:
        out, _ = await process.communicate(CALL)
    assert json.loads(out)["error"]["code"] == 4010


async def test_very_long_line_is_answered_by_the_gateway() -> None:
    async with listening(house().door) as (_, port), started(port) as process:
        out, _ = await process.communicate(CALL.replace(b'"echo"', b'"echo", "arguments": {"a": "' + b"e" * 2_000_000 + b'"}'))
        assert json.loads(out)["error"]["message"] == "The body must not be larger than 1048576 bytes."


async def test_client_that_stops_reading_ends_it_quietly() -> None:
    async with listening(house().door) as (_, port), started(port) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(CALL)
        await process.stdout.readline()
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        process.stdin.write(CALL)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_official_client_lists_calls_and_hears_of_progress(mode: Any) -> None:
    heard: list[float] = []

    async def hears(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    behind = house(everything)
    async with listening(behind.door) as (_, port):
        arguments = ["-c", MAIN, "stdio", "--url", f"http://127.0.0.1:{port}/mcp"]
        process = StdioServerParameters(command=sys.executable, args=arguments, env={**os.environ, "DOORWARD_KEY": "key-of-ada"})
        async with mcp.Client(mcp.stdio_client(process), mode=mode) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["echo"]
            called = await client.call_tool("echo", {}, progress_callback=hears)
            assert [block.text for block in called.content if block.type == "text"] == ["hello"]
    assert heard == [1]
    assert {inbound.era for inbound in behind.spine.handled} == {Era.EXCHANGE if mode == "auto" else Era.SESSION}
    assert behind.spine.sessions == {}


async def everything(inbound: Inbound, notices: Notices) -> Any:
    """Answers like a server with one tool, which tells its progress."""
    shared: dict[str, object] = {"resultType": "complete"} if inbound.era is Era.EXCHANGE else {}
    cached = {**shared, "ttlMs": 0, "cacheScope": "private"} if shared else {}
    match inbound.request.method:
        case "server/discover":
            return {**cached, "supportedVersions": [EXCHANGE], "capabilities": {"tools": {"listChanged": True}}}
        case "tools/list":
            return {**cached, "tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
        case _:
            await notices(Notice("notifications/progress", {"progressToken": inbound.progress_token, "progress": 1}))
            return {**shared, **ANSWER}


@pytest.mark.parametrize(
    "url", ["http://gateway.example/mcp", "http://10.0.0.1/mcp", "ftp://localhost/mcp", "localhost:8420", "http://user:key@localhost/mcp"]
)
def test_url_that_would_show_the_key_or_is_none_is_refused(url: str) -> None:
    outcome = CliRunner().invoke(command, ["--url", url])
    assert outcome.exit_code == 2
    assert "--url" in outcome.output


def test_key_that_could_break_a_header_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a\r\nHost: evil", "utf-8")
    assert CliRunner().invoke(command, ["--key-file", str(file)]).exit_code == 2


def test_certificate_that_is_not_there_or_would_go_over_http_is_refused(tmp_path: Path) -> None:
    directory = ["--directory", str(tmp_path)]
    outcome = CliRunner().invoke(command, ["--url", "https://localhost:8443/mcp", *directory])
    assert (outcome.exit_code, "doorward agent enroll" in outcome.output) == (1, True)
    assert CliRunner().invoke(command, ["--url", "http://localhost:8420/mcp", *directory]).exit_code == 2
    (tmp_path / "roots.pem").write_text("nothing", "utf-8")
    outcome = CliRunner().invoke(command, ["--url", "https://localhost:8443/mcp", "--ca-file", str(tmp_path / "roots.pem")])
    assert (outcome.exit_code, "roots.pem" in outcome.output) == (1, True)
