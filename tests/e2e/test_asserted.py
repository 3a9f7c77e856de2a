"""A real server on the official SDK that lets in only what Doorward has signed for."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import create_connection, create_server

import pytest

from tests.e2e.client import RECEIPT, Client
from tests.e2e.log import of_call, until
from tests.gateway import doorward, http_upstream
from tests.peers import ROOT

pytestmark = pytest.mark.peer


def free_port() -> int:
    with closing(create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def asserted(issuer: str, audience: str, port: int) -> Iterator[None]:
    """The example server, until the block ends."""
    command = [sys.executable, "-m", "examples.asserted", issuer, audience, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert process.poll() is None
            try:
                create_connection(("127.0.0.1", port), 0.5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("era", ["session", "auto"])
def test_a_server_without_a_secret_knows_who_calls_and_refuses_everybody_else(tmp_path: Path, era: str) -> None:
    port, own = free_port(), free_port()
    audience = f"http://127.0.0.1:{port}/mcp"
    credential = {"kind": "assertion", "seconds": 30}
    document = {"listen": {"port": own}, "upstreams": {"up": http_upstream(audience, era=era, credential=credential)}}
    with asserted(f"http://127.0.0.1:{own}", audience, port), doorward(tmp_path, document) as running:
        with Client(running.url(), running.key("eve")) as client:
            until(lambda: [tool for tool in client.ask("tools/list").result["tools"] if tool["name"] == "up__whoami"])
            said = client.call("up__whoami", {"greeting": "hello"}).result
        receipt = said["_meta"][RECEIPT]
        assert said["content"] == [{"type": "text", "text": f"hello, eve by eve, receipt {receipt}"}]
        outcome = of_call(running.directory / "state", receipt)[-1]
        assert outcome["credential"]["kind"] == "assertion"
        with Client(audience, "not-an-assertion") as stranger:
            assert stranger.ask("tools/list").status == 401
