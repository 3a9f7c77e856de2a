"""The commands at a whole gateway in a process of its own: a call that waits for a person, answered; and what observation lets pass."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.commands import asked, ordered, told
from tests.e2e.witness import Witness, witnessing
from tests.gateway import Running, doorward, http_upstream

POLICY = """\
@id("all") @reason("Everything.")
permit (principal, action, resource);
@id("ask") @reason("Echoes are looked at.") @approval("ops")
forbid (principal, action == Action::"witness/echo", resource);
@id("never") @reason("Not this.")
forbid (principal, action == Action::"watched/other", resource);
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Witness]]:
    """One gateway in front of one upstream under two names: `watched` is observed."""
    with witnessing() as witness:
        upstreams = {"witness": http_upstream(witness.url), "watched": http_upstream(witness.url, posture="observe")}
        with doorward(tmp_path_factory.mktemp("g"), {"upstreams": upstreams, "approvals": {"wait_seconds": 0}}, POLICY) as gateway:
            yield gateway, witness


def test_a_call_waits_for_a_person_runs_once_and_its_receipt_names_who_said_yes(running: tuple[Running, Witness], tmp_path: Path) -> None:
    gateway, witness = running
    with Client(gateway.url("witness"), gateway.key()) as client:
        assert client.call("echo", {"mark": "asked for"}).reason == "pending"
        [question] = asked(gateway, "approval", "list")["approvals"]
        shown = asked(gateway, "approval", "show", question["id"])
        assert json.loads(shown["canonical"])["arguments"] == {"mark": "asked for"}
        ordered(gateway, "approval", "approve", question["id"], "--digest", shown["digest"])

        assert client.call("echo", {"mark": "another one"}).reason == "pending"
        answered = client.call("echo", {"mark": "asked for"})
        assert "asked for" in answered.text
        assert client.call("echo", {"mark": "asked for"}).reason == "pending"
    assert witness.marks().count("asked for") == 1

    [intent, _] = asked(gateway, "log", "show", answered.receipt)["leaves"]
    assert intent["leaf"]["approval"]["id"] == question["id"]
    ordered(gateway, "receipt", answered.receipt, "-o", str(tmp_path / "receipt.json"))
    key = ordered(gateway, "log", "checkpoint", "--key").strip()
    assert ordered(gateway, "log", "verify", "--receipt", str(tmp_path / "receipt.json"), "--key", key).startswith("OK: 2 leaves")
    assert told(gateway, "log", "verify")[0] == 0


def test_what_observation_lets_pass_is_explained_beforehand_and_counted_afterwards(running: tuple[Running, Witness]) -> None:
    gateway, _ = running
    with Client(gateway.url("watched"), gateway.key()) as client:
        explained = asked(gateway, "policy", "explain", "--agent", "tester", "--tool", "watched/other")
        assert (explained["effect"], explained["passes"], explained["policies"]) == ("deny", True, ["never"])
        assert client.call("other", {"mark": "let pass"}).text
    counted = asked(gateway, "policy", "observed")["passes"]
    assert [(one["agent"], one["upstream"], one["name"], one["policies"], one["calls"]) for one in counted] == [
        ("tester", "watched", "other", ["never"], 1)
    ]


def test_a_refreshed_upstream_and_the_state_of_all_are_shown(running: tuple[Running, Witness]) -> None:
    gateway, _ = running
    assert asked(gateway, "catalog", "refresh", "witness")["waiting"] == 0
    status = asked(gateway, "status")
    assert (status["ready"], [(one["id"], one["state"], one["posture"]) for one in status["upstreams"]]) == (
        True,
        [("witness", "up", "enforce"), ("watched", "up", "observe")],
    )
