"""The official conformance suite's authorization-server scenarios against our authority, with a person in front of the browser."""

import json
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.suite import SUITE_SECONDS
from tests.e2e.oauth import Visit, house
from tests.peers import SUITE, node

pytestmark = pytest.mark.peer


def free() -> int:
    """A port that nobody listens on, for the suite to."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


def test_our_authority_passes_every_scenario_for_authorization_servers(tmp_path: Path) -> None:
    alice, output = Visit("alice"), tmp_path / "suite"
    with house(tmp_path) as ours:
        command = [node(), str(SUITE / "dist" / "index.js"), "authorization", "--url", ours.origin]
        client = ["--client-id", "desk", "--resource", ours.running.url(), "--port", str(free())]
        with subprocess.Popen(
            [*command, *client, "--output-dir", str(output)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path
        ) as suite:
            try:
                assert suite.stdout is not None
                said = []
                for line in suite.stdout:
                    said.append(line)
                    if line.startswith(f"{ours.origin}/oauth/authorize?"):
                        alice.consents(line.strip())
                assert suite.wait(SUITE_SECONDS) == 0, "".join(said)
            finally:
                suite.kill()
    found = {check["id"]: check["status"] for file in output.glob("*/checks.json") for check in json.loads(file.read_text())}
    assert found == dict.fromkeys(
        ("authorization-server-metadata", "authorization-server-metadata-cimd", "authorization-code-grant"), "SUCCESS"
    ), "".join(said)
    assert len(alice.questions) == 1
