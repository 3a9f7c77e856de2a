"""Alerts of a running gateway: they reach a webhook and a syslog server, name their leaves, and name no person; nobody dead holds them up."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.chat import SECRET, Chat, Json, chatting
from tests.e2e.client import EXCHANGE, Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.log import leaves, until
from tests.e2e.witness import Witness, tool, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop, write_config

POLICIES = (
    PERMIT_ALL
    + """
@id("no-other") @reason("Nobody may.")
forbid (principal, action == Action::"witness/other", resource);
"""
)


@dataclass(slots=True)
class Siem:
    """A syslog server on UDP."""

    socket: socket.socket

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.socket.getsockname()[1])

    def next(self) -> str:
        """The next message; fails when none comes."""
        return self.socket.recv(65_536).decode()


@pytest.fixture
def siem() -> Iterator[Siem]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(15)
        yield Siem(listening)


@pytest.fixture
def witness() -> Iterator[Witness]:
    with witnessing() as made:
        yield made


@pytest.fixture
def chat() -> Iterator[Chat]:
    with chatting() as made:
        yield made


def document(witness: Witness, chat: Chat, **alerts: object) -> Json:
    rules = {"webhooks": {"chat": chat.config()}, "failed_authentications": 4, "refusals": 3, **alerts}
    return {"upstreams": {"witness": http_upstream(witness.url, refresh_seconds=0.2)}, "alerts": rules}


@contextmanager
def gateway(place: Path, it: Json) -> Iterator[Running]:
    (place / "hook.secret").write_text(SECRET)
    (place / "hook.secret").chmod(0o600)
    with doorward(place, it, POLICIES) as running:
        yield running


def alert(chat: Chat, kind: str) -> Json:
    """The first alert of a kind, once it has come."""
    found: Json = until(lambda: next(iter(chat.of(f"alert.{kind}")), None))
    assert chat.wrong == []
    return found


def leaf_of(running: Running, found: Json) -> Json:
    """The leaf that an alert names."""
    number = int(found["reference"].removeprefix("leaf/"))
    return leaves(running.directory / "state")[number]


def test_a_stop_reaches_webhook_and_syslog_with_its_leaf_and_without_a_name(
    tmp_path: Path, witness: Witness, chat: Chat, siem: Siem
) -> None:
    with gateway(tmp_path, document(witness, chat, syslog=[{"host": "127.0.0.1", "port": siem.port}])) as running:
        running.key()
        ordered(running, "stop", "agent", "tester", "--reason", "hunter2 told ada")
        found = alert(chat, "stop")
        leaf = leaf_of(running, found)
        assert (leaf["type"], leaf["fields"]["matter"]) == ("stop_set", "agent:tester")
        assert (found["sentence"], found["about"], found["count"]) == ("agent:tester was stopped", "agent:tester", 1)
        line = siem.next()
        assert line.startswith("<108>1 ")
        assert f'reference="{found["reference"]}"' in line
        assert line.endswith("agent:tester was stopped")
        said = json.dumps(chat.told) + line
        assert "hunter2" not in said
        assert leaf["by"] == getpass.getuser()
        assert found["fields"]["by"] != leaf["by"]
        [one] = [sink for sink in asked(running, "status")["alerts"] if sink["name"] == "chat"]
        assert (one["failure"], one["waiting"], one["delivered"]) == ("", 0, 1)


def test_a_drift_failed_logins_and_misuse_are_told(tmp_path: Path, witness: Witness, chat: Chat) -> None:
    with gateway(tmp_path, document(witness, chat)) as running:
        key = running.key()
        witness.tools = [tool("echo", "Does something else now."), *witness.tools[1:]]
        drift = alert(chat, "drift")
        assert (leaf_of(running, drift)["type"], drift["about"]) == ("definition_drifted", "witness")
        with Client(running.url(), "dw_not_a_key", EXCHANGE) as stranger:
            for _ in range(9):
                stranger.ask("tools/list")
        knocks = alert(chat, "authentication")
        assert (knocks["fields"]["attempts"], knocks["about"]) == (4, "127.0.0.0/24")
        with Client(running.url("witness"), key, EXCHANGE) as client:
            # As many as are enough on either side of the end of a minute.
            for number in range(6):
                client.call("other", {"mark": f"private-{number}"})
        misuse = alert(chat, "misuse")
        assert misuse["about"] == "tester"
        refused = [leaf for leaf in leaves(running.directory / "state") if leaf.get("call") == misuse["reference"]]
        assert [leaf["type"] for leaf in refused] == ["refusal"]
        assert "private" not in json.dumps(chat.told)


def test_a_broken_glass_and_a_rejected_configuration_are_told(tmp_path: Path, witness: Witness, chat: Chat) -> None:
    it = document(witness, chat)
    it["policies"] = {"files": ["policy.cedar"], "break_glass": {"operators": [getpass.getuser()]}}
    with gateway(tmp_path, it) as running:
        running.key()
        ordered(running, "break-glass", "open", "tester", "--for", "5m", "--reason", "Checkout is down, this is too slow", "--yes")
        glass = alert(chat, "glass")
        assert leaf_of(running, glass)["type"] == "glass_broken"
        assert "Checkout" not in json.dumps(glass)
        (tmp_path / "doorward.yaml").write_text("upstreams: [")
        assert leaf_of(running, alert(chat, "configuration"))["type"] == "config_rejected"


def test_an_upstream_that_is_gone_is_told(tmp_path: Path, witness: Witness, chat: Chat) -> None:
    it = document(witness, chat)
    it["upstreams"]["gone"] = http_upstream("http://127.0.0.1:9/mcp")
    with gateway(tmp_path, it):
        assert "gone" in {found["about"] for found in until(lambda: chat.of("alert.breaker"))}


def test_a_dead_webhook_holds_up_neither_calls_nor_the_other_sink_and_hears_of_it_later(
    tmp_path: Path, witness: Witness, chat: Chat, siem: Siem
) -> None:
    chat.status = 503
    rules = {"syslog": [{"host": "127.0.0.1", "port": siem.port}]}
    with gateway(tmp_path, document(witness, chat, **rules)) as running:
        running.key("other")
        ordered(running, "stop", "agent", "other", "--reason", "It loops.")
        assert "agent:other was stopped" in siem.next()
        with Client(running.url("witness"), running.key(), EXCHANGE) as client:
            assert client.call("echo", {"mark": "meanwhile"}).reason == ""
        assert until(lambda: running.events("alert_sink_failed"))[0]["why"] == "expected a status of 2xx, got 503"
        code, output = told(running, "alert", "test")
        assert (code, "503" in output, "sent" in output) == (1, True, True)
        assert any("alerts do not reach chat" in warning for warning in asked(running, "status")["warnings"])
        assert "FAILS" in ordered(running, "status")
        chat.status = 204
        assert alert(chat, "stop")["about"] == "agent:other"
        until(lambda: running.events("alert_sink_works"))
        assert [one["took"] for one in asked(running, "alert", "test")["sinks"]] == [True, True]


def test_what_is_folded_when_the_gateway_ends_still_goes_out_and_the_next_one_alerts_anew(
    tmp_path: Path, witness: Witness, chat: Chat
) -> None:
    with gateway(tmp_path, document(witness, chat)) as running:
        running.key()
        for _ in range(2):
            ordered(running, "stop", "agent", "tester", "--reason", "It loops.")
        alert(chat, "stop")
        stop(running)
        assert [found["count"] for found in chat.of("alert.stop")] == [1, 1]
        again = start(tmp_path)
        try:
            ordered(again, "resume", "agent", "tester")
            assert until(lambda: [one["sentence"] for one in chat.of("alert.stop")][2:]) == ["agent:tester is stopped or revoked no more"]
        finally:
            stop(again)


def test_a_gateway_that_was_killed_is_told_of_by_the_next_one_and_one_that_was_ended_is_not(
    tmp_path: Path, witness: Witness, chat: Chat
) -> None:
    with gateway(tmp_path, document(witness, chat)) as running:
        running.key()
        running.kill()
        before = len(leaves(tmp_path / "state"))
        again = start(tmp_path)
        found = alert(chat, "log")
        assert (found["about"], found["reference"]) == ("the last process", f"leaf/{before - 1}")
        stop(again)
        last = start(tmp_path)
        ordered(last, "stop", "agent", "tester", "--reason", "So that something comes after it.")
        alert(chat, "stop")
        stop(last)
    assert len(chat.of("alert.log")) == 1


def test_sinks_come_and_go_by_a_reload(tmp_path: Path, witness: Witness, chat: Chat) -> None:
    with gateway(tmp_path, document(witness, chat, webhooks={})) as running:
        assert told(running, "alert", "test")[1].startswith("no alerts are sent anywhere")
        write_config(tmp_path, document(witness, chat, kinds=["glass"]), POLICIES)
        until(lambda: asked(running, "status")["alerts"])
        running.key()
        ordered(running, "stop", "agent", "tester", "--reason", "It loops.")
        assert [line["sent"] for line in until(lambda: running.events("alert"))] == [False]
        ordered(running, "alert", "test")
        assert [message["type"] for message in chat.told] == ["alert.test"]


def test_a_budget_that_is_used_up_and_an_agent_in_circles_are_told_with_the_call(tmp_path: Path, witness: Witness, chat: Chat) -> None:
    it = document(witness, chat)
    it["budgets"] = {"few": {"limit": 5, "of": {"tools": ["witness/echo"]}}}
    it["runaway"] = {"repeated": {"mode": "refuse", "calls": 3, "seconds": 60}}
    with gateway(tmp_path, it) as running, Client(running.url("witness"), running.key(), EXCHANGE) as client:
        for _ in range(6):
            client.call("stream", {"mark": "again"})
        runaway = alert(chat, "runaway")
        for number in range(6):
            client.call("echo", {"mark": str(number)})
        budget = alert(chat, "budget")
        for found in (runaway, budget):
            assert found["fields"]["agent"] == "tester"
            assert [leaf for leaf in leaves(running.directory / "state") if leaf.get("call") == found["reference"]]
