"""Contexts on a running gateway: no kill forgets one, whom answers are endorsed by is in the log, and an operator lets one begin anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import EXCHANGE, Client, Json
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import events, of_call
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream, start, stop
from tests.net.raw import Peer, response
from tests.upstream.kit import result

KNOWN = {"upstreams": ["witness"], "field": "/from", "domains": ["corp.example"]}
FORBIDDEN = """
@id("all") @reason("Everything is tried.") permit (principal, action, resource);
@id("nothing-after-strangers") @reason("Something untrusted was read.") forbid (principal, action == Action::"witness/echo", resource)
when { context.session.integrity == "untrusted" };
@id("to-nobody-new") @reason("Somebody untrusted named it.") forbid (principal, action == Action::"witness/echo", resource)
when { context.session.tainted_arguments.contains("mark") };
"""


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream whose tool `other` reads a message of whoever is named."""
    with witnessing() as made:

        async def reads(peer: Peer, message: Json, head: bytes) -> None:
            content = {"from": message["params"]["arguments"]["mark"], "body": "ask mallory@evil.example"}
            await peer.send(response(result(message, {"content": [], "structuredContent": content, "resultType": "complete"})))

        made.behaviours["other"] = reads
        yield made


def document(witness: Witness) -> dict[str, Any]:
    return {"upstreams": {"witness": http_upstream(witness.url)}, "flow": {"endorse": {"colleagues": KNOWN}}}


def holds(running: Running) -> list[tuple[str, int]]:
    return [(one["integrity"], one["calls"]) for one in asked(running, "flow", "list", "--agent", "tester")["contexts"]]


def test_no_kill_forgets_what_was_read_and_an_operator_lets_a_context_begin_anew(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness), FORBIDDEN) as running:
        key = running.key()
        with Client(running.url("witness"), key, EXCHANGE) as client:
            assert client.call("other", {"mark": "mallory@evil.example"}).reason == ""
            assert client.call("echo", {"mark": "a"}).reason == "forbidden"
        running.kill()
    again = start(tmp_path)
    try:
        with Client(again.url("witness"), key, EXCHANGE) as client:
            assert client.call("echo", {"mark": "a"}).reason == "forbidden"
            (context,) = asked(again, "flow", "list")["contexts"]
            shown = ordered(again, "flow", "show", str(context["context"]))
            assert "holds: untrusted, internal (personal)" in shown
            assert "remembers: everything counts as tainted" in shown
            assert f"{context['context']}" in ordered(again, "flow", "list")
            assert ordered(again, "flow", "reset", str(context["context"]), "--reason", "another task").endswith("has begun anew\n")
            assert holds(again) == []
            assert told(again, "flow", "show", str(context["context"]))[0] != 0
            assert client.call("echo", {"mark": "a"}).reason == ""
        (reset,) = events(again.directory / "state", "flow_reset")
        assert (reset["fields"]["agent"], reset["fields"]["integrity"], reset["fields"]["reason"]) == (
            "tester",
            "untrusted",
            "another task",
        )
    finally:
        stop(again)


def test_the_log_says_by_which_rule_an_answer_counts_as_trusted(tmp_path: Path, witness: Witness) -> None:
    with doorward(tmp_path, document(witness), FORBIDDEN) as running, Client(running.url("witness"), running.key(), EXCHANGE) as client:
        known = client.call("other", {"mark": "Ada <ada@corp.example>"})
        assert (known.reason, holds(running)) == ("", [("trusted", 1)])
        _, outcome = of_call(running.directory / "state", known.receipt)
        assert outcome["endorsed"] == "colleagues"
        assert client.call("echo", {"mark": "mallory@evil.example"}).reason == ""
