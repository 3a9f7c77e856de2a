"""The official SDK's server as upstream: both eras, over HTTP and standard streams, on asyncio and on uvloop."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import uvloop

from doorward.domain.calls import Answer, Era, Fault, Notice
from doorward.upstream.health import Condition
from doorward.upstream.port import Driver, unheard
from tests.upstream.kit import LEASE, Heard, World, order, over_http, over_stdio

SERVER = Path(__file__).with_name("real_server.py")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with subprocess.Popen((sys.executable, str(SERVER), "http"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/mcp"
        process.terminate()


def opened(transport: str, era: str, url: str, world: World) -> AbstractAsyncContextManager[Driver]:
    if transport == "http":
        return over_http(url, world, era=era)
    return over_stdio((sys.executable, str(SERVER), "stdio"), world, era=era)


async def whole_round(transport: str, era: str, url: str) -> None:
    """Discovers everything and uses each kind of thing once."""
    world, heard = World(), Heard()
    async with opened(transport, era, url, world) as upstream:
        await upstream.start(LEASE)
        seen = await upstream.discover(LEASE)
        assert seen.era is (Era.SESSION if era == "session" else Era.EXCHANGE)
        assert (seen.server_info["name"], seen.instructions) == ("real", "be kind")
        assert [item["name"] for item in seen.tools] == ["echo", "steps", "hang"]
        assert [item["name"] for item in seen.prompts] == ["greet"]
        assert [item["uri"] for item in seen.resources] == ["demo://note"]
        assert [item["uriTemplate"] for item in seen.templates] == ["demo://notes/{number}"]

        assert text_of(await upstream.forward(order(), unheard)) == "hi"
        steps = order(params={"name": "steps", "arguments": {"count": 2}}, wants_progress=True, log_level="info")
        assert text_of(await upstream.forward(steps, heard)) == "done"
        assert [notice.method.removeprefix("notifications/") for notice in heard.notices] == ["progress", "message"] * 2
        assert heard.notices[0] == Notice("notifications/progress", {"progress": 0, "total": 2, "message": "step 0"})

        read = await upstream.forward(order("resources/read", {"uri": "demo://note"}), unheard)
        assert read.body["contents"][0]["text"] == "content"  # type: ignore[index]
        prompt = await upstream.forward(order("prompts/get", {"name": "greet", "arguments": {"name": "you"}}), unheard)
        assert prompt.body["messages"][0]["content"]["text"] == "hello you"  # type: ignore[index]
        unknown = await upstream.forward(order("resources/read", {"uri": "demo://none"}), unheard)
        assert isinstance(unknown.body, Fault)

        hanging = asyncio.create_task(upstream.forward(order(params={"name": "hang", "arguments": {}}), unheard))
        await asyncio.sleep(0.05)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        answers = await asyncio.gather(
            *(upstream.forward(order(params={"name": "echo", "arguments": {"text": str(n)}}), unheard) for n in range(20))
        )
        assert [text_of(answered) for answered in answers] == [str(n) for n in range(20)]
        assert upstream.state().condition is Condition.UP
    assert world.events == []


def text_of(answered: Answer) -> object:
    return answered.body["content"][0]["text"]  # type: ignore[index]


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("era", ["auto", "session", "exchange"])
@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_real_server_is_used_whole(transport: str, era: str, loop: Callable[[], asyncio.AbstractEventLoop], url: str) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(whole_round(transport, era, url))
