"""What the page about certificates shows is what comes of it, at a gateway of its own; files are made by its commands where openssl is."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.log import until
from tests.e2e.secured import Place, is_over, named, principal
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, start, stop
from tests.peers import ROOT
from tests.tour.console import Shown, shown, typed

PAGE = (ROOT / "docs/identity/certificates.md").read_text("utf-8")
MAKING, REVOKING = (block.partition("```")[0] for block in PAGE.split("```sh\n")[1:])
FIRST, _, OWN = (block.partition("```")[0] for block in PAGE.split("```yaml\n")[1:])
ADDING, ASKING, ENROLLING, RENEWING, BRIDGING = shown(PAGE)
LISTING = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/list",
        "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}},
    }
)
MORE = """
upstreams:
  up: {{url: "{url}", plain_http: true, private: true, trust: first-use}}
policies: {{files: [policy.cedar]}}
"""
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@contextmanager
def serving(directory: Path, document: str, witness: Witness) -> Iterator[Running]:
    """A gateway of a document of the page, on a port that is free, in front of one upstream."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = document.replace("8443", str(port)) if "8443" in document else document.replace("listen:\n", f"listen:\n  port: {port}\n")
    (directory / "doorward.yaml").write_text(here + MORE.format(url=witness.url))
    (directory / "policy.cedar").write_text(PERMIT_ALL)
    running = start(directory)
    try:
        assert running.port == port
        yield running
    finally:
        stop(running)


def said(running: Running, commands: list[str], **more: str) -> list[str]:
    """What the commands of the page say on the gateway's own machine."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DOORWARD_SOCKET": str(running.directory / "state" / "control.sock"),
        "PYTHONUTF8": "1",
        **more,
    }
    here = [command.replace("8443", str(running.port)) for command in commands]
    return typed(here, running.directory, environment)


def run(script: str, directory: Path) -> None:
    """One of the page's scripts."""
    done = subprocess.run(["bash", "-e", "-c", script], cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def connected(running: Running, roots: Path, home: Path) -> Client:
    """A client with the certificate and key in a directory."""
    context = ssl.create_default_context(cafile=roots)
    context.load_cert_chain(home / "agent.pem", home / "agent.key")
    return Client(f"https://localhost:{running.port}/mcp", tls=context)


@needs_openssl
def test_certificates_that_its_commands_make_are_known_and_revoked(tmp_path: Path, witness: Witness) -> None:
    run(MAKING, tmp_path)
    with serving(tmp_path, FIRST, witness) as running:
        is_known_until_revoked(running, lambda: run(f"set -e\n{REVOKING}", tmp_path))


def test_its_gateway_knows_the_agent_until_another_list_says_otherwise(tmp_path: Path, witness: Witness) -> None:
    place = Place(tmp_path)
    shown_by_agent = place.root.leaf(named("builder"))
    shown_by_agent.written(tmp_path, "agent")
    with serving(tmp_path, FIRST, witness) as running:
        is_known_until_revoked(running, lambda: place.publish(shown_by_agent.certificate))


def is_known_until_revoked(running: Running, revoke: Callable[[], None]) -> None:
    """What the page tells of its first example."""
    [added] = said(running, [ADDING.command])
    assert added == "builder is known; it has no key\n"
    assert ASKING.command.startswith("curl --cacert roots.pem --cert agent.pem --key agent.key https://localhost:8443/mcp")
    with connected(running, running.directory / "roots.pem", running.directory) as one:
        assert principal(running, one.call("up__echo"))["agent"] == "builder"
        revoke()
        is_over(one)
        until(lambda: one.call("up__echo").status == 401)


def test_agent_enrols_and_renews_as_shown(tmp_path: Path, witness: Witness) -> None:
    Place(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    with serving(tmp_path, OWN, witness) as running:
        enrolling = ENROLLING.command.replace("dw_…", running.key("builder"))
        enrolled, renewed, bridged = said(running, [enrolling, RENEWING.command, f"echo '{LISTING}' | {BRIDGING.command}"], HOME=str(home))
        wanted = Shown(enrolling, re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "…", ENROLLING.output).replace("/home/ci", str(home)))
        assert wanted.is_like(enrolled), enrolled
        assert renewed == ""
        assert "up__echo" in {tool["name"] for tool in json.loads(bridged)["result"]["tools"]}
        with connected(running, tmp_path / "roots.pem", home / ".doorward") as one:
            assert principal(running, one.call("up__echo"))["agent"] == "builder"
