"""Whoever comes by a public name does not come from this machine, whatever stands between and says nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.witness import witnessing
from tests.gateway import doorward, http_upstream


@pytest.mark.parametrize("host", ["mcp.example.com", "MCP.example.com", "gate.internal", "gate.internal:8443"])
def test_a_caller_through_a_silent_proxy_on_this_machine_is_not_the_anonymous_one(tmp_path: Path, host: str) -> None:
    listen = {"port": 0, "public_url": "https://mcp.example.com", "allowed_hosts": ["gate.internal"]}
    with witnessing() as witness:
        document = {"listen": listen, "identity": {"anonymous": {"agent": "local"}}, "upstreams": {"up": http_upstream(witness.url)}}
        with doorward(tmp_path, document) as running:
            assert Client(running.url()).call("up__echo", {"mark": "mine"}).status == 200
            assert Client(running.url().replace("127.0.0.1", "localhost")).call("up__echo", {"mark": "mine"}).status == 200
            assert Client(running.url(), extra={"Host": host}).call("up__echo", {"mark": "theirs"}).status == 401
            assert set(witness.marks()) == {"mine"}
