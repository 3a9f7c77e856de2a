"""A person's yes through a running gateway: for exactly one call, once, and neither lost nor doubled by a kill."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import REVISIONS, Client, Json, Said
from tests.e2e.commands import asked, ordered
from tests.e2e.log import of_call
from tests.e2e.witness import Witness, witnessing
from tests.gateway import PERMIT_ALL, Running, doorward, http_upstream, start, stop

POLICIES = (
    PERMIT_ALL
    + """
@id("somebody-looks")
@reason("A person looks at this first.")
@approval("leads")
forbid (principal, action == Action::"witness/echo", resource);
"""
)


@pytest.fixture
def witness() -> Iterator[Witness]:
    """An upstream."""
    with witnessing() as made:
        yield made


@pytest.fixture
def running(tmp_path: Path, witness: Witness) -> Iterator[Running]:
    """A gateway with one tool that somebody must be asked about."""
    document = {"upstreams": {"witness": http_upstream(witness.url)}, "approvals": {"wait_seconds": 0}}
    with doorward(tmp_path, document, POLICIES) as gateway:
        yield gateway


def waiting(running: Running) -> list[Json]:
    """What waits for somebody."""
    return [one for one in asked(running, "approval", "list")["approvals"] if one["state"] == "pending"]


def approve(running: Running) -> str:
    """Says yes to the only call that waits, and gives the question's id."""
    [one] = waiting(running)
    digest = asked(running, "approval", "show", one["id"])["digest"]
    ordered(running, "approval", "approve", one["id"], "--digest", digest)
    return str(one["id"])


def reasons(said: list[Said]) -> list[str]:
    """Why each was refused; empty for one that ran."""
    return sorted(one.reason for one in said)


@pytest.mark.parametrize("revision", REVISIONS)
def test_call_waits_for_a_yes_and_runs_once_with_exactly_its_arguments(running: Running, witness: Witness, revision: str) -> None:
    with (
        Client(running.url("witness"), running.key(), revision) as client,
        Client(running.url("witness"), running.key("eve"), revision) as eve,
    ):
        assert [client.call("echo", {"mark": "asked"}).reason for _ in range(3)] == ["pending"] * 3
        assert witness.marks() == []
        question = approve(running)
        assert client.call("echo", {"mark": "another"}).reason == "pending"
        assert eve.call("echo", {"mark": "asked"}).reason == "pending"
        ran = client.call("echo", {"mark": "asked"})
        assert (ran.reason, witness.marks()) == ("", ["asked"])
        intent, _ = of_call(running.directory / "state", ran.receipt)
        assert (intent["decision"]["effect"], intent["decision"]["policies"], intent["approval"]["id"]) == (
            "ask",
            ["somebody-looks"],
            question,
        )
        assert client.call("echo", {"mark": "asked"}).reason in ("pending", "grant_gone")
        for one in waiting(running):
            ordered(running, "approval", "reject", one["id"], "--digest", asked(running, "approval", "show", one["id"])["digest"])
        assert client.call("echo", {"mark": "another"}).reason == "rejected"
        assert witness.marks() == ["asked"]


def test_of_many_who_use_one_yes_at_once_one_runs(running: Running, witness: Witness) -> None:
    with Client(running.url("witness"), running.key()) as client:
        assert client.call("echo", {"mark": "once"}).reason == "pending"
    approve(running)
    said: list[Said] = []

    def call() -> None:
        with Client(running.url("witness"), running.key()) as client:
            said.append(client.call("echo", {"mark": "once"}))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert reasons(said).count("") == 1
    assert set(reasons(said)) <= {"", "pending", "grant_gone"}
    assert witness.marks() == ["once"]


def test_yes_outlives_a_kill_until_it_is_used_and_is_used_after_one(running: Running, witness: Witness) -> None:
    with Client(running.url("witness"), running.key()) as client:
        assert client.call("echo", {"mark": "kept"}).reason == "pending"
    approve(running)
    key = running.key()
    running.kill()
    again = start(running.directory)
    with Client(again.url("witness"), key) as client:
        assert client.call("echo", {"mark": "kept"}).reason == ""
    again.kill()
    third = start(running.directory)
    try:
        with Client(third.url("witness"), key) as client:
            assert client.call("echo", {"mark": "kept"}).reason in ("pending", "grant_gone")
        assert witness.marks() == ["kept"]
    finally:
        assert stop(third) == 0
