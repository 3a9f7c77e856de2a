"""An upstream that is stopped stands still as a whole: no process of it runs, no stream of it is open, no credential is shown to it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.client import Client
from tests.e2e.log import until
from tests.e2e.witness import witnessing
from tests.gateway import doorward, http_upstream, stdio_upstream
from tests.upstream.servers import script

SERVER = """
import os
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
for message in messages():
    method = message.get("method")
    if method == "initialize":
        initialized(message, "2025-11-25")
    elif method == "tools/list":
        result(message, {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
    elif method == "tools/call":
        result(message, {"content": [{"type": "text", "text": "here"}]})
    elif "id" in message:
        error(message, -32601)
"""


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_process_of_a_stopped_upstream_ends_and_is_started_again_once_it_is_lifted(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with doorward(tmp_path, {"upstreams": {"local": stdio_upstream((*script(SERVER), str(pids)), era="session")}}) as running:
        client = Client(running.url(), running.key())
        assert client.call("local__echo").text == "here"
        running.admin.post("/v1/stops", {"matter": "upstream:local", "reason": "it misbehaves"})
        first = [int(pid) for pid in pids.read_text().split()]
        until(lambda: not is_running(first[-1]))
        assert client.call("local__echo").reason == "stopped"
        running.admin.post("/v1/stops/lift", {"matter": "upstream:local"})
        assert client.call("local__echo").text == "here"
        assert len(pids.read_text().split()) == len(first) + 1


def test_nothing_is_sent_to_a_stopped_upstream_any_more(tmp_path: Path) -> None:
    with witnessing() as witness, doorward(tmp_path, {"upstreams": {"up": http_upstream(witness.url)}}) as running:
        client = Client(running.url(), running.key())
        assert client.call("up__echo", {"mark": "before"}).text
        until(lambda: any(b"subscriptions/listen" in request for request in witness.requests))
        running.admin.post("/v1/stops", {"matter": "all", "reason": "an incident"})
        until(lambda: not running.admin.get("/v1/status")["in_flight"])
        sent = len(witness.requests)
        assert client.call("up__echo", {"mark": "after"}).reason == "stopped"
        assert len(witness.requests) == sent
