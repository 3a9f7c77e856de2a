"""A whole gateway in the loop of a test, in a directory of its own."""

import asyncio
import io
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doorward.app.gateway import Gateway
from doorward.call.inbound import Inbound
from doorward.domain.actors import Agent, Principal
from doorward.domain.ids import AgentId, TeamId
from doorward.identity.chain import Presented
from doorward.identity.registry import NEVER
from doorward.telemetry.journal import Journal, Level
from doorward.testing.house import PERMIT_ALL
from doorward.testing.playbook import Stimulus, as_read


@dataclass
class Ground:
    """A directory with a configuration, and what gateways said in it."""

    path: Path
    said: io.StringIO = field(default_factory=io.StringIO)

    @property
    def document(self) -> Path:
        return self.path / "doorward.yaml"

    def write(self, document: Mapping[str, object], policies: str = PERMIT_ALL) -> None:
        """A document (JSON is YAML) and its policy."""
        (self.path / "policy.cedar").write_text(policies)
        whole = {"listen": {"port": 0}, "policies": {"files": ["policy.cedar"]}, **document}
        self.document.write_text(json.dumps(whole))

    def gateway(self) -> Gateway:
        """One that is not started yet."""
        return Gateway(self.document, Journal(self.said, lambda: 0.0, Level.DEBUG))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The journal so far."""
        return [json.loads(line) for line in self.said.getvalue().splitlines()]

    @property
    def events(self) -> list[str]:
        """What happened, by the journal."""
        return [line["event"] for line in self.lines]


@contextmanager
def ground(document: Mapping[str, object] | None = None, policies: str = PERMIT_ALL) -> Iterator[Ground]:
    """A directory whose name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="dw") as path:
        made = Ground(Path(path))
        made.write(document or {}, policies)
        yield made


@asynccontextmanager
async def running(on: Ground) -> AsyncIterator[Gateway]:
    """A gateway from its start to its end."""
    gateway = on.gateway()
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()


async def agent(gateway: Gateway, name: str = "claude") -> Principal:
    """A new agent, as its key identifies it."""
    made = Agent(AgentId(name), "ada", TeamId("support"), "client")
    text, _ = await gateway.house.state.registry.add(made, NEVER, 3600)
    return gateway.house.dispatch.identify(Presented(f"Bearer {text}", "10.0.0.1", loopback=False))


async def unheard(notice: object) -> None:
    """Nobody listens."""


async def asked(gateway: Gateway, by: Principal, stimulus: Stimulus) -> Any:
    """What a gateway answers."""
    inbound: Inbound = stimulus.inbound(by)
    return as_read(await gateway.house.dispatch.handle(inbound, unheard))


async def until(is_so: Any, seconds: float = 10) -> None:
    """Waits for what a running gateway does by itself."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 -- what is waited for is seen from outside, as an operator sees it
            await asyncio.sleep(0.01)


def left_open() -> tuple[int, frozenset[str], int]:
    """What a gateway could leave behind: files and sockets, threads, tasks."""
    threads = frozenset(thread.name for thread in threading.enumerate() if thread.name.startswith("doorward"))
    return len(list(Path("/proc/self/fd").iterdir())), threads, len(asyncio.all_tasks())
